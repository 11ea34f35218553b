//! What all stages have in common.

use super::config::PipelineConfig;
use super::error::PipelineError;
use super::event::PipelineEvent;
use equipoise_jobs::{Listener, StopFlag};
use equipoise_train::Event;
use std::path::{Path, PathBuf};

/// Where a stage works, and whom it tells.
pub(super) struct Context<'a> {
    pub(super) config: &'a PipelineConfig,
    /// The stage's own directory.
    pub(super) dir: PathBuf,
    pub(super) listener: &'a mut dyn Listener<PipelineEvent>,
    pub(super) stop: &'a StopFlag,
}

impl Context<'_> {
    /// A place among the results of all stages.
    pub(super) fn place(&self, path: impl AsRef<Path>) -> PathBuf {
        self.config.out.join(path)
    }

    /// Says something in a sentence.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.listener.event(&PipelineEvent::Note(text.into()));
    }

    /// A listener for a training of this stage.
    pub(super) fn training(&mut self) -> impl Listener<Event> + '_ {
        |event: &Event| self.listener.event(&PipelineEvent::Training(event.clone()))
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
