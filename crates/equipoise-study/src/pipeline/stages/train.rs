//! One model of one seed: trained, then measured on test once.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::settings::{self, Method};
use super::super::stage::{Context, Stage};
use super::layout;
use super::prepared::prepared;
use equipoise_train::Job;
use equipoise_train::events::Ending;
use serde_json::json;
use std::path::PathBuf;

/// Trains the plain model or CKD.
pub(super) struct Train {
    pub(super) method: Method,
    pub(super) seed: u64,
}

impl Stage for Train {
    fn name(&self) -> String {
        layout::train(self.method, self.seed)
    }

    fn title(&self) -> String {
        let what = if self.method == Method::Plain { "plain model" } else { "CKD" };
        format!("{what}, seed {}", self.seed)
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        Ok(json!({ "run": settings::deciding(config, self.method)?, "seed": self.seed }))
    }

    fn files(&self, _config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        Vec::new()
    }

    fn before(&self) -> Vec<String> {
        let plain = vec![layout::DATA.to_owned(), layout::tune(Method::Plain)];
        match self.method {
            Method::Plain => plain,
            Method::Ckd => [plain, vec![layout::tune(Method::Ckd), layout::teachers(self.seed)]].concat(),
        }
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let (config, loaded) = prepared(context.config, self.method, self.seed, true)?;
        let (out, stop) = (context.dir.clone(), context.stop);
        let job = Job { config: &config, loaded: &loaded, out: &out, overwrite: true, from_scratch: false };
        let outcome = job.take_up(&mut context.training(), stop)?;
        match outcome.report.ending {
            Ending::Interrupted => Err(PipelineError::Stopped(self.title())),
            _ => Ok(()),
        }
    }
}
