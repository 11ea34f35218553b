//! One model of one seed: trained, then measured on test once.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::settings::{self, Method};
use super::super::stage::{Context, Stage};
use super::{data, data_set, teachers, tune};
use equipoise_data::Loaded;
use equipoise_train::events::Ending;
use equipoise_train::{Job, RunConfig, teachers as saved};
use serde_json::json;
use std::path::PathBuf;

/// Trains the plain model or CKD.
pub(super) struct Train {
    pub(super) method: Method,
    pub(super) seed: u64,
}

/// The stage of a method and a seed.
pub(super) fn name(method: Method, seed: u64) -> String {
    format!("{}/seed{seed}", method.name())
}

/// The data set, and the configuration of a run with all that was chosen.
pub(super) fn prepared(
    config: &PipelineConfig,
    method: Method,
    seed: u64,
    with_own: bool,
) -> Result<(RunConfig, Loaded), PipelineError> {
    let mut layers =
        settings::with_chosen(settings::layers(config, method)?, &tune::chosen(config, Method::Plain))?;
    if method == Method::Ckd && with_own {
        layers = settings::with_chosen(layers, &tune::chosen(config, Method::Ckd))?;
    }
    let mut run = RunConfig { seed, ..layers.resolve()? };
    run.data.path = data_set(config);
    let loaded = run.data.load()?;
    if method == Method::Ckd {
        run.balance.teachers = Some(teachers::place(config, seed).join(saved::key(&run, &loaded.data)));
    }
    Ok((run, loaded))
}

impl Stage for Train {
    fn name(&self) -> String {
        name(self.method, self.seed)
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
        let plain = vec![data::NAME.to_owned(), tune::name(Method::Plain)];
        match self.method {
            Method::Plain => plain,
            Method::Ckd => [plain, vec![tune::name(Method::Ckd), teachers::name(self.seed)]].concat(),
        }
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let (config, loaded) = prepared(context.config, self.method, self.seed, true)?;
        let job = Job { config: &config, loaded: &loaded, out: &context.dir, overwrite: true };
        let outcome = job.execute(context.watch, context.stop)?;
        match outcome.report.ending {
            Ending::Interrupted => Err(PipelineError::Stopped(self.title())),
            _ => Ok(()),
        }
    }
}
