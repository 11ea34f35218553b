//! ModernBERT.
//!
//! ```text
//! x_t = norm(word[id_t])
//! x <- x + attention(norm(x))          the first layer without this norm; queries and keys turned by their positions
//! x <- x + W_o (f(a) * b)              [a, b] = W_i norm(x)
//! y = norm(x)                          after the last layer
//! ```
//!
//! Every third layer (`global_attn_every_n_layers`), the first among them, lets a token see the whole text; in the others it
//! sees those at most `local_attention / 2` away, and angles have another base. Source: Warner et al. 2024, *Smarter, Better,
//! Faster, Longer: A Modern Bidirectional Encoder*.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::architecture::{Architecture, Parts};
use super::config::{Angles, CONFIG, Fields, Sizes};
use super::stack::Stack;
use crate::error::EncodeError;
use crate::json;
use crate::transformer::{
    Activation, Attention, Block, LayerNorm, Linear, Norm, Order, Rotation, Sight, Weights,
};

/// The settings, as far as they are read.
#[derive(Deserialize)]
struct Raw {
    #[serde(flatten)]
    sizes: Sizes,
    hidden_activation: Option<String>,
    norm_eps: Option<f32>,
    global_attn_every_n_layers: Option<usize>,
    local_attention: Option<usize>,
    global_rope_theta: Option<f64>,
    local_rope_theta: Option<f64>,
    /// Newer files name the kind of each layer,
    layer_types: Option<Vec<String>>,
    /// and the angles of each kind.
    rope_parameters: Option<ByKind>,
}

#[derive(Deserialize)]
struct ByKind {
    full_attention: Angles,
    sliding_attention: Angles,
}

/// A ModernBERT, checked.
struct ModernBert {
    width: usize,
    heads: usize,
    hidden: usize,
    activation: Activation,
    vocabulary: usize,
    eps: f32,
    /// For each layer, whether a token sees the whole text.
    global: Vec<bool>,
    /// How far the others see.
    reach: usize,
    /// Bases of the angles where a token sees the whole text, and elsewhere.
    bases: [f64; 2],
}

/// Reads `config.json` of the folder.
///
/// # Errors
/// If a setting is absent or out of its range.
pub(crate) fn read(dir: &Path) -> Result<Architecture, EncodeError> {
    let file = dir.join(CONFIG);
    let raw: Raw = json::read(&file)?;
    let fields = Fields(&file);
    let sizes = &raw.sizes;
    sizes.check(fields)?;
    let positions = ("max_position_embeddings", sizes.max_position_embeddings);
    fields.turns(sizes.columns_of_a_head(fields)?, positions)?;
    let eps = raw.norm_eps.unwrap_or(1e-5);
    fields.eps("norm_eps", eps)?;
    let activation = Activation::named(&file, raw.hidden_activation.as_deref().unwrap_or("gelu"))?;
    let parts = ModernBert {
        width: sizes.hidden_size,
        heads: sizes.num_attention_heads,
        hidden: sizes.intermediate_size,
        activation,
        vocabulary: sizes.vocab_size,
        eps,
        reach: raw.local_attention.unwrap_or(128) / 2,
        bases: raw.bases(fields)?,
        global: raw.global(fields)?,
    };
    Ok(Architecture {
        name: "modernbert",
        width: sizes.hidden_size,
        vocabulary: sizes.vocab_size,
        most_tokens: sizes.max_position_embeddings,
        parts: Box::new(parts),
    })
}

impl Raw {
    /// Which layers see the whole text.
    fn global(&self, fields: Fields<'_>) -> Result<Vec<bool>, EncodeError> {
        let Some(kinds) = &self.layer_types else {
            let every = self.global_attn_every_n_layers.unwrap_or(3);
            fields.counts(&[("global_attn_every_n_layers", every)])?;
            return Ok((0..self.sizes.num_hidden_layers).map(|n| n.is_multiple_of(every)).collect());
        };
        if kinds.len() != self.sizes.num_hidden_layers {
            let expected = format!("num_hidden_layers = {} entries", self.sizes.num_hidden_layers);
            return Err(fields.fault("layer_types", format_args!("{} entries", kinds.len()), &expected));
        }
        let kind = |kind: &String| match &kind[..] {
            "full_attention" => Ok(true),
            "sliding_attention" => Ok(false),
            _ => Err(fields.fault("layer_types", kind, "full_attention or sliding_attention")),
        };
        kinds.iter().map(kind).collect()
    }

    /// The bases of the angles.
    fn bases(&self, fields: Fields<'_>) -> Result<[f64; 2], EncodeError> {
        let newer = self.rope_parameters.as_ref();
        let (global, local) = (newer.map(|by| &by.full_attention), newer.map(|by| &by.sliding_attention));
        Ok([
            fields.base(global, ("global_rope_theta", self.global_rope_theta), 160_000.0)?,
            fields.base(local, ("local_rope_theta", self.local_rope_theta), 10_000.0)?,
        ])
    }
}

impl Parts for ModernBert {
    fn stack(&self, weights: &Weights, length: usize) -> Result<Stack, EncodeError> {
        let words = "embeddings.tok_embeddings.weight";
        let prefix = if weights.has(words) { "" } else { "model." };
        let table = weights.tensor(&format!("{prefix}{words}"), &[self.vocabulary, self.width])?;
        let rotations = self.bases.map(|base| Arc::new(Rotation::new(self.width / self.heads, length, base)));
        let blocks = (0..self.global.len()).map(|n| self.block(weights, prefix, n, &rotations));
        Ok(Stack {
            words: table,
            positions: Vec::new(),
            padding: None,
            norm: self.norm(weights, &format!("{prefix}embeddings.norm"))?,
            blocks: blocks.collect::<Result<_, _>>()?,
            bias: None,
            last: self.norm(weights, &format!("{prefix}final_norm"))?,
            width: self.width,
        })
    }
}

impl ModernBert {
    fn block(
        &self,
        weights: &Weights,
        prefix: &str,
        n: usize,
        [global, local]: &[Arc<Rotation>; 2],
    ) -> Result<Block, EncodeError> {
        let (width, hidden) = (self.width, self.hidden);
        let linear = |part: &str, inputs: usize, outputs: usize| {
            Linear::load(weights, &format!("{prefix}layers.{n}.{part}"), inputs, outputs)
        };
        let norm = |part: &str| self.norm(weights, &format!("{prefix}layers.{n}.{part}"));
        let qkv = linear("attn.Wqkv", width, 3 * width)?;
        let attention = Attention::stacked(qkv, linear("attn.Wo", width, width)?, (self.heads, self.heads));
        let (sight, rotation) =
            if self.global[n] { (Sight::All, global) } else { (Sight::Near(self.reach), local) };
        Ok(Block {
            attention: attention.seeing(sight).turned(Arc::clone(rotation)),
            attention_norm: if n == 0 { Norm::Identity } else { norm("attn_norm")? },
            up: linear("mlp.Wi", width, 2 * hidden)?,
            activation: self.activation,
            down: linear("mlp.Wo", hidden, width)?,
            output_norm: norm("mlp_norm")?,
            order: Order::PreNorm,
            scales: None,
        })
    }

    fn norm(&self, weights: &Weights, name: &str) -> Result<Norm, EncodeError> {
        Ok(LayerNorm::load_maybe_without_bias(weights, name, self.width, self.eps)?.into())
    }
}
