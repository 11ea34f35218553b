//! `config.json` of NomicBERT (Nussbaum et al. 2024, *Nomic Embed*), and candle's model of it.

use std::path::PathBuf;

use candle_transformers::models::nomic_bert::{self, NomicBertModel};
use serde::Deserialize;

use super::ranges::Ranges;
use crate::error::EncodeError;
use crate::json;
use crate::transformer::{AsTheyAre, Weights, load};

/// Value of `model_type`.
pub(crate) const TYPE: &str = "nomic_bert";

/// Settings, checked.
pub(crate) struct Config {
    /// The file.
    pub(crate) file: PathBuf,
    inner: nomic_bert::Config,
    most: usize,
}

#[derive(Deserialize)]
struct Raw {
    vocab_size: usize,
    n_embd: usize,
    n_head: usize,
    n_layer: usize,
    n_inner: usize,
    n_positions: usize,
    max_trained_positions: Option<usize>,
    type_vocab_size: usize,
    layer_norm_epsilon: f64,
    rotary_emb_fraction: f64,
    rotary_emb_base: f64,
    #[serde(default)]
    rotary_emb_interleaved: bool,
    rotary_emb_scale_base: Option<f64>,
    #[serde(default)]
    qkv_proj_bias: bool,
    #[serde(default)]
    mlp_fc1_bias: bool,
    #[serde(default)]
    mlp_fc2_bias: bool,
    activation_function: String,
    #[serde(default)]
    prenorm: bool,
    #[serde(default)]
    causal: bool,
    #[serde(default)]
    parallel_block: bool,
    #[serde(default)]
    use_rms_norm: bool,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// If a setting is absent, out of its range, or one that candle's model does not have.
    pub(crate) fn read(file: PathBuf) -> Result<Config, EncodeError> {
        let raw: Raw = json::read(&file)?;
        raw.check(&Ranges { file: &file })?;
        // Beyond them, the authors' code stretches the rotations with the length of the text; candle's does not.
        let most = raw.max_trained_positions.filter(|&most| most > 0).unwrap_or(raw.n_positions);
        let inner = nomic_bert::Config {
            vocab_size: raw.vocab_size,
            n_embd: raw.n_embd,
            n_head: raw.n_head,
            n_layer: raw.n_layer,
            n_inner: raw.n_inner,
            n_positions: raw.n_positions,
            type_vocab_size: raw.type_vocab_size,
            layer_norm_epsilon: raw.layer_norm_epsilon,
            rotary_emb_fraction: raw.rotary_emb_fraction,
            rotary_emb_base: raw.rotary_emb_base,
            rotary_emb_interleaved: raw.rotary_emb_interleaved,
            qkv_proj_bias: raw.qkv_proj_bias,
            mlp_fc1_bias: raw.mlp_fc1_bias,
            mlp_fc2_bias: raw.mlp_fc2_bias,
            activation_function: raw.activation_function,
            prenorm: raw.prenorm,
            model_type: None,
        };
        Ok(Config { file, most: most.min(inner.n_positions), inner })
    }

    pub(crate) fn width(&self) -> usize {
        self.inner.n_embd
    }

    pub(crate) fn vocabulary(&self) -> usize {
        self.inner.vocab_size
    }

    /// Most tokens of a text: those that the model was trained with.
    pub(crate) fn most_tokens(&self) -> usize {
        self.most
    }
}

impl Raw {
    fn check(&self, ranges: &Ranges) -> Result<(), EncodeError> {
        ranges.sizes(&[
            ("vocab_size", self.vocab_size),
            ("n_embd", self.n_embd),
            ("n_head", self.n_head),
            ("n_layer", self.n_layer),
            ("n_inner", self.n_inner),
            ("n_positions", self.n_positions),
            ("type_vocab_size", self.type_vocab_size),
        ])?;
        ranges.rotated(["n_embd", "n_head"], self.n_embd, self.n_head)?;
        ranges.eps("layer_norm_epsilon", self.layer_norm_epsilon)?;
        let base = self.rotary_emb_base;
        ranges.only("rotary_emb_base", base, base.is_finite() && base >= 1.0, "1 or more")?;
        ranges.only("rotary_emb_fraction", self.rotary_emb_fraction, self.rotary_emb_fraction == 1.0, "1")?;
        if let Some(scale) = self.rotary_emb_scale_base {
            ranges.only("rotary_emb_scale_base", scale, false, "null")?;
        }
        let kind = &self.activation_function;
        ranges.only("activation_function", kind, kind == "swiglu", "swiglu")?;
        for (field, set) in [
            ("causal", self.causal),
            ("parallel_block", self.parallel_block),
            ("use_rms_norm", self.use_rms_norm),
        ] {
            ranges.only(field, set, !set, "false")?;
        }
        Ok(())
    }
}

/// Takes the weights that `config` asks for; positions are made for `length` tokens.
///
/// # Errors
/// If one is absent or has another shape.
pub(crate) fn load_model(
    config: &Config,
    weights: &Weights,
    length: usize,
) -> Result<NomicBertModel, EncodeError> {
    let inner = nomic_bert::Config { n_positions: length, ..config.inner.clone() };
    load(weights, &AsTheyAre, |all| NomicBertModel::load(all, &inner))
}
