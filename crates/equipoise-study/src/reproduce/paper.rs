//! The paper's files: what it did, what it published, and how its cells are run here.

use equipoise_data::read_text;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// `paper.toml`: what all tables share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Its title.
    pub title: String,
    /// Where it appeared.
    pub source: String,
    /// The rule of its splits.
    pub split: equipoise_data::SplitFamily,
    /// What differs from its set-up whatever the data, a sentence each.
    pub differences: Vec<String>,
    /// Its data sets by the name of their directory.
    pub datasets: BTreeMap<String, PublishedData>,
    /// Its modalities.
    pub modalities: BTreeMap<String, PublishedModality>,
    /// Settings of every run.
    pub settings: toml::Table,
    /// Its backbones by their name in the registry.
    pub backbones: BTreeMap<String, PaperBackbone>,
    /// What is compared, by name.
    pub methods: BTreeMap<String, PaperMethod>,
    /// Searches by the name of their budget.
    pub search: BTreeMap<String, PaperSearch>,
}

/// A data set as the paper describes it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedData {
    /// Its name in print.
    pub title: String,
    /// Users.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Interactions of all splits.
    pub interactions: usize,
}

/// A modality of the paper.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedModality {
    /// What data sets may call it.
    pub names: Vec<String>,
    /// Width of the paper's features.
    pub width: usize,
}

/// A backbone: its name in print, its settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperBackbone {
    /// Name in print.
    pub title: String,
    /// Settings that differ from the program's defaults.
    #[serde(default)]
    pub settings: toml::Table,
}

/// What a cell adds to the plain model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperMethod {
    /// Name in print.
    pub title: String,
    /// The method whose settings and search result are the starting point; the plain model's result if absent.
    #[serde(default)]
    pub after: Option<String>,
    /// Whether its runs read that of the plain model with the same training (`balance.plain`).
    #[serde(default)]
    pub plain: bool,
    /// Its settings.
    #[serde(default)]
    pub settings: toml::Table,
}

/// How far settings are searched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperSearch {
    /// In which manner.
    pub how: SearchManner,
    /// The same in words.
    pub summary: String,
    /// What is searched, by method, in this order.
    pub axes: BTreeMap<String, Vec<PaperAxis>>,
}

/// Manner of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchManner {
    /// One axis after another.
    Coordinate,
    /// Every combination.
    Grid,
}

/// One setting that is searched.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperAxis {
    /// Its key in a configuration.
    pub key: String,
    /// Its values.
    #[serde(default)]
    pub values: Vec<toml::Value>,
    /// Or factors on the value that the search before found.
    #[serde(default)]
    pub times: Vec<f64>,
}

/// What a table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// Metrics of whole models.
    Metrics,
    /// Metrics of each modality's channel, and of teachers.
    Channels,
    /// Curves over epochs.
    Curves,
}

/// One of `table1.toml`, `table2.toml`, `table3.toml`, `fig1.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSpec {
    /// Its name on the command line.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it shows.
    pub kind: TableKind,
    /// Metrics, the first being the one that is tested.
    pub metrics: Vec<String>,
    /// Whether it also shows each model with weights of its modalities that validation chooses after training.
    #[serde(default)]
    pub calibrated: bool,
    /// The paper's modalities in the order of its numbers.
    #[serde(default)]
    pub modalities: Vec<String>,
    /// The method that the others are compared with.
    pub reference: String,
    /// Backbones in order.
    pub backbones: Vec<String>,
    /// Methods in order.
    pub methods: Vec<String>,
    /// Numbers that are probably misprints.
    #[serde(default)]
    pub misprints: Vec<Misprint>,
    /// Published numbers by backbone, method and data set, in the order of the columns.
    #[serde(default)]
    pub published: BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<f64>>>>,
}

/// A number that is probably a misprint.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misprint {
    /// Whose.
    pub backbone: String,
    /// Of which method.
    pub method: String,
    /// On which data.
    pub dataset: String,
    /// Of which metric.
    pub metric: String,
    /// As printed.
    pub printed: f64,
    /// What was probably meant.
    pub likely: f64,
}

/// A study that can be repeated: what its cells share, and its tables.
#[derive(Clone, Debug)]
pub struct PaperFiles {
    /// What all tables share.
    pub paper: Paper,
    /// Its tables and figures.
    pub tables: Vec<TableSpec>,
}

impl PaperFiles {
    /// Reads a folder: `paper.toml`, and every other `.toml` file as a table.
    ///
    /// # Errors
    /// The first file that cannot be read or understood, with the line.
    pub fn read(folder: &Path) -> Result<PaperFiles, String> {
        let paper = parsed(&folder.join("paper.toml"))?;
        let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|e| e == "toml") && !path.ends_with("paper.toml"));
        paths.sort();
        let tables = paths.iter().map(|path| parsed(path)).collect::<Result<_, _>>()?;
        Ok(PaperFiles { paper, tables })
    }
}

fn parsed<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, String> {
    let text = read_text(path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {}", path.display(), e.to_string().trim_end()))
}

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../paper/ckd-mm24/", $name)))
    };
}

fn read<T: for<'a> Deserialize<'a>>((name, text): (&str, &str)) -> T {
    // The files are part of the program, and a test reads each.
    toml::from_str(text).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

static FILES: LazyLock<PaperFiles> = LazyLock::new(|| {
    let tables = [file!("fig1.toml"), file!("table1.toml"), file!("table2.toml"), file!("table3.toml")];
    PaperFiles { paper: read(file!("paper.toml")), tables: tables.into_iter().map(read).collect() }
});

/// The paper whose experiments can be repeated: *Modality-Balanced Learning for Multimedia Recommendation*
/// (Zhang et al., ACM MM 2024).
pub fn paper() -> &'static Paper {
    &FILES.paper
}

/// Its tables and its figure.
pub fn tables() -> &'static [TableSpec] {
    &FILES.tables
}

impl TableSpec {
    /// The published number of a column and what was probably meant, if it is there.
    pub fn number(&self, backbone: &str, method: &str, dataset: &str, column: usize) -> Option<Published> {
        let row = self.published.get(backbone)?.get(method)?.get(dataset)?;
        let printed = *row.get(column)?;
        let meant = |m: &&Misprint| {
            (m.backbone.as_str(), m.method.as_str(), m.dataset.as_str()) == (backbone, method, dataset)
                && self.metrics.get(column) == Some(&m.metric)
        };
        Some(Published { printed, likely: self.misprints.iter().find(meant).map(|m| m.likely) })
    }
}

/// A published number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// As printed.
    pub printed: f64,
    /// What was probably meant, where the print is probably wrong.
    pub likely: Option<f64>,
}
