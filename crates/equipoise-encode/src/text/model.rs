//! `config.json` of BERT and its family.

use std::path::{Path, PathBuf};

use candle_transformers::models::bert::HiddenAct;
use serde::Deserialize;
use serde_json::Value;

use super::names::Names;
use super::ranges::{LARGEST, Ranges};
use crate::error::EncodeError;
use crate::json;
use equipoise_data::quoted;

/// Name of the file.
pub(crate) const CONFIG: &str = "config.json";

/// The one kind of positions that is supported.
const ABSOLUTE: &str = "absolute";

/// Settings of a transformer, checked.
pub(crate) struct Config {
    /// The file.
    pub(crate) file: PathBuf,
    pub(crate) names: &'static Names,
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) hidden: usize,
    pub(crate) activation: HiddenAct,
    /// Rows of the embeddings of positions.
    pub(crate) positions: usize,
    pub(crate) vocabulary: usize,
    pub(crate) segments: usize,
    pub(crate) eps: f64,
    /// Id of the padding token.
    pub(crate) padding: u32,
    /// Distances that attention tells apart, where it does.
    pub(crate) buckets: usize,
}

/// The file as it stands; the second names are DistilBERT's.
#[derive(Deserialize)]
struct Raw {
    #[serde(alias = "dim")]
    hidden_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    #[serde(alias = "activation")]
    hidden_act: String,
    max_position_embeddings: usize,
    vocab_size: usize,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    pad_token_id: Option<u32>,
    position_embedding_type: Option<String>,
    relative_attention_num_buckets: Option<usize>,
}

/// Value of `model_type` of the folder's `config.json`.
///
/// # Errors
/// If the file is absent or no JSON object.
pub(crate) fn model_type(dir: &Path) -> Result<Option<String>, EncodeError> {
    let file = dir.join(CONFIG);
    if !file.is_file() {
        let problem = format!("no {CONFIG}; give the folder of a model, or its name, or builtin");
        return Err(EncodeError::file(dir, problem));
    }
    let config: serde_json::Map<String, Value> = json::read(&file)?;
    Ok(config.get("model_type").and_then(Value::as_str).map(str::to_owned))
}

impl Config {
    /// Reads the file, which is of the architecture of these names.
    ///
    /// # Errors
    /// If a setting is absent or out of its range.
    pub(crate) fn read(file: PathBuf, names: &'static Names) -> Result<Config, EncodeError> {
        let raw: Raw = json::read(&file)?;
        let ranges = Ranges { file: &file };
        ranges.sizes(&[
            ("hidden_size", raw.hidden_size),
            ("num_hidden_layers", raw.num_hidden_layers),
            ("num_attention_heads", raw.num_attention_heads),
            ("intermediate_size", raw.intermediate_size),
            ("max_position_embeddings", raw.max_position_embeddings),
            ("vocab_size", raw.vocab_size),
        ])?;
        ranges.heads(["hidden_size", "num_attention_heads"], raw.hidden_size, raw.num_attention_heads)?;
        let kind = raw.position_embedding_type.as_deref().unwrap_or(ABSOLUTE);
        ranges.only("position_embedding_type", kind, kind == ABSOLUTE, ABSOLUTE)?;
        let padding = raw.pad_token_id.unwrap_or(u32::from(names.padded_positions));
        let fits = !names.padded_positions || (padding as usize) < raw.max_position_embeddings - 1;
        ranges.only("pad_token_id", padding, fits, "less than max_position_embeddings - 1")?;
        let eps = raw.layer_norm_eps.unwrap_or(1e-12);
        ranges.eps("layer_norm_eps", eps)?;
        let buckets = raw.relative_attention_num_buckets.unwrap_or(32);
        let fits = !names.relative || (4..=LARGEST).contains(&buckets);
        ranges.only("relative_attention_num_buckets", buckets, fits, "4 or more")?;
        Ok(Config {
            names,
            width: raw.hidden_size,
            layers: raw.num_hidden_layers,
            heads: raw.num_attention_heads,
            hidden: raw.intermediate_size,
            activation: activation(&file, &raw.hidden_act)?,
            positions: raw.max_position_embeddings,
            vocabulary: raw.vocab_size,
            segments: if names.segments { raw.type_vocab_size.unwrap_or(2) } else { 0 },
            eps,
            padding,
            buckets,
            file,
        })
    }

    /// Most tokens that have a position.
    pub(crate) fn most_tokens(&self) -> usize {
        if self.names.padded_positions { self.positions - self.padding as usize - 1 } else { self.positions }
    }
}

/// What stands between the two linear maps of a layer, by its name in the file.
fn activation(file: &Path, name: &str) -> Result<HiddenAct, EncodeError> {
    match name {
        "gelu" => Ok(HiddenAct::Gelu),
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Ok(HiddenAct::GeluApproximate),
        "relu" => Ok(HiddenAct::Relu),
        _ => {
            let known = "gelu, gelu_new, gelu_fast, gelu_pytorch_tanh or relu";
            let problem = format!("activation {}, expected {known}; choose another model", quoted(name));
            Err(EncodeError::file(file, problem))
        }
    }
}
