//! The families of text encoders: their configuration and their model.

use std::path::{Path, PathBuf};

use candle_core::{Device, Result, Tensor};
use candle_transformers::models::nomic_bert::NomicBertModel;
use equipoise_data::quoted;

use super::bert::Bert;
use super::modern_bert::ModernBert;
use super::names::Names;
use super::{model, modern_bert, nomic_bert};
use crate::error::EncodeError;
use crate::transformer::Weights;

/// A configuration.
pub(crate) enum Config {
    Bert(model::Config),
    Modern(modern_bert::Config),
    Nomic(nomic_bert::Config),
}

impl Config {
    /// Reads `config.json` of the folder.
    ///
    /// # Errors
    /// If the architecture is not known, or a setting is absent or out of its range.
    pub(crate) fn read(dir: &Path) -> std::result::Result<Config, EncodeError> {
        let found = model::model_type(dir)?.unwrap_or_default();
        let file = dir.join(model::CONFIG);
        match (&found[..], Names::of(&found)) {
            (modern_bert::TYPE, _) => modern_bert::Config::read(file).map(Config::Modern),
            (nomic_bert::TYPE, _) => nomic_bert::Config::read(file).map(Config::Nomic),
            (_, Some(names)) => model::Config::read(file, names).map(Config::Bert),
            (_, None) => {
                let (known, modern, nomic) = (Names::known(), modern_bert::TYPE, nomic_bert::TYPE);
                let problem = format!(
                    "model_type is {}, expected one of {known}, {modern}, {nomic}, model2vec; choose another model",
                    quoted(&found)
                );
                Err(EncodeError::file(&file, problem))
            }
        }
    }

    /// The file.
    pub(crate) fn file(&self) -> &PathBuf {
        match self {
            Config::Bert(config) => &config.file,
            Config::Modern(config) => &config.file,
            Config::Nomic(config) => &config.file,
        }
    }

    /// `model_type`.
    pub(crate) fn model_type(&self) -> &'static str {
        match self {
            Config::Bert(config) => config.names.model_type,
            Config::Modern(_) => modern_bert::TYPE,
            Config::Nomic(_) => nomic_bert::TYPE,
        }
    }

    /// Columns of the rows of tokens.
    pub(crate) fn width(&self) -> usize {
        match self {
            Config::Bert(config) => config.width,
            Config::Modern(config) => config.width(),
            Config::Nomic(config) => config.width(),
        }
    }

    /// Rows of the embeddings of tokens.
    pub(crate) fn vocabulary(&self) -> usize {
        match self {
            Config::Bert(config) => config.vocabulary,
            Config::Modern(config) => config.vocabulary(),
            Config::Nomic(config) => config.vocabulary(),
        }
    }

    /// Most tokens that have a position.
    pub(crate) fn most_tokens(&self) -> usize {
        match self {
            Config::Bert(config) => config.most_tokens(),
            Config::Modern(config) => config.most_tokens(),
            Config::Nomic(config) => config.most_tokens(),
        }
    }

    /// The length that the folder's files name, as far as the model has it: what NomicBERT's files name is longer than the
    /// texts of its training, which is allowed for.
    pub(crate) fn named_length(&self, named: usize) -> usize {
        match self {
            Config::Nomic(config) => named.min(config.most_tokens()),
            Config::Bert(_) | Config::Modern(_) => named,
        }
    }
}

/// A model that gives each token of a text a row.
pub(crate) enum Model {
    Bert(Box<Bert>),
    Modern(ModernBert),
    Nomic(Box<NomicBertModel>),
}

impl Model {
    /// Takes the weights that `config` asks for, for texts of at most `length` tokens.
    ///
    /// # Errors
    /// If one is absent or has another shape.
    pub(crate) fn load(
        config: &Config,
        weights: &Weights,
        length: usize,
    ) -> std::result::Result<Model, EncodeError> {
        match config {
            Config::Bert(config) => Ok(Model::Bert(Box::new(Bert::load(config, weights)?))),
            Config::Modern(config) => ModernBert::load(config, weights, length).map(Model::Modern),
            Config::Nomic(config) => {
                let model = nomic_bert::load_model(config, weights, length)?;
                Ok(Model::Nomic(Box::new(model)))
            }
        }
    }

    /// The rows of the last layer, `[sequences, tokens, width]`, of sequences of ids of one length.
    ///
    /// # Errors
    /// What candle has against them: nothing where ids are below the vocabulary and lengths at most that of
    /// [`load`](Self::load).
    pub(crate) fn forward(&self, sequences: &[Vec<u32>]) -> Result<Tensor> {
        let shape = (sequences.len(), sequences[0].len());
        let ids = Tensor::from_vec(sequences.concat(), shape, &Device::Cpu)?;
        match self {
            Model::Bert(model) => model.forward(sequences, &ids),
            Model::Modern(model) => model.forward(&ids),
            Model::Nomic(model) => model.forward(&ids, None, None),
        }
    }
}
