//! The settings of the runs: presets, what the user says, what the searches found.

use super::config::{PipelineConfig, SearchBudget};
use super::error::PipelineError;
use equipoise_balance::{BalancerSettings, Ckd, Unbalanced};
use equipoise_data::FieldError;
use equipoise_train::RunConfig;
use equipoise_train::config::Layers;
use equipoise_train::config::keys;
use std::path::Path;
use toml::Value;

/// Good places to start on data of any size.
const PRESETS: [(&str, f64); 4] =
    [("train.lr", 3e-3), ("train.reg", 1e-2), ("balance.ckd.lambda_g", 1.0), ("balance.ckd.lambda_kd", 0.5)];

/// Settings of a run that this command decides, and by which key.
const DECIDED: [(&str, &str); 8] = [
    ("seed", "the key `seed`"),
    ("backbone.name", "the key `backbone`"),
    ("train.epochs", "the key `epochs`"),
    ("data.path", "where the data comes from"),
    ("balance.name", "that plain and CKD are compared"),
    ("balance.teachers", "the stage of the teachers"),
    ("balance.plain", "the stage of the plain model"),
    ("train.channels", "the report, which shows them"),
];

/// Which of the two models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Without balancing.
    Plain,
    /// Counterfactual knowledge distillation.
    Ckd,
}

impl Method {
    /// Its name in directories.
    pub(super) fn name(self) -> &'static str {
        match self {
            Method::Plain => "plain",
            Method::Ckd => "ckd",
        }
    }

    /// What a budget searches for it.
    pub(super) fn axes(self, budget: SearchBudget) -> &'static [(&'static str, &'static [f64])] {
        match (self, budget) {
            (_, SearchBudget::None) => &[],
            (Method::Plain, SearchBudget::Small) => {
                &[("train.lr", &[3e-3, 1e-3]), ("train.reg", &[1e-2, 1e-3, 1e-1])]
            }
            (Method::Ckd, SearchBudget::Small) => {
                &[("balance.ckd.lambda_g", &[1.0, 0.1]), ("balance.ckd.lambda_kd", &[0.5, 0.1])]
            }
            (Method::Plain, SearchBudget::Full) => {
                &[("train.lr", &[1e-4, 5e-4, 1e-3, 5e-3]), ("train.reg", &[1e-5, 1e-4, 1e-3, 1e-2, 1e-1])]
            }
            (Method::Ckd, SearchBudget::Full) => &[
                ("balance.ckd.lambda_g", &[0.1, 0.5, 1.0, 5.0]),
                ("balance.ckd.lambda_kd", &[1e-3, 1e-2, 1e-1, 0.5]),
            ],
        }
    }
}

/// The layers of a run's configuration, without data, seed and what is searched.
///
/// # Errors
/// An unknown key or a wrong value under `set`, or a setting that this command decides.
pub(super) fn layers(config: &PipelineConfig, method: Method) -> Result<Layers, PipelineError> {
    let mut layers = Layers::new();
    for (key, value) in PRESETS {
        layers = layers.set(key, Value::Float(value), "equipoise run".into())?;
    }
    let epochs = i64::try_from(config.epochs).unwrap_or(i64::MAX);
    layers = layers.set("train.eval_every", Value::Integer(5), "equipoise run".into())?;
    layers = layers.set("backbone.name", Value::String(config.backbone.clone()), "backbone".into())?;
    layers = layers.set("train.epochs", Value::Integer(epochs), "epochs".into())?;
    for (key, value) in given(config) {
        if let Some((_, by)) = DECIDED.iter().find(|(decided, _)| *decided == key) {
            let error =
                FieldError::new(&format!("set.{key}"), value, format!("nothing, as it is decided by {by}"));
            return Err(error.hint("leave it out of set").into());
        }
        layers = layers.set(&key, value, format!("set.{key}"))?;
    }
    let balance = if method == Method::Ckd { Ckd::NAME } else { Unbalanced::NAME };
    Ok(layers.set("balance.name", Value::String(balance.into()), "equipoise run".into())?)
}

/// What the user set, by dotted key.
pub(super) fn given(config: &PipelineConfig) -> Vec<(String, Value)> {
    let mut pairs = Vec::new();
    keys::leaves("", &config.set, &mut |key, value| {
        pairs.push((keys::current(key).to_owned(), value.clone()))
    });
    pairs
}

/// What is searched for a model: the budget's axes without what the user set.
pub(super) fn searched(config: &PipelineConfig, method: Method) -> Vec<(&'static str, &'static [f64])> {
    let given = given(config);
    let free = |key: &str| !given.iter().any(|(set, _)| set == key);
    method.axes(config.budget).iter().copied().filter(|(key, _)| free(key)).collect()
}

/// Settings as a search left them in a file, set over `layers`.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn with_chosen(mut layers: Layers, file: &Path) -> Result<Layers, PipelineError> {
    let text = std::fs::read_to_string(file).map_err(|e| PipelineError::file(file, e))?;
    let chosen: toml::Table = text.parse().map_err(|e: toml::de::Error| PipelineError::file(file, e))?;
    for (key, value) in chosen {
        layers = layers.set(&key, value, file.display().to_string())?;
    }
    Ok(layers)
}

/// What decides a model, as text: of the plain one nothing about balancing; no places.
///
/// # Errors
/// As [`layers`], and if a value is out of range.
pub(super) fn deciding(config: &PipelineConfig, method: Method) -> Result<serde_json::Value, PipelineError> {
    let mut run = layers(config, method)?.resolve()?.into_inner();
    if method == Method::Plain {
        run = RunConfig { balance: Default::default(), ..run };
    }
    let text = run.deciding().to_toml();
    let text = text.map_err(|e| FieldError::new("set", e, "settings that can be written as TOML"))?;
    Ok(serde_json::Value::String(text))
}

/// The teachers' settings: those of the plain model, and what `balance.teacher` says.
///
/// # Errors
/// As [`deciding`].
pub(super) fn deciding_teachers(config: &PipelineConfig) -> Result<serde_json::Value, PipelineError> {
    let teacher = layers(config, Method::Ckd)?.resolve()?.into_inner().balance.teacher;
    Ok(serde_json::json!([deciding(config, Method::Plain)?, teacher]))
}
