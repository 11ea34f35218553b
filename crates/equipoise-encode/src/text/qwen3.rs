//! Qwen3, as its embedding models have it: a decoder, whose last token stands for the text.
//!
//! ```text
//! x_t = word[id_t]
//! x <- x + attention(norm(x))           a token sees those before it; queries and keys normalised, then turned
//! x <- x + W_down (silu(W_gate z) * W_up z),  z = norm(x)
//! y = norm(x)                           after the last layer; norms by root mean square
//! ```
//!
//! Source: Yang et al. 2025, *Qwen3 Technical Report*; Zhang et al. 2025, *Qwen3 Embedding*.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::architecture::{Architecture, Parts};
use super::config::{Angles, CONFIG, Fields, Sizes};
use super::stack::Stack;
use crate::error::EncodeError;
use crate::json;
use crate::transformer::{
    Activation, Attention, Block, Linear, Norm, Order, RootMeanSquare, Rotation, Sight, Weights,
};

/// The settings, as far as they are read.
#[derive(Deserialize)]
struct Raw {
    #[serde(flatten)]
    sizes: Sizes,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    hidden_act: String,
    rms_norm_eps: Option<f32>,
    rope_theta: Option<f64>,
    rope_parameters: Option<Angles>,
    rope_scaling: Option<Value>,
    use_sliding_window: Option<bool>,
}

/// A Qwen3, checked.
struct Qwen3 {
    width: usize,
    layers: usize,
    heads: usize,
    groups: usize,
    /// Columns of a head.
    d: usize,
    hidden: usize,
    activation: Activation,
    vocabulary: usize,
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
    let sizes = &raw.sizes;
    sizes.check(fields)?;
    let heads = sizes.num_attention_heads;
    let groups = raw.num_key_value_heads.unwrap_or(heads);
    fields.counts(&[("num_key_value_heads", groups)])?;
    fields.divides(("num_key_value_heads", groups), ("num_attention_heads", heads))?;
    let d = raw.columns_of_a_head(fields)?;
    fields.turns(d, ("max_position_embeddings", sizes.max_position_embeddings))?;
    let eps = raw.rms_norm_eps.unwrap_or(1e-6);
    fields.eps("rms_norm_eps", eps)?;
    let parts = Qwen3 {
        width: sizes.hidden_size,
        layers: sizes.num_hidden_layers,
        heads,
        groups,
        d,
        hidden: sizes.intermediate_size,
        activation: Activation::named(&file, &raw.hidden_act)?,
        vocabulary: sizes.vocab_size,
        eps,
        base: raw.base(fields)?,
    };
    Ok(Architecture {
        name: "qwen3",
        width: sizes.hidden_size,
        vocabulary: sizes.vocab_size,
        most_tokens: sizes.max_position_embeddings,
        parts: Box::new(parts),
    })
}

impl Raw {
    fn columns_of_a_head(&self, fields: Fields<'_>) -> Result<usize, EncodeError> {
        match self.head_dim {
            Some(d) => fields.counts(&[("head_dim", d)]).map(|()| d),
            None => self.sizes.columns_of_a_head(fields),
        }
    }

    /// The base of the angles.
    fn base(&self, fields: Fields<'_>) -> Result<f64, EncodeError> {
        if let Some(scaling) = &self.rope_scaling {
            fields.only(false, "rope_scaling", scaling, "null")?;
        }
        fields.only(self.use_sliding_window != Some(true), "use_sliding_window", true, "false")?;
        fields.base(self.rope_parameters.as_ref(), ("rope_theta", self.rope_theta), 10_000.0)
    }
}

impl Parts for Qwen3 {
    fn stack(&self, weights: &Weights, length: usize) -> Result<Stack, EncodeError> {
        let words = "embed_tokens.weight";
        let prefix = if weights.has(words) { "" } else { "model." };
        let table = weights.tensor(&format!("{prefix}{words}"), &[self.vocabulary, self.width])?;
        let rotation = Arc::new(Rotation::new(self.d, length, self.base));
        let blocks =
            (0..self.layers).map(|n| self.block(weights, &format!("{prefix}layers.{n}."), &rotation));
        Ok(Stack {
            words: table,
            positions: Vec::new(),
            padding: None,
            norm: Norm::Identity,
            blocks: blocks.collect::<Result<_, _>>()?,
            bias: None,
            last: self.norm(weights, &format!("{prefix}norm"), self.width)?,
            width: self.width,
        })
    }
}

impl Qwen3 {
    fn block(&self, weights: &Weights, prefix: &str, rotation: &Arc<Rotation>) -> Result<Block, EncodeError> {
        let (width, hidden, queries, keys) =
            (self.width, self.hidden, self.heads * self.d, self.groups * self.d);
        let linear = |part: &str, inputs: usize, outputs: usize| {
            Linear::load(weights, &format!("{prefix}{part}"), inputs, outputs)
        };
        let norm = |part: &str, width: usize| self.norm(weights, &format!("{prefix}{part}"), width);
        let qkv = [
            linear("self_attn.q_proj", width, queries)?,
            linear("self_attn.k_proj", width, keys)?,
            linear("self_attn.v_proj", width, keys)?,
        ];
        let output = linear("self_attn.o_proj", queries, width)?;
        let attention = Attention::stacked(Linear::stacked(&qkv), output, (self.heads, self.groups))
            .seeing(Sight::Past)
            .normed(norm("self_attn.q_norm", self.d)?, norm("self_attn.k_norm", self.d)?)
            .turned(Arc::clone(rotation));
        let up = [linear("mlp.gate_proj", width, hidden)?, linear("mlp.up_proj", width, hidden)?];
        Ok(Block {
            attention,
            attention_norm: norm("input_layernorm", width)?,
            up: Linear::stacked(&up),
            activation: self.activation,
            down: linear("mlp.down_proj", hidden, width)?,
            output_norm: norm("post_attention_layernorm", width)?,
            order: Order::PreNorm,
            scales: None,
        })
    }

    fn norm(&self, weights: &Weights, name: &str, width: usize) -> Result<Norm, EncodeError> {
        Ok(RootMeanSquare::load(weights, name, width, self.eps)?.into())
    }
}
