//! The better of the two models as one that can be served: weights of modalities and how strangers are folded in, both chosen on
//! validation.

use super::super::config::PipelineConfig;
use super::super::error::PipelineError;
use super::super::settings::Method;
use super::super::stage::{Context, Stage};
use super::layout;
use equipoise_data::{ITEM_INFOS, write_atomic};
use equipoise_recommend::{
    Calibration, SERVING, ServedModel, ServingOptions, ServingSettings, calibrated, prepare_calibrated,
};
use equipoise_train::Run;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Calibrates one of the models of one seed.
pub(super) struct Served {
    pub(super) seed: u64,
}

/// Raised when a served model comes to be made in another way.
const WAY: u32 = 2;
/// The calibrations of both models.
const CONSIDERED: &str = "considered.json";

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
        let of = |method| candidate(method, Run::open(&context.place(layout::train(method, self.seed)))?);
        let considered = [of(Method::Plain)?, of(Method::Ckd)?];
        write_considered(&context.dir.join(CONSIDERED), &considered)?;
        let [plain, ckd] = considered;
        let kept = if ckd.value > plain.value { ckd } else { plain };
        for name in ["tables.safetensors", "vocabulary.json", ITEM_INFOS] {
            let from = kept.run.dir().join(name);
            if from.is_file() {
                bring(&from, &context.dir.join(name))?;
            }
        }
        let name = Some(format!("{}-seed{}", kept.method.name(), self.seed));
        ServingSettings { name, ..ServingSettings::default() }.write(&context.dir.join(SERVING))?;
        let model = prepare_calibrated(&context.dir, kept.calibration)?;
        notes(&model).into_iter().for_each(|note| context.note(note));
        Ok(())
    }
}

/// What was kept, its weights and how strangers are folded in, a line each.
fn notes(model: &ServedModel) -> Vec<String> {
    let (name, settings) = (&model.name().name, model.settings());
    let kept = format!("  kept: {name}, the better of plain and CKD on validation, each with its weights");
    let weights = settings.calibration.as_ref().map(|found| {
        let weights: Vec<String> = found.weights.iter().map(|(m, w)| format!("{m} {w}")).collect();
        let (metric, whole, calibrated) = (&found.metric, found.whole, found.calibrated);
        format!(
            "  weights: {}; {metric} on validation {whole:.4} without them, {calibrated:.4} with them",
            weights.join(", ")
        )
    });
    let strangers = settings.fold_in.as_ref().map(|choice| {
        format!(
            "  strangers: recall@20 {:.4} of {} users folded in, {:.4} with their trained rows",
            choice.recall, choice.users, choice.trained_recall
        )
    });
    [Some(kept), weights, strangers].into_iter().flatten().collect()
}

/// A model that may be served.
struct Candidate {
    method: Method,
    run: Run,
    calibration: Option<Calibration>,
    /// By what the better one is kept: recall on validation with the weights that validation chose; without modalities, what the
    /// model was selected by.
    value: f64,
}

fn candidate(method: Method, run: Run) -> Result<Candidate, PipelineError> {
    let calibration = calibrated(&ServedModel::open(run.dir())?, ServingOptions::default().k)?;
    let value = match &calibration {
        Some(found) => found.calibrated,
        None => {
            let (config, report) = (run.config()?, run.report()?);
            report.validation.get(&config.train.metric).copied().unwrap_or(f64::NEG_INFINITY)
        }
    };
    Ok(Candidate { method, run, calibration, value })
}

/// The calibration of each model that may be served, by method.
pub(in super::super) fn considered(served: &Path) -> Result<BTreeMap<String, Calibration>, PipelineError> {
    let path = served.join(CONSIDERED);
    let text = std::fs::read_to_string(&path).map_err(|e| PipelineError::file(&path, e))?;
    serde_json::from_str(&text).map_err(|e| PipelineError::file(&path, e))
}

fn write_considered(path: &Path, all: &[Candidate]) -> Result<(), PipelineError> {
    let named = all.iter().filter_map(|c| Some((c.method.name(), c.calibration.as_ref()?)));
    let text = serde_json::to_string_pretty(&named.collect::<BTreeMap<_, _>>());
    let text = text.expect("texts and numbers are JSON");
    write_atomic(path, |file| file.write_all(text.as_bytes())).map_err(|e| PipelineError::file(path, e))
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
