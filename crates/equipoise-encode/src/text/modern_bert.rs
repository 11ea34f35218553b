//! `config.json` of ModernBERT (Warner et al. 2024, *Smarter, Better, Faster, Longer*), and candle's model of it.

use std::path::PathBuf;

use candle_core::{DType, Device, Result, Tensor};
use candle_transformers::models::modernbert;
use serde::Deserialize;

use super::ranges::Ranges;
use crate::error::EncodeError;
use crate::json;
use crate::transformer::{Naming, Weights, load};

/// Value of `model_type`.
pub(crate) const TYPE: &str = "modernbert";

/// What may stand before every name: a model that was saved with its head has it, and candle asks for it.
const PREFIX: &str = "model.";

/// Settings, checked.
pub(crate) struct Config {
    /// The file.
    pub(crate) file: PathBuf,
    inner: modernbert::Config,
}

#[derive(Deserialize)]
struct Raw {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    norm_eps: Option<f64>,
    global_attn_every_n_layers: usize,
    global_rope_theta: f64,
    local_attention: usize,
    local_rope_theta: f64,
    #[serde(default = "gelu")]
    hidden_activation: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    norm_bias: bool,
}

fn gelu() -> String {
    "gelu".into()
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// If a setting is absent, out of its range, or one that candle's model does not have.
    pub(crate) fn read(file: PathBuf) -> std::result::Result<Config, EncodeError> {
        let raw: Raw = json::read(&file)?;
        let ranges = Ranges { file: &file };
        ranges.sizes(&[
            ("vocab_size", raw.vocab_size),
            ("hidden_size", raw.hidden_size),
            ("num_hidden_layers", raw.num_hidden_layers),
            ("num_attention_heads", raw.num_attention_heads),
            ("intermediate_size", raw.intermediate_size),
            ("max_position_embeddings", raw.max_position_embeddings),
            ("global_attn_every_n_layers", raw.global_attn_every_n_layers),
            ("local_attention", raw.local_attention),
        ])?;
        ranges.rotated(["hidden_size", "num_attention_heads"], raw.hidden_size, raw.num_attention_heads)?;
        let eps = raw.norm_eps.unwrap_or(1e-5);
        ranges.eps("norm_eps", eps)?;
        for (field, base) in
            [("global_rope_theta", raw.global_rope_theta), ("local_rope_theta", raw.local_rope_theta)]
        {
            ranges.only(field, base, base.is_finite() && base >= 1.0, "1 or more")?;
        }
        let kind = &raw.hidden_activation;
        ranges.only("hidden_activation", kind, kind == "gelu", "gelu")?;
        for (field, set) in
            [("attention_bias", raw.attention_bias), ("mlp_bias", raw.mlp_bias), ("norm_bias", raw.norm_bias)]
        {
            ranges.only(field, set, !set, "false")?;
        }
        let inner = modernbert::Config {
            vocab_size: raw.vocab_size,
            hidden_size: raw.hidden_size,
            num_hidden_layers: raw.num_hidden_layers,
            num_attention_heads: raw.num_attention_heads,
            intermediate_size: raw.intermediate_size,
            max_position_embeddings: raw.max_position_embeddings,
            layer_norm_eps: eps,
            pad_token_id: 0,
            global_attn_every_n_layers: raw.global_attn_every_n_layers,
            global_rope_theta: raw.global_rope_theta,
            local_attention: raw.local_attention,
            local_rope_theta: raw.local_rope_theta,
            classifier_config: None,
        };
        Ok(Config { file, inner })
    }

    pub(crate) fn width(&self) -> usize {
        self.inner.hidden_size
    }

    pub(crate) fn vocabulary(&self) -> usize {
        self.inner.vocab_size
    }

    /// Most tokens that have a position.
    pub(crate) fn most_tokens(&self) -> usize {
        self.inner.max_position_embeddings
    }
}

/// The names of a file with or without what stands before all of them.
struct Called {
    bare: bool,
}

impl Naming for Called {
    fn name(&self, asked: &str) -> String {
        let bare = asked.strip_prefix(PREFIX).filter(|_| self.bare);
        bare.unwrap_or(asked).to_owned()
    }
}

/// The model, whose layers see all tokens and near ones by turns.
pub(crate) struct ModernBert(modernbert::ModernBert);

impl ModernBert {
    /// Takes the weights that `config` asks for; positions are made for `length` tokens.
    ///
    /// # Errors
    /// If one is absent or has another shape.
    pub(crate) fn load(
        config: &Config,
        weights: &Weights,
        length: usize,
    ) -> std::result::Result<ModernBert, EncodeError> {
        let bare = weights.has("embeddings.tok_embeddings.weight");
        let called = Called { bare };
        // Only the first layer may lack this norm; candle's model would do without any of them.
        for layer in 1..config.inner.num_hidden_layers {
            weights.shape(&called.name(&format!("model.layers.{layer}.attn_norm.weight")))?;
        }
        let inner = modernbert::Config { max_position_embeddings: length, ..config.inner.clone() };
        load(weights, &called, |all| modernbert::ModernBert::load(all, &inner)).map(ModernBert)
    }

    /// The rows of the last layer, `[sequences, tokens, width]`.
    pub(crate) fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        self.0.forward(ids, &Tensor::ones(ids.shape(), DType::U32, &Device::Cpu)?)
    }
}
