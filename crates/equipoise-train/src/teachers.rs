//! Uni-modal teachers: one run per modality, trained once and used again where it fits.

use crate::config::RunConfig;
use crate::config::layers::Layers;
use crate::error::TrainError;
use crate::run::{Run, short};
use equipoise_data::Dataset;
use std::path::Path;

/// The configuration of a teacher of this run: the same data, network and training but for what
/// `balance.teacher` says, no balancer.
pub fn teacher_config(config: &RunConfig) -> RunConfig {
    let mut teacher = RunConfig { balance: Default::default(), ..config.clone() };
    let own = config.balance.teacher;
    teacher.train.lr = own.lr.unwrap_or(teacher.train.lr);
    teacher.train.reg = own.reg.unwrap_or(teacher.train.reg);
    teacher
}

/// The saved teacher of modality `name` in `dir`, if there is a finished one.
///
/// # Errors
/// [`TrainError::TeacherMismatch`] if it was trained on other data or with another configuration.
pub fn saved(dir: &Path, name: &str, config: &RunConfig, data: &Dataset) -> Result<Option<Run>, TrainError> {
    let path = dir.join(name);
    let unfinished = !path.join("config.toml").exists() || !path.join("metrics.json").exists();
    if unfinished {
        return Ok(None);
    }
    let run = Run::open(&path)?;
    let differences = differences(&run, name, config, data)?;
    if differences.is_empty() {
        return Ok(Some(run));
    }
    Err(TrainError::TeacherMismatch { path, differences })
}

fn differences(run: &Run, name: &str, config: &RunConfig, data: &Dataset) -> Result<Vec<String>, TrainError> {
    let report = run.report()?;
    let mut differences = Vec::new();
    let mut compare = |what: &str, saved: &str, wanted: &str| {
        if saved != wanted {
            differences.push(format!("  {what}: saved {saved}, this run {wanted}"));
        }
    };
    compare("trained as", &report.what, &what(name));
    compare("data fingerprint", short(&report.fingerprint), short(&data.fingerprint()));
    let (saved, wanted) = (identity(&run.config()?), identity(&teacher_config(config)));
    for (key, wanted) in &wanted {
        let saved = saved.iter().find(|(k, _)| k == key).map_or("nothing", |(_, v)| v.as_str());
        compare(key, saved, wanted);
    }
    if report.ending == crate::events::Ending::Interrupted {
        differences.push("  it was interrupted before its training ended".into());
    }
    Ok(differences)
}

/// The keys that decide what a teacher becomes. The data is known by its fingerprint; evaluation changes
/// nothing but the metrics that are written, unless it selects the best model.
fn identity(config: &RunConfig) -> Vec<(String, String)> {
    let text = config.to_toml().expect("a configuration is valid TOML");
    let layers = Layers::new().text(&text, "config").expect("a configuration reads itself");
    let rows = layers.origins().into_iter().map(|(key, value, _)| (key, value));
    let selects = config.train.metric.starts_with("ndcg");
    rows.filter(|(key, _)| {
        key == "seed"
            || (key.starts_with("backbone.") && !config.is_idle(key))
            || (key.starts_with("train.") && key != "train.channels")
            || (selects && key == "eval.ndcg")
    })
    .collect()
}

/// A name for what the teachers of this run become: runs of equal keys can share them.
///
/// # Panics
/// If a path of the configuration is no text.
pub fn key(config: &RunConfig, data: &Dataset) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(data.fingerprint().as_bytes());
    for (key, value) in identity(&teacher_config(config)) {
        hasher.update(format!("\n{key} = {value}").as_bytes());
    }
    short(hasher.finalize().to_hex().as_str()).to_owned()
}

/// How a teacher calls itself.
pub fn what(modality: &str) -> String {
    format!("teacher {modality}")
}
