//! The final stage: the only place where test metrics are read.

use super::calibrated;
use super::cells::TEACHER;
use super::facts::DataFacts;
use super::missing::MissingResult;
use super::paper::{Paper, Published, TableKind, TableSpec};
use super::parts;
use super::plan::ReproductionPlan;
use super::reproduction::{SeedFiles, SettledCell};
use crate::jobs::Finished;
use equipoise_eval::PerUser;
use equipoise_jobs::FINISHED;
use equipoise_models::Ablation;
use equipoise_train::{EpochRecord, Report, Run, TrainError};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// One column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableColumn {
    /// Its heading.
    pub title: String,
    /// What is shown: a metric of the whole model, or of one modality.
    pub metric: String,
    /// That modality.
    pub modality: Option<String>,
    /// Whether differences are tested.
    pub tested: bool,
}

/// What was measured in one seed of a cell.
#[derive(Clone, Debug, Default)]
pub struct SeedResult {
    /// The value of each column.
    pub values: Vec<f64>,
    /// The main metric of ids alone, each channel and the model without each modality, by label; in tables of whole models.
    pub channels: Vec<(String, f64)>,
    /// The same metric for groups of items and of users, by label; in tables of whole models.
    pub groups: Vec<(String, f64)>,
    /// The same metric as the model was trained and with weights of the modalities that validation chose, and these weights, by
    /// label; in tables that ask for them.
    pub calibrated: Vec<(String, f64)>,
    /// The tested metric of every test user, where it is kept.
    pub per_user: Option<PerUser>,
    /// What it cost.
    pub cost: RunCost,
    /// Which metrics are the same for every model, because lists are as long as the candidates.
    pub says_nothing: Option<String>,
}

/// What a run cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunCost {
    /// Epochs until training ended.
    pub epochs: f64,
    /// Mean seconds of an epoch's steps.
    pub seconds: f64,
    /// Most memory held, in bytes.
    pub memory: Option<f64>,
}

/// A cell with its numbers.
#[derive(Clone, Debug)]
pub struct CellRow {
    /// The cell and its runs.
    pub settled: SettledCell,
    /// By seed; failed seeds are absent.
    pub measured: BTreeMap<u64, SeedResult>,
    /// The published numbers, by column.
    pub published: Vec<Option<Published>>,
    /// Why numbers are missing.
    pub problems: Vec<SeedProblem>,
}

/// Why numbers are missing: those of one seed, or all.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedProblem {
    /// Whose.
    pub seed: Option<u64>,
    /// Why.
    pub failure: MissingResult,
}

impl fmt::Display for SeedProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seed {
            Some(seed) => write!(f, "seed {seed}: {}", self.failure),
            None => self.failure.fmt(f),
        }
    }
}

/// A data set's columns and rows.
#[derive(Clone, Debug)]
pub struct DataBlock {
    /// The data set.
    pub dataset: String,
    /// Its columns.
    pub columns: Vec<TableColumn>,
    /// Its rows.
    pub rows: Vec<CellRow>,
}

/// Reads the test metrics of every finished run of a plan; what cannot be read is said in the row.
pub fn gather(
    paper: &Paper,
    plan: &ReproductionPlan,
    settled: Vec<SettledCell>,
    published: bool,
) -> Vec<DataBlock> {
    let block = |data: &DataFacts| {
        let columns = columns(plan.table, &data.modalities);
        let of_data = settled.iter().filter(|s| s.cell.dataset == data.name).cloned();
        let rows = of_data.map(|s| row(paper, plan.table, &columns, s, published)).collect();
        DataBlock { dataset: data.name.clone(), columns, rows }
    };
    plan.data.iter().map(block).collect()
}

fn columns(table: &TableSpec, modalities: &[(String, usize)]) -> Vec<TableColumn> {
    let main = &table.metrics[0];
    match table.kind {
        TableKind::Metrics | TableKind::Curves => {
            let whole = |metric: &String| TableColumn {
                title: metric.clone(),
                metric: metric.clone(),
                modality: None,
                tested: metric == main,
            };
            table.metrics.iter().map(whole).collect()
        }
        TableKind::Channels => {
            let channel = |(name, _): &(String, usize)| TableColumn {
                title: format!("{name} {main}"),
                metric: main.clone(),
                modality: Some(name.clone()),
                tested: true,
            };
            modalities.iter().map(channel).collect()
        }
    }
}

/// Where a column stands in the paper's numbers.
fn published_place(paper: &Paper, table: &TableSpec, column: &TableColumn) -> Option<usize> {
    match &column.modality {
        None => table.metrics.iter().position(|m| *m == column.metric),
        Some(own) => table
            .modalities
            .iter()
            .position(|m| paper.modalities.get(m).is_some_and(|published| published.names.contains(own))),
    }
}

fn row(
    paper: &Paper,
    table: &TableSpec,
    columns: &[TableColumn],
    settled: SettledCell,
    published: bool,
) -> CellRow {
    let cell = &settled.cell;
    let number = |column: &TableColumn| {
        let place = published_place(paper, table, column).filter(|_| published)?;
        table.number(&cell.backbone, &cell.method, &cell.dataset, place)
    };
    let published = columns.iter().map(number).collect();
    let (mut measured, mut problems) = (BTreeMap::new(), Vec::new());
    if let Err(failure) = &settled.chosen {
        problems.push(SeedProblem { seed: None, failure: failure.clone() });
    }
    for (seed, files) in &settled.seeds {
        let result = files.clone().and_then(|files| {
            measure(&cell.method, &files, columns, table.calibrated).map_err(MissingResult::failed)
        });
        match result {
            Ok(numbers) => {
                measured.insert(*seed, numbers);
            }
            Err(failure) => problems.push(SeedProblem { seed: Some(*seed), failure }),
        }
    }
    CellRow { settled, measured, published, problems }
}

fn measure(
    method: &str,
    files: &SeedFiles,
    columns: &[TableColumn],
    calibrated: bool,
) -> Result<SeedResult, TrainError> {
    match (&files.run, &files.teachers) {
        (None, Some(teachers)) => teachers_measured(teachers, columns),
        (Some(dir), _) => model_measured(dir, columns, calibrated),
        (None, None) => Err(TrainError::Setting(format!("{method} has no files"))),
    }
}

fn model_measured(dir: &Path, columns: &[TableColumn], calibrated: bool) -> Result<SeedResult, TrainError> {
    let run = Run::open(dir)?;
    let report = run.report()?;
    let values = columns.iter().map(|column| value(&report, column)).collect();
    let whole = columns.iter().find(|c| c.tested && c.modality.is_none());
    let reads_content = run.config()?.backbone.check()?.ablation_effect.shows();
    let channels =
        whole.filter(|_| reads_content).map_or_else(Vec::new, |c| parts::channels(&report, &c.metric));
    let groups = whole.map_or_else(Vec::new, |c| parts::groups(&report, &c.metric));
    let calibrated =
        whole.filter(|_| calibrated).map_or_else(Vec::new, |c| with_weights(&run, &report, &c.metric));
    let per_user = whole.map(|_| run.per_user()).transpose()?;
    let says_nothing = report.says_nothing().map(str::to_owned);
    Ok(SeedResult { values, channels, groups, calibrated, per_user, cost: cost(&run, dir)?, says_nothing })
}

/// A metric of the model as it was trained and with the weights that validation chose, and these weights.
fn with_weights(run: &Run, report: &Report, metric: &str) -> Vec<(String, f64)> {
    let Some(found) = calibrated::read(run, metric) else { return Vec::new() };
    let trained = report.metric(metric).unwrap_or(f64::NAN);
    let values = [("as trained".to_owned(), trained), ("with weights".to_owned(), found.value)];
    let weight = |name: &&str| Some((format!("weight of {name}"), *found.weights.get(*name)?));
    values.into_iter().chain(report.modality_names().iter().filter_map(weight)).collect()
}

/// A teacher's column is its own modality's.
fn teachers_measured(dir: &Path, columns: &[TableColumn]) -> Result<SeedResult, TrainError> {
    let mut values = Vec::new();
    let (mut total, mut says_nothing) = (RunCost::default(), None);
    for column in columns {
        let Some(modality) = &column.modality else {
            values.push(f64::NAN);
            continue;
        };
        let run = Run::open(&dir.join(modality))?;
        let report = run.report()?;
        values.push(report.metric(&column.metric).unwrap_or(f64::NAN));
        says_nothing = report.says_nothing().map(str::to_owned);
        let one = cost(&run, dir)?;
        let n = columns.len() as f64;
        total.epochs += one.epochs / n;
        total.seconds += one.seconds / n;
        total.memory = one.memory;
    }
    Ok(SeedResult { values, cost: total, says_nothing, ..SeedResult::default() })
}

fn value(report: &Report, column: &TableColumn) -> f64 {
    let value = match &column.modality {
        None => report.metric(&column.metric),
        Some(modality) => {
            let names = report.modality_names();
            let m = names.iter().position(|name| name == modality);
            m.and_then(|m| report.metric_under(Ablation::only(m, names.len()), &column.metric))
        }
    };
    value.unwrap_or(f64::NAN)
}

fn cost(run: &Run, task: &Path) -> Result<RunCost, TrainError> {
    let epochs = epochs(run)?;
    let trained: Vec<f64> = epochs.iter().filter(|e| e.epoch > 0).map(|e| e.train_seconds).collect();
    let seconds = trained.iter().sum::<f64>() / trained.len().max(1) as f64;
    let memory = finished(task).and_then(|f| f.peak_memory).map(|bytes| bytes as f64);
    Ok(RunCost { epochs: trained.len() as f64, seconds, memory })
}

/// What the task in `dir` left.
fn finished(dir: &Path) -> Option<Finished> {
    serde_json::from_str(&std::fs::read_to_string(dir.join(FINISHED)).ok()?).ok()
}

fn epochs(run: &Run) -> Result<Vec<EpochRecord>, TrainError> {
    run.epochs()
}

/// A curve over epochs: validation, not test.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What it shows: `multimodal`, `<modality> channel`, `<modality> teacher`.
    pub label: String,
    /// Position of its modality, if it is one's.
    pub modality: Option<usize>,
    /// Whether it is a teacher's.
    pub teacher: bool,
    /// Epoch and value.
    pub points: Vec<(usize, f64)>,
}

/// The curves of a seed's plain model, its channels and its teachers.
///
/// # Errors
/// If a log cannot be read.
pub fn curves(files: &SeedFiles, modalities: &[(String, usize)]) -> Result<Vec<Curve>, TrainError> {
    let (Some(dir), Some(teachers)) = (&files.run, &files.teachers) else { return Ok(Vec::new()) };
    let history = epochs(&Run::open(dir)?)?;
    let whole = history.iter().filter_map(|e| Some((e.epoch, e.validation?))).collect();
    let mut curves =
        vec![Curve { label: "multimodal".into(), modality: None, teacher: false, points: whole }];
    for (m, (name, _)) in modalities.iter().enumerate() {
        let of = |e: &EpochRecord| e.channels.iter().find(|(n, _)| n == name).map(|(_, v)| (e.epoch, *v));
        let points = history.iter().filter_map(of).collect();
        curves.push(Curve { label: format!("{name} channel"), modality: Some(m), teacher: false, points });
        let alone = epochs(&Run::open(&teachers.join(name))?)?;
        let points = alone.iter().filter_map(|e| Some((e.epoch, e.validation?))).collect();
        curves.push(Curve { label: format!("{name} teacher"), modality: Some(m), teacher: true, points });
    }
    Ok(curves)
}

/// Whether a row is that of teachers.
pub fn is_teacher(row: &CellRow) -> bool {
    row.settled.cell.method == TEACHER
}
