//! The better of the two models as one that can be served: weights of modalities and how strangers are folded in, both chosen on
//! validation.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::settings::Method;
use super::super::stage::{Context, Stage};
use super::layout;
use equipoise_data::ITEM_INFOS;
use equipoise_recommend::{SERVING, ServingOptions, ServingSettings, prepare_held};
use equipoise_train::Run;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Calibrates one of the models of one seed.
pub(super) struct Served {
    pub(super) seed: u64,
}

/// Raised when a served model comes to be made in another way.
const WAY: u32 = 1;

impl Stage for Served {
    fn name(&self) -> String {
        layout::SERVED.into()
    }

    fn title(&self) -> String {
        "model to be served, calibrated on validation".into()
    }

    fn settings(&self, _config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
        Ok(json!({ "seed": self.seed, "way": WAY }))
    }

    fn files(&self, _config: &PipelineConfig) -> Vec<(String, PathBuf)> {
        Vec::new()
    }

    fn before(&self) -> Vec<String> {
        [Method::Plain, Method::Ckd].map(|method| layout::train(method, self.seed)).to_vec()
    }

    fn run(&self, context: &mut Context) -> Result<(), PipelineError> {
        let open = |method| Run::open(&context.place(layout::train(method, self.seed)));
        let (plain, ckd) = (open(Method::Plain)?, open(Method::Ckd)?);
        let (method, run) =
            if value(&ckd)? > value(&plain)? { (Method::Ckd, ckd) } else { (Method::Plain, plain) };
        for name in ["tables.safetensors", "vocabulary.json", ITEM_INFOS] {
            let from = run.dir().join(name);
            if from.is_file() {
                bring(&from, &context.dir.join(name))?;
            }
        }
        let name = Some(format!("{}-seed{}", method.name(), self.seed));
        ServingSettings { name, ..ServingSettings::default() }.write(&context.dir.join(SERVING))?;
        let model = prepare_held(&context.dir, None, ServingOptions::default())?;
        let settings = model.settings();
        context.note(format!("  kept: {}, the better of plain and CKD on validation", model.name().name));
        if let Some(found) = &settings.calibration {
            let weights: Vec<String> = found.weights.iter().map(|(m, w)| format!("{m} {w}")).collect();
            let (metric, whole, calibrated) = (&found.metric, found.whole, found.calibrated);
            context.note(format!(
                "  weights: {}; {metric} on validation {whole:.4} without them, {calibrated:.4} with them",
                weights.join(", ")
            ));
        }
        if let Some(choice) = &settings.fold_in {
            context.note(format!(
                "  strangers: recall@20 {:.4} of {} users folded in, {:.4} with their trained rows",
                choice.recall, choice.users, choice.trained_recall
            ));
        }
        Ok(())
    }
}

/// What the model was selected by.
fn value(run: &Run) -> Result<f64, PipelineError> {
    let (config, report) = (run.config()?, run.report()?);
    Ok(report.validation.get(&config.train.metric).copied().unwrap_or(f64::NEG_INFINITY))
}

/// The file in another place: a link, or a copy where there are none.
fn bring(from: &Path, to: &Path) -> Result<(), PipelineError> {
    let fault = |e: std::io::Error| PipelineError::file(to, e);
    if to.exists() {
        std::fs::remove_file(to).map_err(fault)?;
    }
    match std::fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(_) => std::fs::copy(from, to).map(drop).map_err(fault),
    }
}
