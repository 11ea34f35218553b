//! Nomic's BERT: norms after residuals as in BERT, queries and keys turned by their positions, a gated linear unit.
//!
//! ```text
//! x_t = norm(word[id_t] + segment[0])
//! x <- norm(x + attention(x))
//! x <- norm(x + W_2 (f(W_12 x) * W_11 x))
//! ```
//!
//! Source: Nussbaum et al. 2024, *Nomic Embed: Training a Reproducible Long Context Text Embedder*.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::architecture::{Architecture, Parts};
use super::config::{Angles, CONFIG, Fields};
use super::stack::{Stack, add_to_rows};
use crate::error::EncodeError;
use crate::json;
use crate::transformer::{Activation, Attention, Block, LayerNorm, Linear, Norm, Order, Rotation, Weights};

/// The settings, as far as they are read; the second names are those of newer files.
#[derive(Deserialize)]
struct Raw {
    #[serde(alias = "hidden_size")]
    n_embd: usize,
    #[serde(alias = "num_hidden_layers")]
    n_layer: usize,
    #[serde(alias = "num_attention_heads")]
    n_head: usize,
    #[serde(alias = "intermediate_size")]
    n_inner: Option<usize>,
    #[serde(alias = "max_position_embeddings")]
    n_positions: usize,
    max_trained_positions: Option<usize>,
    vocab_size: usize,
    pad_vocab_size_multiple: Option<usize>,
    type_vocab_size: Option<usize>,
    #[serde(alias = "hidden_act")]
    activation_function: String,
    #[serde(alias = "layer_norm_eps")]
    layer_norm_epsilon: Option<f32>,
    head_dim: Option<usize>,
    rotary_emb_base: Option<f64>,
    /// Instead of the settings of `rotary_` in newer files.
    rope_parameters: Option<Angles>,
    rotary_emb_fraction: Option<f64>,
    rotary_emb_interleaved: Option<bool>,
    rotary_scaling_factor: Option<f64>,
    prenorm: Option<bool>,
    parallel_block: Option<bool>,
    causal: Option<bool>,
    use_rms_norm: Option<bool>,
    num_experts: Option<usize>,
}

/// A model of Nomic, checked.
struct NomicBert {
    width: usize,
    layers: usize,
    heads: usize,
    hidden: usize,
    activation: Activation,
    vocabulary: usize,
    segments: usize,
    eps: f32,
    base: f64,
}

/// Reads `config.json` of the folder.
///
/// # Errors
/// If a setting is absent, out of its range, or of a model that is computed otherwise.
pub(crate) fn read(dir: &Path) -> Result<Architecture, EncodeError> {
    let file = dir.join(CONFIG);
    let raw: Raw = json::read(&file)?;
    let fields = Fields(&file);
    let hidden = raw.n_inner.unwrap_or(raw.n_embd.saturating_mul(4));
    let multiple = raw.pad_vocab_size_multiple.unwrap_or(1);
    fields.counts(&[
        ("n_embd", raw.n_embd),
        ("n_layer", raw.n_layer),
        ("n_head", raw.n_head),
        ("n_inner", hidden),
        ("n_positions", raw.n_positions),
        ("vocab_size", raw.vocab_size),
        ("pad_vocab_size_multiple", multiple),
    ])?;
    fields.divides(("n_head", raw.n_head), ("n_embd", raw.n_embd))?;
    fields.turns(raw.n_embd / raw.n_head, ("n_positions", raw.n_positions))?;
    raw.only_what_is_computed(fields)?;
    let eps = raw.layer_norm_epsilon.unwrap_or(1e-12);
    fields.eps("layer_norm_epsilon", eps)?;
    let given = ("rotary_emb_base", raw.rotary_emb_base);
    let base = fields.base(raw.rope_parameters.as_ref(), given, 10_000.0)?;
    let vocabulary = raw.vocab_size.next_multiple_of(multiple);
    let parts = NomicBert {
        width: raw.n_embd,
        layers: raw.n_layer,
        heads: raw.n_head,
        hidden,
        activation: raw.activation(fields)?,
        vocabulary,
        segments: raw.type_vocab_size.unwrap_or(2),
        eps,
        base,
    };
    Ok(Architecture {
        name: "nomic_bert",
        width: raw.n_embd,
        vocabulary,
        most_tokens: raw.positions(),
        parts: Box::new(parts),
    })
}

impl Raw {
    fn only_what_is_computed(&self, fields: Fields<'_>) -> Result<(), EncodeError> {
        let switches = [
            ("rotary_emb_interleaved", self.rotary_emb_interleaved),
            ("prenorm", self.prenorm),
            ("parallel_block", self.parallel_block),
            ("causal", self.causal),
            ("use_rms_norm", self.use_rms_norm),
        ];
        for (field, found) in switches {
            fields.only(found != Some(true), field, true, "false")?;
        }
        let d = self.n_embd / self.n_head;
        fields.only(
            self.head_dim.is_none_or(|found| found == d),
            "head_dim",
            self.head_dim.unwrap_or(d),
            &d.to_string(),
        )?;
        let unsaid = if self.rope_parameters.is_some() { 1.0 } else { 0.0 };
        let fraction = self.rotary_emb_fraction.unwrap_or(unsaid);
        fields.only(fraction == 1.0, "rotary_emb_fraction", fraction, "1")?;
        let experts = self.num_experts.unwrap_or(0);
        fields.only(experts == 0, "num_experts", experts, "0")
    }

    fn activation(&self, fields: Fields<'_>) -> Result<Activation, EncodeError> {
        match &self.activation_function[..] {
            "swiglu" | "silu" => Ok(Activation::Silu),
            "geglu" => Ok(Activation::Gelu),
            other => Err(fields.fault("activation_function", other, "swiglu or geglu")),
        }
    }

    /// Positions; where the angles of longer texts would be scaled, only those that need no scaling.
    fn positions(&self) -> usize {
        match (self.rotary_scaling_factor, self.max_trained_positions) {
            (Some(_), Some(trained)) => trained.clamp(1, self.n_positions),
            _ => self.n_positions,
        }
    }
}

impl Parts for NomicBert {
    fn stack(&self, weights: &Weights, length: usize) -> Result<Stack, EncodeError> {
        let mut words =
            weights.tensor("embeddings.word_embeddings.weight", &[self.vocabulary, self.width])?;
        if self.segments > 0 {
            let name = "embeddings.token_type_embeddings.weight";
            let segments = weights.tensor(name, &[self.segments, self.width])?;
            add_to_rows(&mut words, &segments[..self.width]);
        }
        let rotation = Arc::new(Rotation::new(self.width / self.heads, length, self.base));
        let blocks = (0..self.layers).map(|n| self.block(weights, n, &rotation));
        Ok(Stack {
            words,
            positions: Vec::new(),
            padding: None,
            norm: self.norm(weights, "emb_ln")?,
            blocks: blocks.collect::<Result<_, _>>()?,
            bias: None,
            last: Norm::Identity,
            width: self.width,
        })
    }
}

impl NomicBert {
    fn block(&self, weights: &Weights, n: usize, rotation: &Arc<Rotation>) -> Result<Block, EncodeError> {
        let (width, hidden) = (self.width, self.hidden);
        let linear = |part: &str, inputs: usize, outputs: usize| {
            Linear::load(weights, &format!("encoder.layers.{n}.{part}"), inputs, outputs)
        };
        let norm = |part: &str| self.norm(weights, &format!("encoder.layers.{n}.{part}"));
        let qkv = linear("attn.Wqkv", width, 3 * width)?;
        let output = linear("attn.out_proj", width, width)?;
        // The activation is of the second map.
        let up = [linear("mlp.fc12", width, hidden)?, linear("mlp.fc11", width, hidden)?];
        Ok(Block {
            attention: Attention::stacked(qkv, output, (self.heads, self.heads)).turned(Arc::clone(rotation)),
            attention_norm: norm("norm1")?,
            up: Linear::stacked(&up),
            activation: self.activation,
            down: linear("mlp.fc2", hidden, width)?,
            output_norm: norm("norm2")?,
            order: Order::PostNorm,
            scales: None,
        })
    }

    fn norm(&self, weights: &Weights, name: &str) -> Result<Norm, EncodeError> {
        Ok(LayerNorm::load(weights, name, self.width, self.eps)?.into())
    }
}
