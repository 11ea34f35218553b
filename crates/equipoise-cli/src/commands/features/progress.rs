//! How far an encoding has come: a bar on a terminal, plain lines otherwise, nothing when quiet.

use crate::print;
use crate::progress::span;
use equipoise_encode::EncodeProgress;
use equipoise_jobs::Listener;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Time between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows what happens.
pub struct Shown {
    quiet: bool,
    bar: Option<ProgressBar>,
    start: Instant,
    /// When the last line was written.
    said: Option<Instant>,
}

impl Shown {
    /// A display before anything happens.
    pub fn new(quiet: bool) -> Shown {
        Shown { quiet, bar: None, start: Instant::now(), said: None }
    }

    fn bar(&mut self, progress: &EncodeProgress) {
        let style = "{wide_bar} {pos}/{len} {msg} [{elapsed_precise}, {eta_precise} left]";
        let rate = self.rate(progress);
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(style).expect("the template is well formed");
            ProgressBar::new(progress.total as u64).with_style(style)
        });
        bar.set_position(progress.done as u64);
        bar.set_message(format!("{rate:.0} items/s"));
        if progress.done == progress.total {
            bar.finish_and_clear();
        }
    }

    /// Items per second of this run.
    fn rate(&self, progress: &EncodeProgress) -> f64 {
        (progress.done - progress.before) as f64 / self.start.elapsed().as_secs_f64().max(1e-9)
    }

    fn line(&self, progress: &EncodeProgress) -> String {
        let EncodeProgress { done, total, before } = *progress;
        if done == before {
            return format!("  {done} of {total} items");
        }
        let rate = self.rate(progress);
        format!("  {done} of {total} items, {rate:.0} items/s, {} left", span((total - done) as f64 / rate))
    }
}

impl Listener<EncodeProgress> for Shown {
    fn event(&mut self, progress: &EncodeProgress) {
        if self.quiet {
            return;
        }
        let first = progress.done == progress.before;
        if first && progress.before > 0 {
            print::say(&format!("continued: {} of {} items were done", progress.before, progress.total));
        }
        if std::io::stderr().is_terminal() {
            self.bar(progress);
        } else if progress.done == progress.total || self.said.is_none_or(|said| said.elapsed() >= PAUSE) {
            self.said = Some(Instant::now());
            print::say(&self.line(progress));
        }
    }
}
