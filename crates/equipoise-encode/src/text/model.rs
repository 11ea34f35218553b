//! `config.json` of a text encoder.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::names::Names;
use crate::error::EncodeError;
use crate::json;
use crate::transformer::Activation;
use equipoise_data::{quoted, short};

/// Name of the file.
pub(crate) const CONFIG: &str = "config.json";

/// Settings of a transformer, checked.
pub(crate) struct Config {
    /// The file.
    pub(crate) file: PathBuf,
    pub(crate) names: &'static Names,
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) hidden: usize,
    pub(crate) activation: Activation,
    /// Rows of the embeddings of positions.
    pub(crate) positions: usize,
    pub(crate) vocabulary: usize,
    pub(crate) segments: usize,
    pub(crate) eps: f32,
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
    layer_norm_eps: Option<f32>,
    pad_token_id: Option<u32>,
    position_embedding_type: Option<String>,
    relative_attention_num_buckets: Option<usize>,
}

/// Largest width, and largest number of layers, of positions, ...: far beyond any model, far below what overflows.
const LARGEST: usize = 1 << 20;

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
    /// Reads `config.json` of the folder.
    ///
    /// # Errors
    /// If the architecture is not known, or a setting is absent or out of its range.
    pub(crate) fn read(dir: &Path) -> Result<Config, EncodeError> {
        let file = dir.join(CONFIG);
        let found = model_type(dir)?;
        let names = found.as_deref().and_then(Names::of).ok_or_else(|| {
            let found = found.as_deref().unwrap_or("");
            let problem = format!(
                "model_type is {}, expected one of {}, model2vec; choose another model",
                quoted(found),
                Names::known()
            );
            EncodeError::file(&file, problem)
        })?;
        let raw: Raw = json::read(&file)?;
        let fault = |field: &str, found: &dyn std::fmt::Display, expected: &str| {
            let found = short(&found.to_string());
            EncodeError::file(&file, format!("{field} = {found}: expected {expected}; fetch the file again"))
        };
        for (field, found) in [
            ("hidden_size", raw.hidden_size),
            ("num_hidden_layers", raw.num_hidden_layers),
            ("num_attention_heads", raw.num_attention_heads),
            ("intermediate_size", raw.intermediate_size),
            ("max_position_embeddings", raw.max_position_embeddings),
            ("vocab_size", raw.vocab_size),
        ] {
            if !(1..=LARGEST).contains(&found) {
                return Err(fault(field, &found, &format!("1..={LARGEST}")));
            }
        }
        if !raw.hidden_size.is_multiple_of(raw.num_attention_heads) {
            let expected = format!("a divisor of hidden_size = {}", raw.hidden_size);
            return Err(fault("num_attention_heads", &raw.num_attention_heads, &expected));
        }
        if let Some(kind) = raw.position_embedding_type.filter(|kind| kind != "absolute") {
            return Err(fault("position_embedding_type", &kind, "absolute"));
        }
        let padding = raw.pad_token_id.unwrap_or(u32::from(names.padded_positions));
        if names.padded_positions && padding as usize + 1 >= raw.max_position_embeddings {
            return Err(fault("pad_token_id", &padding, "less than max_position_embeddings - 1"));
        }
        let eps = raw.layer_norm_eps.unwrap_or(1e-12);
        if !(eps.is_finite() && eps >= 0.0) {
            return Err(fault("layer_norm_eps", &eps, "a small positive number"));
        }
        let buckets = raw.relative_attention_num_buckets.unwrap_or(32);
        if names.relative && !(4..=LARGEST).contains(&buckets) {
            return Err(fault("relative_attention_num_buckets", &buckets, "4 or more"));
        }
        Ok(Config {
            names,
            width: raw.hidden_size,
            layers: raw.num_hidden_layers,
            heads: raw.num_attention_heads,
            hidden: raw.intermediate_size,
            activation: Activation::named(&file, &raw.hidden_act)?,
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
