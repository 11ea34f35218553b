//! Progress of a pipeline: its stages, and what goes on in each.

use super::{Progress, SweepProgress, span};
use crate::print;
use equipoise_encode::EncodeProgress;
use equipoise_jobs::Listener;
use equipoise_study::pipeline::PipelineEvent;
use equipoise_study::search::SearchEvent;
use indicatif::ProgressBar;
use std::io::IsTerminal;
use std::time::Instant;

/// Shows which stage of how many is under way, and how far.
pub struct PipelineProgress {
    quiet: bool,
    training: Progress,
    search: Option<SweepProgress>,
    bar: Option<ProgressBar>,
    /// When the last line about encoding was written.
    told: Option<Instant>,
}

/// Seconds between lines about encoding, where there is no terminal.
const PAUSE: u64 = 10;

impl PipelineProgress {
    /// A display before anything happens.
    pub fn new(quiet: bool) -> PipelineProgress {
        PipelineProgress { quiet, training: Progress::new(quiet), search: None, bar: None, told: None }
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            print::say(text);
        }
    }

    fn done(&mut self, stage: usize, total: usize, seconds: f64) {
        (self.search, self.told) = (None, None);
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.say(&format!("[{stage}/{total}] done, {}", span(seconds)));
    }

    fn searching(&mut self, metric: &str, event: &SearchEvent) {
        if matches!(event, SearchEvent::Started { .. }) {
            self.search = Some(SweepProgress::new(self.quiet, metric));
        }
        if let Some(search) = &mut self.search {
            search.event(event);
        }
    }

    fn encoding(&mut self, progress: &EncodeProgress) {
        if self.quiet {
            return;
        }
        let EncodeProgress { done, total, .. } = *progress;
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| ProgressBar::new(total as u64));
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        } else if self.told.is_none_or(|told| told.elapsed().as_secs() >= PAUSE) {
            self.told = Some(Instant::now());
            print::say(&format!("  {done} of {total} items encoded"));
        }
    }
}

impl Listener<PipelineEvent> for PipelineProgress {
    fn event(&mut self, event: &PipelineEvent) {
        match event {
            PipelineEvent::Note(text) => self.say(text),
            PipelineEvent::Training(event) => self.training.event(event),
            PipelineEvent::Encoding(progress) => self.encoding(progress),
            PipelineEvent::Searching { metric, event } => self.searching(metric, event),
            PipelineEvent::Done { stage, total, seconds } => self.done(*stage, *total, *seconds),
        }
    }
}
