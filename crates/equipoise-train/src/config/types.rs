//! Everything a run depends on: one type shared by TOML, flags and code.

use super::checkpoint_every::CheckpointEvery;
use equipoise_balance::BalanceConfig;
use equipoise_data::{BprSampling, DataError, FeatureScale, LoadOptions, Loaded, MissingFill, load};
use equipoise_eval::EvalConfig;
use equipoise_models::BackboneConfig;
use equipoise_nn::AdamConfig;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The configuration of a run.
///
/// | section | what |
/// |---|---|
/// | `seed` | from which every random stream derives (default 42) |
/// | `device` | `cpu` |
/// | `[data]` | [`DataConfig`] |
/// | `[backbone]` | [`BackboneConfig`] |
/// | `[train]` | [`TrainConfig`] |
/// | `[balance]` | [`BalanceConfig`] |
/// | `[eval]` | [`EvalConfig`] |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// From which every random stream derives.
    pub seed: u64,
    /// Where tensors live.
    pub device: String,
    /// Which data.
    pub data: DataConfig,
    /// Which network.
    pub backbone: BackboneConfig,
    /// How it is trained.
    pub train: TrainConfig,
    /// How modalities are balanced.
    pub balance: BalanceConfig,
    /// How it is evaluated.
    pub eval: EvalConfig,
}

impl Default for RunConfig {
    fn default() -> Self {
        RunConfig {
            seed: 42,
            device: "cpu".into(),
            data: DataConfig::default(),
            backbone: BackboneConfig::default(),
            train: TrainConfig::default(),
            balance: BalanceConfig::default(),
            eval: EvalConfig::default(),
        }
    }
}

/// Which data.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `path` | none | directory of the data set |
/// | `modalities` | all that are found | which modalities, by name |
/// | `missing` | `mean` | what a model sees of items that lack a modality, [`MissingFill`]: `mean`, `zero`, `neighbours` |
/// | `scale` | `none` | scale of the features, a [`FeatureScale`]: `none`, `l2`, `standard`, `pca:256` |
/// | `layout` | empty | options of a layout that was [registered](equipoise_data::formats::register()) |
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Directory of the data set.
    pub path: PathBuf,
    /// Which modalities, by name; all that are found when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modalities: Option<Vec<String>>,
    /// What a model sees of items that lack a modality.
    pub missing: MissingFill,
    /// Scale of the features.
    pub scale: FeatureScale,
    /// Options of a registered layout, by name.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub layout: serde_json::Map<String, serde_json::Value>,
}

impl DataConfig {
    /// Loads the data set.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn load(&self) -> Result<Loaded, DataError> {
        let (modalities, layout) = (self.modalities.clone(), self.layout.clone());
        let options = LoadOptions { modalities, layout, ..LoadOptions::default() };
        let Loaded { data, test } = load(&self.path, &options)?;
        let mut data = data.filled(self.missing).scaled(self.scale);
        if let Some(loud) = data.loudness() {
            let (sentence, scale) = (loud.sentence(), self.scale);
            data.notes.push(format!(
                "{sentence} at data.scale = \"{scale}\": it decides what is learned first; try data.scale = \"l2\""
            ));
        }
        Ok(Loaded { data, test })
    }
}

/// When training stops for lack of improvement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatienceRule {
    /// At the `patience`-th evaluation in a row without improvement (the paper).
    #[default]
    Paper,
    /// At the one after it (the authors' released code).
    Released,
}

/// How a model is trained.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `lr` | 5e-4 | Adam's learning rate | > 0 |
/// | `reg` | 1e-5 | L2 penalty on the final rows of the batch | >= 0 |
/// | `reg_content` | 1 | how much of `reg` parameters of modalities feel; those of ids and shared ones feel all of it | >= 0 |
/// | `batch_size` | 1024 | BPR triples per step | >= 1 |
/// | `sampling` | `user_uniform` | what a batch is uniform over | `user_uniform`, `interaction_uniform` |
/// | `epochs` | 1000 | most epochs | >= 1 |
/// | `eval_every` | 1 | epochs between evaluations (the released code: 5) | >= 1 |
/// | `patience` | 10 | evaluations without improvement before stopping | >= 1 |
/// | `patience_rule` | `paper` | how they are counted | `paper`, `released` |
/// | `metric` | `recall@20` | what selects the best model on validation | `<metric>@<k>` |
/// | `channels` | true | evaluate each modality's channel as well, for the training curves | |
/// | `checkpoint_every` | `auto` | evaluations between checkpoints, from which an interrupted run goes on; no result depends on it | `auto` (at most 2 % of the time), `never`, >= 1 |
/// | `beta1`, `beta2`, `eps` | 0.9, 0.999, 1e-8 | Adam's constants | |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Adam's learning rate.
    pub lr: f64,
    /// L2 penalty: `reg / B * 1/2 * sum over the batch of ||Y_u||^2 + ||Z_i||^2 + ||Z_j||^2`.
    pub reg: f64,
    /// The gradient of that penalty with respect to the parameters of modalities is multiplied by this: what ids can bear silences
    /// content in some data, and the other way round. Any other value than 1 takes a second pass of the network per step, and the penalty
    /// that is logged is the one without it. Not written where it is 1, so that equal runs keep equal files.
    #[serde(skip_serializing_if = "is_one")]
    pub reg_content: f64,
    /// BPR triples per step.
    pub batch_size: usize,
    /// What a batch is uniform over.
    pub sampling: BprSampling,
    /// Most epochs.
    pub epochs: usize,
    /// Epochs between evaluations.
    pub eval_every: usize,
    /// Evaluations without improvement before stopping.
    pub patience: usize,
    /// How they are counted.
    pub patience_rule: PatienceRule,
    /// What selects the best model on validation.
    pub metric: String,
    /// Evaluate each modality's channel as well.
    pub channels: bool,
    /// Evaluations between checkpoints. Not written where it is the default, so that equal runs keep equal files.
    #[serde(skip_serializing_if = "CheckpointEvery::is_auto")]
    pub checkpoint_every: CheckpointEvery,
    /// Adam's decay of the first moment.
    pub beta1: f64,
    /// Adam's decay of the second moment.
    pub beta2: f64,
    /// Adam's epsilon.
    pub eps: f64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        let adam = AdamConfig::default();
        TrainConfig {
            lr: 5e-4,
            reg: 1e-5,
            reg_content: 1.0,
            batch_size: 1024,
            sampling: BprSampling::default(),
            epochs: 1000,
            eval_every: 1,
            patience: 10,
            patience_rule: PatienceRule::default(),
            metric: "recall@20".into(),
            channels: true,
            checkpoint_every: CheckpointEvery::default(),
            beta1: adam.beta1,
            beta2: adam.beta2,
            eps: adam.eps,
        }
    }
}

fn is_one(value: &f64) -> bool {
    *value == 1.0
}

impl TrainConfig {
    /// Adam's part.
    pub fn adam(&self) -> AdamConfig {
        AdamConfig { lr: self.lr, beta1: self.beta1, beta2: self.beta2, eps: self.eps }
    }
}
