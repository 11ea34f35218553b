//! What a pipeline is asked to do.

use super::error::PipelineError;
use super::origins::Origins;
use equipoise_data::{Columns, FeatureSource, Shares, SplitRule, read_text};
use equipoise_models::BackboneConfig;
use equipoise_train::config::{ConfigError, toml_fault};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How far settings are searched, on validation.
///
/// | name | plain model | CKD |
/// |---|---|---|
/// | `none` | `train.lr` 3e-3, `train.reg` 1e-2 | `weights` robust, `lambda_g` 5, `lambda_kd` 0.5 |
/// | `small` | `data.scale` none, l2; `train.lr` 3e-3, 1e-3; `train.reg` 1e-2, 1e-3, 1e-1; `train.reg_content` 1, 0.1 | `lambda_kd` 0, 0.5, 0.1; `weights` robust, paper |
/// | `full` | `data.scale` none, l2; `train.lr` 1e-4, 5e-4, 1e-3, 5e-3; `train.reg` 1e-5 to 1e-1 by tens; `train.reg_content` 1, 0.1 | `lambda_g` 0.5, 1, 5; `lambda_kd` 0, 1e-2, 1e-1, 0.5; `weights` robust, paper |
///
/// `small` searches one setting after another, `full` tries every combination. With `lambda_kd = 0` CKD is the plain model. A setting that
/// is given is not searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchBudget {
    /// Nothing is searched.
    None,
    /// A few points, one setting after another: 5 and 4.
    #[default]
    Small,
    /// Grids of 40 and 24 points.
    Full,
}

impl SearchBudget {
    /// Every budget.
    pub const ALL: [SearchBudget; 3] = [SearchBudget::None, SearchBudget::Small, SearchBudget::Full];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            SearchBudget::None => "none",
            SearchBudget::Small => "small",
            SearchBudget::Full => "full",
        }
    }
}

/// A pipeline. Exactly one of `reviews`, `csv` and `data` is given; the same keys are flags of `equipoise run`.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `reviews` | none | raw Amazon reviews | |
/// | `meta` | none | their metadata, from which texts and categories come | with `reviews` |
/// | `image_features` | none | their image features | with `reviews` |
/// | `core` | 5 | least reviews of a user and of an item | with `reviews` |
/// | `csv` | none | table of interactions: `.csv`, `.tsv`, `.jsonl`, `.parquet` | |
/// | `columns` | guessed | its columns, [`Columns`] | with `csv` |
/// | `min_rating` | none | rows rated below are left out | with `csv` |
/// | `items` | none | table of items: an id, titles and attributes that lists show, texts, pictures and sounds | with `csv` |
/// | `item_names` | none: its first line has them | names of the columns of `items`, where its first line is data | with `items` |
/// | `text` | none | columns of `items` whose texts are encoded | with `items` |
/// | `image` | none | column of `items` with paths of pictures, relative to the table | with `items` |
/// | `audio` | none | column of `items` with paths of sounds, relative to the table | with `items` |
/// | `image_folder` | none | folder of pictures called `<raw item id>.jpg` and so on | with `csv`, without `image` |
/// | `audio_folder` | none | folder of sounds called `<raw item id>.wav` and so on | with `csv`, without `audio` |
/// | `features` | none | features that are there already, by modality: [`FeatureSource`] | not with `data` |
/// | `data` | none | a data set that is ready | |
/// | `split` | `lattice` of reviews; of a table its own, else `ratio` | [`SplitRule`] | not with `data` |
/// | `shares` | 0.8, 0.1, 0.1 | of `ratio` and `time` | not with `data` |
/// | `split_seed` | 123 | seed of splits by chance | not with `data` |
/// | `text_model` | `builtin` | encoder of texts: `builtin`, a folder, or `org/name` in the hub's cache | |
/// | `text_pooling` | as the model's files say | how rows of tokens become one: `cls`, `mean`, ... | with `text_model` |
/// | `text_prompt` | as the model's files say | put before each text: `passage: ` for E5 | with `text_model` |
/// | `text_dims` | 64, or as many as the texts give | columns of the features of `builtin` | >= 1 |
/// | `image_model` | `builtin` | encoder of pictures: `builtin`, a folder, or `org/name` in the hub's cache | with `image` or `image_folder` |
/// | `audio_model` | `builtin` | encoder of sounds: `builtin`, a folder, or `org/name` in the hub's cache | with `audio` or `audio_folder` |
/// | `audio_seconds` | 120 | seconds of each sound that are read | as `audio_model`; 1 to 86400 |
/// | `out` | none | where everything goes | |
/// | `budget` | `small` | [`SearchBudget`] | |
/// | `backbone` | `vbpr` | the network | |
/// | `seed` | 42 | first seed of the runs, and that of the searches | |
/// | `seeds` | 1 | number of seeds, from `seed` on | 1 to 1000 |
/// | `epochs` | 1000 | most epochs of each model | >= 1 |
/// | `set` | none | any other setting of a run, `"train.patience" = 5` | |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PipelineConfig {
    /// Raw Amazon reviews.
    pub reviews: Option<PathBuf>,
    /// Their metadata.
    pub meta: Option<PathBuf>,
    /// Their image features.
    pub image_features: Option<PathBuf>,
    /// Least reviews of a user and of an item.
    pub core: Option<u32>,
    /// Table of interactions.
    pub csv: Option<PathBuf>,
    /// Its columns.
    pub columns: Columns,
    /// Rows rated below are left out.
    pub min_rating: Option<f64>,
    /// Table of items.
    pub items: Option<PathBuf>,
    /// Names of its columns, where its first line is data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub item_names: Vec<String>,
    /// Columns whose texts are encoded.
    pub text: Vec<String>,
    /// Column with paths of pictures.
    pub image: Option<String>,
    /// Column with paths of sounds.
    pub audio: Option<String>,
    /// Folder of pictures by item.
    pub image_folder: Option<PathBuf>,
    /// Folder of sounds by item.
    pub audio_folder: Option<PathBuf>,
    /// Features that are there already.
    pub features: Vec<FeatureSource>,
    /// A data set that is ready.
    pub data: Option<PathBuf>,
    /// How interactions are divided.
    pub split: Option<SplitRule>,
    /// Shares of train, validation and test.
    pub shares: Shares,
    /// Seed of splits by chance.
    pub split_seed: u64,
    /// Encoder of texts.
    pub text_model: String,
    /// How that encoder's rows of tokens become one.
    pub text_pooling: Option<String>,
    /// What is put before each text.
    pub text_prompt: Option<String>,
    /// Columns of the built-in encoder's features.
    pub text_dims: Option<usize>,
    /// Encoder of pictures.
    pub image_model: String,
    /// Encoder of sounds.
    pub audio_model: String,
    /// Seconds of each sound that are read.
    pub audio_seconds: Option<u32>,
    /// Where everything goes.
    pub out: PathBuf,
    /// How far settings are searched.
    pub budget: SearchBudget,
    /// The network.
    pub backbone: String,
    /// First seed of the runs.
    pub seed: u64,
    /// Number of seeds.
    pub seeds: u64,
    /// Most epochs of each model.
    pub epochs: usize,
    /// Any other setting of a run.
    pub set: toml::Table,
}

impl Default for PipelineConfig {
    fn default() -> Self {
        PipelineConfig {
            reviews: None,
            meta: None,
            image_features: None,
            core: None,
            csv: None,
            columns: Columns::default(),
            min_rating: None,
            items: None,
            item_names: Vec::new(),
            text: Vec::new(),
            image: None,
            audio: None,
            image_folder: None,
            audio_folder: None,
            features: Vec::new(),
            data: None,
            split: None,
            shares: Shares::default(),
            split_seed: 123,
            text_model: "builtin".into(),
            text_pooling: None,
            text_prompt: None,
            text_dims: None,
            image_model: "builtin".into(),
            audio_model: "builtin".into(),
            audio_seconds: None,
            out: PathBuf::new(),
            budget: SearchBudget::default(),
            backbone: BackboneConfig::default().name,
            seed: 42,
            seeds: 1,
            epochs: 1000,
            set: toml::Table::new(),
        }
    }
}

impl PipelineConfig {
    /// The configuration of a file, over which `flags` win (tables are merged key by key), and where each setting stands.
    ///
    /// # Errors
    /// If the file cannot be read, or a key is unknown or of the wrong type: file and line, or the flag.
    pub fn layered(
        file: Option<&Path>,
        flags: &toml::Table,
    ) -> Result<(PipelineConfig, Origins), PipelineError> {
        let (mut table, mut text) = (toml::Table::new(), String::new());
        let name = file.map(|path| path.display().to_string());
        if let (Some(path), Some(name)) = (file, &name) {
            text = read_text(path).map_err(|e| PipelineError::file(path, e))?;
            let fault = |e: toml::de::Error| toml_fault(name, &text, &e);
            // By itself first, so that a fault is told with its line.
            toml::from_str::<PipelineConfig>(&text).map_err(fault)?;
            table = text.parse().map_err(fault)?;
        }
        for (key, value) in flags {
            let alone = toml::Table::from_iter([(key.clone(), value.clone())]);
            let read: Result<PipelineConfig, _> = toml::Value::Table(alone).try_into();
            let origin = || format!("--{}", key.replace('_', "-"));
            read.map_err(|e| ConfigError::Value { origin: origin(), reason: e.message().trim().to_owned() })?;
        }
        merge(&mut table, flags);
        let config = toml::Value::Table(table).try_into().map_err(|e: toml::de::Error| {
            ConfigError::Value { origin: "configuration".into(), reason: e.message().trim().to_owned() }
        })?;
        Ok((config, Origins::new(name.as_deref().map(|name| (name, text.as_str())), flags)))
    }

    /// The seeds of the runs.
    pub fn all_seeds(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.seeds).map(|n| self.seed.wrapping_add(n))
    }
}

fn merge(table: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (table.get_mut(key), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(value)) => merge(there, value),
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}
