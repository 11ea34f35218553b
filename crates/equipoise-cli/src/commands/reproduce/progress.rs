//! How far all runs together are, on stderr.

use crate::print;
use crate::progress::span;
use equipoise_study::reproduce::{Failure, Step, Watcher};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::num::NonZero;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts runs and says how long the rest will take.
pub struct Overview {
    quiet: bool,
    jobs: NonZero<usize>,
    bar: Option<ProgressBar>,
    counts: Mutex<Counts>,
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
        Overview { quiet, jobs, bar, counts: Mutex::default() }
    }

    /// Runs that failed, now or before.
    pub fn failed(&self) -> usize {
        self.counts().failed
    }

    /// Clears the bar and says what was there already.
    pub fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let reused = self.counts().reused;
        if reused > 0 {
            self.say(&format!("{reused} runs were there already"));
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, text: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.println(text),
            None => print::say(text),
        }
    }

    fn ended(&self, name: &str, time: Duration, failure: Option<&Failure>) {
        let (place, left) = {
            let mut counts = self.counts();
            counts.done += 1;
            counts.trained += 1;
            counts.spent += time;
            counts.failed += usize::from(matches!(failure, Some(Failure::Failed(_))));
            (format!("[{}/{}]", counts.done, counts.planned.max(counts.done)), counts.left(self.jobs))
        };
        let how = failure.map_or_else(|| span(time.as_secs_f64()), |f| format!("failed: {f}"));
        self.say(&format!("{place} {name}: {how}, about {} left", span(left)));
        self.draw(left);
    }

    fn draw(&self, left: f64) {
        if let Some(bar) = &self.bar {
            let counts = self.counts();
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

impl Watcher for Overview {
    fn step(&self, step: &Step) {
        match step {
            Step::Planned(n) => {
                self.counts().planned = *n;
                self.say(&format!("about {n} runs"));
            }
            Step::Started(_) => {}
            Step::Reused(_, failed) => {
                let mut counts = self.counts();
                (counts.done, counts.reused) = (counts.done + 1, counts.reused + 1);
                counts.failed += usize::from(*failed);
            }
            Step::Ended(task, time, outcome) => self.ended(&task.name, *time, outcome.as_ref().err()),
        }
    }
}
