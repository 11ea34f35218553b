//! Teachers, one run per modality and those of the ids, and the plain model's run: trained once and used again where they fit.

use crate::config::Layers;
use crate::config::RunConfig;
use crate::error::TrainError;
use crate::role::Role;
use crate::run::Run;
use equipoise_balance::Requirement;
use equipoise_data::{Dataset, first_digits, told_apart};
use std::path::Path;

/// The saved teacher of that role in `dir`, if there is a finished one.
///
/// # Errors
/// [`TrainError::TeacherMismatch`] if it was trained on other data or with another configuration.
///
/// # Panics
/// If the role is that of the model itself.
pub fn saved(dir: &Path, role: &Role, config: &RunConfig, data: &Dataset) -> Result<Option<Run>, TrainError> {
    let path = dir.join(role.directory().expect("a teacher has a directory"));
    finished(&path, std::slice::from_ref(role), &config.of_teacher(), data)?
        .map_err(|differences| TrainError::TeacherMismatch { path, differences })
}

/// The saved plain run at `path`, if there is a finished one: one of this run's own making, or any run with
/// `balance.name = "none"`.
///
/// # Errors
/// [`TrainError::PlainMismatch`] if it was trained on other data or with another configuration.
pub fn saved_plain(path: &Path, config: &RunConfig, data: &Dataset) -> Result<Option<Run>, TrainError> {
    finished(path, &[Role::Model, Role::Plain], &config.of_plain(), data)?
        .map_err(|differences| TrainError::PlainMismatch { path: path.to_owned(), differences })
}

/// A finished run at `path`, or how it differs from what is wanted; `None` if there is none.
fn finished(
    path: &Path,
    roles: &[Role],
    wanted: &RunConfig,
    data: &Dataset,
) -> Result<Result<Option<Run>, Vec<String>>, TrainError> {
    let unfinished = !path.join("config.toml").exists() || !path.join("metrics.json").exists();
    if unfinished {
        return Ok(Ok(None));
    }
    let run = Run::open(path)?;
    let differences = differences(&run, roles, wanted, data)?;
    Ok(if differences.is_empty() { Ok(Some(run)) } else { Err(differences) })
}

fn differences(
    run: &Run,
    roles: &[Role],
    wanted: &RunConfig,
    data: &Dataset,
) -> Result<Vec<String>, TrainError> {
    let (report, config) = (run.report()?, run.config()?);
    let mut differences = Vec::new();
    let mut compare = |what: &str, saved: &str, wanted: &str| {
        if saved != wanted {
            differences.push(format!("  {what}: saved {saved}, this run {wanted}"));
        }
    };
    if !roles.contains(&report.role) {
        compare("trained as", &report.role.to_string(), &roles[0].to_string());
    }
    compare("balance.name", &config.balance.name, &wanted.balance.name);
    let fingerprint = data.fingerprint();
    let (found, expected) = told_apart(&report.fingerprint, &fingerprint);
    compare("data fingerprint", found, expected);
    let (saved, wanted) = (identity(&config), identity(wanted));
    for (key, wanted) in &wanted {
        let saved = saved.iter().find(|(k, _)| k == key).map_or("nothing", |(_, v)| v.as_str());
        compare(key, saved, wanted);
    }
    if report.ending == crate::events::Ending::Interrupted {
        differences.push("  it was interrupted before its training ended".into());
    }
    Ok(differences)
}

/// The keys that decide what a model without a balancer becomes. The data is known by its fingerprint; evaluation changes
/// nothing but the metrics that are written, unless it selects the best model.
fn identity(config: &RunConfig) -> Vec<(String, String)> {
    let text = config.deciding().to_toml().expect("a configuration is valid TOML");
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

/// A name for what the teachers of this run become, and the plain model where its balancer reads that too: runs of
/// equal keys can share them.
///
/// # Panics
/// If a path of the configuration is no text.
pub fn key(config: &RunConfig, data: &Dataset) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(data.fingerprint().as_bytes());
    let mut read = vec![config.of_teacher()];
    if matches!(config.balance.requirement(), Requirement::Heads | Requirement::Channels) {
        read.push(config.of_plain());
    }
    for (key, value) in read.iter().flat_map(identity) {
        hasher.update(format!("\n{key} = {value}").as_bytes());
    }
    first_digits(hasher.finalize().to_hex().as_str()).to_owned()
}
