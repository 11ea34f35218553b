//! Progress of a search over all its trials.

use super::span;
use crate::print;
use equipoise_study::search::{Listener, Record, SearchEvent};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Instant;

/// Shows what a search does: a bar on a terminal, a line for each trial otherwise, nothing when quiet.
pub struct SweepProgress {
    quiet: bool,
    metric: String,
    bar: Option<ProgressBar>,
    total: usize,
    known: usize,
    done: usize,
    resumed: bool,
    best: Option<(f64, usize)>,
    start: Instant,
}

impl SweepProgress {
    /// A display before anything happens.
    pub fn new(quiet: bool, metric: &str) -> SweepProgress {
        SweepProgress {
            quiet,
            metric: metric.to_owned(),
            bar: None,
            total: 0,
            known: 0,
            done: 0,
            resumed: false,
            best: None,
            start: Instant::now(),
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.println(text),
            None => print::say(text),
        }
    }

    fn begin(&mut self, total: usize, jobs: usize) {
        (self.total, self.start) = (total, Instant::now());
        let at_once = if jobs > 1 { format!(", {jobs} at once") } else { String::new() };
        self.say(&format!("searching: {total} evaluations{at_once}"));
        if !self.quiet && std::io::stderr().is_terminal() {
            let style = "{wide_bar} {pos}/{len} {msg} [{elapsed_precise}]";
            let style = ProgressStyle::with_template(style).expect("the template is well formed");
            self.bar = Some(ProgressBar::new(total as u64).with_style(style));
        }
    }

    fn count(&mut self, record: &Record) {
        let number = record.proposal.number;
        if let Some(value) = record.value()
            && self.best.is_none_or(|(best, _)| value > best)
        {
            self.best = Some((value, number));
        }
        if let Some(bar) = &self.bar {
            bar.set_position((self.known + self.done) as u64);
            bar.set_message(format!("{}{}", self.best_so_far(), self.left()));
        }
    }

    fn line(&self, record: &Record) -> String {
        let p = &record.proposal;
        let result = match &record.outcome {
            Ok(m) => format!("{} {:.4}", self.metric, m.value),
            Err(reason) => format!("failed: {reason}"),
        };
        let done = self.known + self.done;
        format!(
            "  {done:>4}/{}  trial {:>3}  {result}{}{}",
            self.total,
            p.number,
            self.best_so_far(),
            self.left()
        )
    }

    fn best_so_far(&self) -> String {
        self.best.map_or(String::new(), |(value, number)| format!("  (best {value:.4} of trial {number})"))
    }

    /// An estimate from what this call has done so far.
    fn left(&self) -> String {
        let remaining = self.total.saturating_sub(self.known + self.done);
        if self.done == 0 || remaining == 0 {
            return String::new();
        }
        let each = self.start.elapsed().as_secs_f64() / self.done as f64;
        format!("  about {} left", span(each * remaining as f64))
    }
}

impl Listener<SearchEvent> for SweepProgress {
    fn event(&mut self, event: &SearchEvent) {
        match event {
            SearchEvent::Started { total, jobs } => self.begin(*total, *jobs),
            SearchEvent::Known(record) => {
                self.known += 1;
                self.count(record);
            }
            SearchEvent::Trying(proposal) => {
                if self.known > 0 && self.done == 0 && !self.resumed {
                    self.resumed = true;
                    self.say(&format!("  {} of them are known from before", self.known));
                }
                // The first trials may take long, and train teachers before: say that something happens.
                if self.bar.is_none() && self.done == 0 {
                    self.say(&format!("  trial {} begins: {}", proposal.number, proposal.point));
                }
            }
            SearchEvent::Done(record) => {
                self.done += 1;
                self.count(record);
                if self.bar.is_none() || record.outcome.is_err() {
                    self.say(&self.line(record));
                }
            }
        }
    }
}

impl Drop for SweepProgress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
