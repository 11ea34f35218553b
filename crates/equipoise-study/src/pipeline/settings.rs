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
fn presets() -> [(&'static str, Value); 5] {
    [
        ("train.lr", Value::Float(3e-3)),
        ("train.reg", Value::Float(1e-2)),
        ("balance.ckd.lambda_g", Value::Float(5.0)),
        ("balance.ckd.lambda_kd", Value::Float(0.5)),
        ("balance.ckd.weights", Value::String("robust".into())),
    ]
}

/// A setting and the values that are tried.
pub(super) type Axis = (&'static str, Vec<Value>);

fn numbers(key: &'static str, values: &[f64]) -> Axis {
    (key, values.iter().map(|&value| Value::Float(value)).collect())
}

fn names(key: &'static str, values: &[&str]) -> Axis {
    (key, values.iter().map(|&value| Value::String(value.into())).collect())
}

/// Fewest and most triples of a step.
const BATCHES: [usize; 2] = [1024, 16_384];
/// Steps of an epoch, about, between those.
const STEPS: usize = 16;

/// Triples of a step, by the number of train interactions: steps are the fewer the more they hold, and large ones use processors
/// better. A power of two.
pub(super) fn batch_size(interactions: usize) -> usize {
    (interactions / STEPS).next_power_of_two().clamp(BATCHES[0], BATCHES[1])
}

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

    /// What a budget searches for it. Without distillation, `lambda_kd = 0`, CKD is the plain model: first, so that it wins
    /// where nothing is better.
    pub(super) fn axes(self, budget: SearchBudget) -> Vec<Axis> {
        let scales = || names("data.scale", &["none", "l2"]);
        // A penalty that suits ids silences content in some data.
        let content = || numbers("train.reg_content", &[1.0, 0.1]);
        let weights = || names("balance.ckd.weights", &["robust", "paper"]);
        match (self, budget) {
            (_, SearchBudget::None) => Vec::new(),
            (Method::Plain, SearchBudget::Small) => {
                let [rates, penalties] =
                    [numbers("train.lr", &[3e-3, 1e-3]), numbers("train.reg", &[1e-2, 1e-3, 1e-1])];
                vec![scales(), rates, penalties, content()]
            }
            (Method::Ckd, SearchBudget::Small) => {
                vec![numbers("balance.ckd.lambda_kd", &[0.0, 0.5, 0.1]), weights()]
            }
            (Method::Plain, SearchBudget::Full) => vec![
                scales(),
                numbers("train.lr", &[1e-4, 5e-4, 1e-3, 5e-3]),
                numbers("train.reg", &[1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
                content(),
            ],
            (Method::Ckd, SearchBudget::Full) => vec![
                numbers("balance.ckd.lambda_g", &[0.5, 1.0, 5.0]),
                numbers("balance.ckd.lambda_kd", &[0.0, 1e-2, 1e-1, 0.5]),
                weights(),
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
    for (key, value) in presets() {
        layers = layers.set(key, value, "equipoise run".into())?;
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
pub(super) fn searched(config: &PipelineConfig, method: Method) -> Vec<Axis> {
    method.axes(config.budget).into_iter().filter(|(key, _)| is_free(config, key)).collect()
}

/// Whether the search compares scales of the features: then there is no scale to advise.
pub(super) fn compares_scales(config: &PipelineConfig) -> bool {
    searched(config, Method::Plain).iter().any(|(key, _)| *key == "data.scale")
}

/// Whether the user left a setting to this command.
pub(super) fn is_free(config: &PipelineConfig, key: &str) -> bool {
    !given(config).iter().any(|(set, _)| set == key)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_more_where_there_is_more() {
        let sizes = [0, 9_000, 16_384, 60_000, 120_000, 250_000, 10_000_000].map(batch_size);
        assert_eq!(sizes, [1024, 1024, 1024, 4096, 8192, 16_384, 16_384]);
    }

    #[test]
    fn every_search_has_the_plain_model_in_it_and_no_setting_that_is_given() {
        let mut config = PipelineConfig::default();
        for budget in [SearchBudget::Small, SearchBudget::Full] {
            config.budget = budget;
            let axes = searched(&config, Method::Ckd);
            let strengths = axes.iter().find(|(key, _)| *key == "balance.ckd.lambda_kd").expect("searched");
            assert_eq!(strengths.1[0], Value::Float(0.0));
        }
        config.set = "\"data.scale\" = \"l2\"\n[balance.ckd]\nlambda_kd = 0.5".parse().unwrap();
        let keys = |method| searched(&config, method).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(Method::Plain), ["train.lr", "train.reg", "train.reg_content"]);
        assert_eq!(keys(Method::Ckd), ["balance.ckd.lambda_g", "balance.ckd.weights"]);
    }
}
