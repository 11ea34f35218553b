//! The teachers of one seed: one model for each modality and two of ids, with the plain model's settings.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::settings::{self, Method};
use super::super::stage::{Context, Stage};
use super::layout;
use super::prepared::prepared;
use equipoise_train::{Job, TrainError};
use serde_json::json;
use std::path::PathBuf;

/// Trains them, for the search of CKD's settings and for its run.
pub(super) struct Teachers {
    pub(super) seed: u64,
}

impl Stage for Teachers {
    fn name(&self) -> String {
        layout::teachers(self.seed)
    }

    fn title(&self) -> String {
        format!("teachers, seed {}", self.seed)
    }

    fn settings(&self, config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        Ok(json!({ "run": settings::deciding_teachers(config)?, "seed": self.seed }))
    }

    fn files(&self, _config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        Vec::new()
    }

    fn before(&self) -> Vec<String> {
        vec![layout::DATA.into(), layout::tune(Method::Plain), layout::train(Method::Plain, self.seed)]
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let (config, loaded) = prepared(context.config, Method::Ckd, self.seed, false)?;
        let (out, stop) = (context.dir.clone(), context.stop);
        let job = Job { config: &config, loaded: &loaded, out: &out, overwrite: true, from_scratch: false };
        match job.prepare(&mut context.training(), stop) {
            Err(TrainError::Interrupted(_)) => Err(PipelineError::Stopped(self.title())),
            done => Ok(done?),
        }
    }
}
