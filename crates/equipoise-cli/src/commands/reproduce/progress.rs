//! How far all runs together are, on stderr.

use crate::print;
use crate::progress::span;
use equipoise_jobs::{Fault, Listener};
use equipoise_study::jobs::JobEvent;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::num::NonZero;
use std::time::Duration;

/// Counts runs and says how long the rest will take.
pub struct Overview {
    quiet: bool,
    jobs: NonZero<usize>,
    bar: Option<ProgressBar>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    planned: usize,
    done: usize,
    failed: usize,
    reused: usize,
    trained: usize,
    spent: Duration,
}

impl Overview {
    /// Nothing done yet.
    pub fn new(quiet: bool, jobs: NonZero<usize>) -> Overview {
        let terminal = !quiet && std::io::stderr().is_terminal();
        let style = "{wide_bar} {pos} of about {len} runs {msg} [{elapsed_precise}]";
        let style = ProgressStyle::with_template(style).expect("the template is well formed");
        let bar = terminal.then(|| ProgressBar::new(0).with_style(style));
        Overview { quiet, jobs, bar, counts: Counts::default() }
    }

    /// Runs that failed, now or before.
    pub fn failed(&self) -> usize {
        self.counts.failed
    }

    /// Clears the bar and says what was there already.
    pub fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let reused = self.counts.reused;
        if reused > 0 {
            self.say(&format!("{reused} runs were there already"));
        }
    }

    /// A line among those of the runs.
    pub fn say(&self, text: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.println(text),
            None => print::say(text),
        }
    }

    fn ended(&mut self, name: &str, time: Duration, fault: Option<&Fault>) {
        let counts = &mut self.counts;
        counts.done += 1;
        counts.trained += 1;
        counts.spent += time;
        counts.failed += usize::from(fault.is_some_and(|fault| *fault != Fault::Interrupted));
        let place = format!("[{}/{}]", counts.done, counts.planned.max(counts.done));
        let left = counts.left(self.jobs);
        let how = fault.map_or_else(|| span(time.as_secs_f64()), |f| format!("failed: {f}"));
        self.say(&format!("{place} {name}: {how}, about {} left", span(left)));
        self.draw(left);
    }

    fn draw(&self, left: f64) {
        if let Some(bar) = &self.bar {
            let counts = &self.counts;
            bar.set_length(counts.planned.max(counts.done) as u64);
            bar.set_position(counts.done as u64);
            bar.set_message(format!("about {} left", span(left)));
        }
    }
}

impl Counts {
    /// Seconds left: as many runs as are to come, each as long as those so far, `jobs` at a time.
    fn left(&self, jobs: NonZero<usize>) -> f64 {
        let each = self.spent.as_secs_f64() / self.trained.max(1) as f64;
        each * self.planned.saturating_sub(self.done) as f64 / jobs.get() as f64
    }
}

impl Listener<JobEvent> for Overview {
    fn event(&mut self, event: &JobEvent) {
        match event {
            JobEvent::Planned(n) => {
                self.counts.planned = *n;
                self.say(&format!("about {n} runs"));
            }
            JobEvent::Started { .. } => {}
            JobEvent::Reused { failed, .. } => {
                self.counts.done += 1;
                self.counts.reused += 1;
                self.counts.failed += usize::from(*failed);
            }
            JobEvent::Ended { name, time, fault } => self.ended(name, *time, fault.as_ref()),
        }
    }
}
