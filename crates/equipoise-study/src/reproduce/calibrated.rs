//! What weights of the modalities that are chosen after training make of each model: the cheapest rival of every balancer, for it
//! trains nothing.
//!
//! ```text
//! score_w(u, i) = y(u, i) + sum over modalities m of (w_m - 1) * (y(u, i) - y without m (u, i))
//! ```
//!
//! The weights are [chosen on validation](equipoise_recommend::calibrate), for every method alike, and the model with them is measured
//! on test once. A run's directory keeps what was found in `calibrated.json`, bound to the metrics of the run by their hash.

use super::plan::ReproductionPlan;
use super::reproduction::SettledCell;
use equipoise_data::Loaded;
use equipoise_jobs::{Key, StopFlag};
use equipoise_recommend::{RecommendError, ServedModel, calibrated};
use equipoise_train::evaluation::Selection;
use equipoise_train::{DataConfig, Run, TrainError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The file in a run's directory.
const FILE: &str = "calibrated.json";
/// Raised when weights come to be chosen or measured in another way.
const WAY: &str = "equipoise calibrated run 2";

/// A model with weights that validation chose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibratedRun {
    /// Hash of the metrics of the run that was calibrated.
    of: String,
    /// The metric, such as `recall@20`.
    pub metric: String,
    /// Its value on test with the weights.
    pub value: f64,
    /// The weights.
    pub weights: BTreeMap<String, f64>,
}

/// A run that is to be calibrated.
struct Wanted {
    run: Run,
    data: PathBuf,
}

/// Calibrates the model of every seed that is not calibrated yet, if the table asks for it; `said` is told what is done. Stops
/// between two models when `stop` is raised.
///
/// # Errors
/// If data or a run cannot be read, or the file cannot be written.
pub fn calibrate_runs(
    plan: &ReproductionPlan,
    settled: &[SettledCell],
    stop: &StopFlag,
    said: &mut dyn FnMut(String),
) -> Result<(), RecommendError> {
    let metric = &plan.table.metrics[0];
    let wanted = if plan.table.calibrated { wanted(plan, settled, metric)? } else { Vec::new() };
    let mut held: Option<(DataConfig, Loaded)> = None;
    for (done, Wanted { run, data }) in wanted.iter().enumerate().take_while(|_| !stop.is_raised()) {
        let config = DataConfig { path: data.clone(), ..run.config()?.into_inner().data };
        if held.as_ref().is_none_or(|(known, _)| *known != config) {
            let loaded = config.load().map_err(TrainError::from)?;
            held = Some((config, loaded));
        }
        let (_, loaded) = held.as_ref().expect("it has just been loaded");
        if let Some(found) = found(run, loaded, metric)? {
            write(run, &found)?;
        }
        said(format!("[{}/{}] weights of {}", done + 1, wanted.len(), run.dir().display()));
    }
    Ok(())
}

/// The finished models that have weights to choose and none chosen yet.
fn wanted(
    plan: &ReproductionPlan,
    settled: &[SettledCell],
    metric: &str,
) -> Result<Vec<Wanted>, RecommendError> {
    let mut list = Vec::new();
    for cell in settled {
        let data = plan.data.iter().find(|d| d.name == cell.cell.dataset);
        let data = data.expect("cells are made from the data").path.clone();
        for dir in cell.seeds.iter().filter_map(|(_, files)| files.as_ref().ok()?.run.clone()) {
            let run = Run::open(&dir)?;
            let shows = run.config()?.backbone.check().map_err(TrainError::from)?.ablation_effect.shows();
            if shows && run.tables_path().is_file() && read(&run, metric).is_none() {
                list.push(Wanted { run, data: data.clone() });
            }
        }
    }
    Ok(list)
}

/// What weights make of a run's model; `None` if there are none to choose.
fn found(run: &Run, loaded: &Loaded, metric: &str) -> Result<Option<CalibratedRun>, RecommendError> {
    let (config, model) = (run.config()?, ServedModel::open(run.dir())?);
    let selection = Selection::parse(metric).map_err(TrainError::from)?.with(&config.eval);
    let Some(found) = calibrated(&model, selection.config().ks[0])? else { return Ok(None) };
    let weights = found.weights.clone();
    let data = &loaded.data;
    let excluded = config.eval.excluded_at_test(&data.train, &data.validation);
    let weighted = model.with_calibration(found)?;
    let measured = weighted.evaluate(loaded.test.open(), &excluded, selection.config())?;
    let value = measured.metrics.get(metric).copied().unwrap_or(f64::NAN);
    Ok(Some(CalibratedRun { of: hash(run)?, metric: metric.to_owned(), value, weights }))
}

/// What was found for a run, if it is of the metrics that the run has now, and of this one.
pub fn read(run: &Run, metric: &str) -> Option<CalibratedRun> {
    let text = std::fs::read_to_string(run.dir().join(FILE)).ok()?;
    let found: CalibratedRun = serde_json::from_str(&text).ok()?;
    (found.metric == metric && hash(run).ok()? == found.of).then_some(found)
}

fn write(run: &Run, found: &CalibratedRun) -> Result<(), RecommendError> {
    let path = run.dir().join(FILE);
    let written = equipoise_data::write_atomic(&path, |file| Ok(serde_json::to_writer_pretty(file, found)?));
    written.map_err(|source| TrainError::io(&path, source).into())
}

/// Equal for equal metrics of a run alone.
fn hash(run: &Run) -> Result<String, RecommendError> {
    let path = run.metrics_path();
    let bytes = std::fs::read(&path).map_err(|source| TrainError::io(&path, source))?;
    Ok(Key::new(WAY).add(&bytes).hex())
}
