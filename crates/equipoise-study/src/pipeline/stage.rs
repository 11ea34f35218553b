//! What all stages have in common.

use super::config::PipelineConfig;
use super::error::PipelineError;
use crate::sweep::SweepEvent;
use equipoise_train::StopFlag;
use equipoise_train::events::{Event, Listener};
use std::path::{Path, PathBuf};

/// Who wants to know how it goes. A [`Listener`] hears of trainings.
pub trait Watch: Listener<Event> {
    /// Something in a sentence.
    fn say(&mut self, text: &str);

    /// Something happened in a search.
    fn searching(&mut self, metric: &str, event: &SweepEvent);

    /// A stage was done in so many seconds.
    fn done(&mut self, stage: usize, total: usize, seconds: f64);

    /// So many of `total` items are encoded.
    fn encoding(&mut self, done: usize, total: usize);
}

/// Where a stage works, and whom it tells.
pub(super) struct Context<'a> {
    pub(super) config: &'a PipelineConfig,
    /// The stage's own directory.
    pub(super) dir: PathBuf,
    pub(super) watch: &'a mut dyn Watch,
    pub(super) stop: &'a StopFlag,
}

impl Context<'_> {
    /// A place among the results of all stages.
    pub(super) fn place(&self, path: impl AsRef<Path>) -> PathBuf {
        self.config.out.join(path)
    }
}

/// One step from raw files to the report. Equal settings, files and stages before must give equal results, also
/// after it was broken off and run again.
pub(super) trait Stage {
    /// Its name, which is its directory too: `import`, `plain/seed42`.
    fn name(&self) -> String;

    /// What it does, for people.
    fn title(&self) -> String;

    /// Everything that decides what comes out, beside files and the stages before.
    ///
    /// # Errors
    /// If a setting cannot be used.
    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError>;

    /// Raw files and folders that it reads, by what they are: known by their contents, wherever they lie.
    fn files(&self, config: &PipelineConfig) -> Vec<(String, PathBuf)>;

    /// Names of the stages whose results it reads.
    fn before(&self) -> Vec<String>;

    /// Does it. The directory is there, and empty unless an earlier attempt at the same was broken off.
    ///
    /// # Errors
    /// See [`PipelineError`].
    fn run(&self, context: &mut Context) -> Result<(), PipelineError>;
}
