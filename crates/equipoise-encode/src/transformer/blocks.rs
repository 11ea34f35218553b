//! Layers whose norms come first: candle's `vit::Encoder`, for every model that has such layers.
//!
//! ```text
//! x <- x + s * (W_o attention(norm x) + b_o)        x <- x + s' * (W_2 f(W_1 norm x + b_1) + b_2)
//! ```
//!
//! Candle's layers have neither the factors `s` (layer scale) nor the activation `x sigmoid(1.702 x)`. Factors multiply the
//! rows of `W_o` and `W_2` with their biases; and `1.702 x sigmoid(1.702 x) = silu(1.702 x)`, so that `W_1` and `b_1` are
//! multiplied by 1.702 and `W_2` divided by it.

use candle_transformers::models::vit::{self, Encoder};

use super::activation::{Activation, QUICK};
use super::source::{Naming, load};
use super::weights::Weights;
use crate::error::EncodeError;

/// What the tensors of a layer are called, after the number of the layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockNames {
    /// What stands before the number.
    pub(crate) before: &'static str,
    pub(crate) attention_norm: &'static str,
    pub(crate) query: &'static str,
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) output: &'static str,
    pub(crate) output_norm: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
    /// The factors of the two residuals.
    pub(crate) scales: Option<[&'static str; 2]>,
}

/// Sizes and kinds of the layers of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockSizes {
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    /// Inputs of the second linear map.
    pub(crate) hidden: usize,
    pub(crate) activation: Activation,
    /// Whether the first map has two halves, of which the second multiplies the SiLU of the first.
    pub(crate) gated: bool,
    pub(crate) eps: f64,
}

/// The layers of these weights, whose names all start with `prefix`.
///
/// # Errors
/// If a tensor is absent or has another shape.
pub(crate) fn blocks(
    weights: &Weights,
    prefix: &str,
    names: &BlockNames,
    sizes: &BlockSizes,
) -> Result<Encoder, EncodeError> {
    let config = vit::Config {
        hidden_size: sizes.width,
        num_hidden_layers: sizes.layers,
        num_attention_heads: sizes.heads,
        intermediate_size: if sizes.gated { 2 * sizes.hidden } else { sizes.hidden },
        hidden_act: if sizes.gated { candle_nn::Activation::Swiglu } else { sizes.activation.of_candle() },
        layer_norm_eps: sizes.eps,
        qkv_bias: true,
        // Of the patches, which are not built here.
        ..vit::Config::vit_base_patch16_224()
    };
    load(weights, &Called { prefix, names, sizes }, |all| Encoder::new(&config, all))
}

/// What candle's layers ask for before the number of a layer.
const ASKED: &str = "layer.";
const OUTPUT: &str = "attention.output.dense";
const UP: &str = "intermediate.dense";
const DOWN: &str = "output.dense";

struct Called<'a> {
    prefix: &'a str,
    names: &'a BlockNames,
    sizes: &'a BlockSizes,
}

impl Called<'_> {
    /// Name of a tensor of the layer of this number.
    fn of_layer(&self, number: &str, name: &str) -> String {
        format!("{}{}{number}.{name}", self.prefix, self.names.before)
    }
}

/// The number of the layer, the part of it, and whether it is the weight or the bias.
fn parts(asked: &str) -> (&str, &str, &str) {
    let rest = asked.strip_prefix(ASKED).unwrap_or(asked);
    let (number, rest) = rest.split_once('.').unwrap_or(("", rest));
    let (part, kind) = rest.rsplit_once('.').unwrap_or((rest, ""));
    (number, part, kind)
}

impl Naming for Called<'_> {
    fn name(&self, asked: &str) -> String {
        let (number, part, kind) = parts(asked);
        let names = self.names;
        let part = match part {
            "attention.attention.query" => names.query,
            "attention.attention.key" => names.key,
            "attention.attention.value" => names.value,
            "layernorm_before" => names.attention_norm,
            "layernorm_after" => names.output_norm,
            OUTPUT => names.output,
            UP => names.up,
            DOWN => names.down,
            other => other,
        };
        self.of_layer(number, &format!("{part}.{kind}"))
    }

    fn shape(&self, asked: &str, shape: &[usize]) -> Vec<usize> {
        match parts(asked) {
            (_, DOWN, "weight") => vec![self.sizes.width, self.sizes.hidden],
            _ => shape.to_vec(),
        }
    }

    fn adapt(&self, asked: &str, values: &mut [f32], weights: &Weights) -> Result<(), EncodeError> {
        let (number, part, kind) = parts(asked);
        let quick = self.sizes.activation == Activation::QuickGelu && !self.sizes.gated;
        match (part, kind) {
            (UP, _) if quick => values.iter_mut().for_each(|v| *v *= QUICK),
            (DOWN, "weight") if quick => values.iter_mut().for_each(|v| *v /= QUICK),
            _ => {}
        }
        let scale = match (part, self.names.scales) {
            (OUTPUT, Some([scale, _])) | (DOWN, Some([_, scale])) => self.of_layer(number, scale),
            _ => return Ok(()),
        };
        let scales = weights.tensor(&scale, &[self.sizes.width])?;
        let rows = values.chunks_exact_mut(values.len() / self.sizes.width);
        rows.zip(scales).for_each(|(row, scale)| row.iter_mut().for_each(|v| *v *= scale));
        Ok(())
    }
}
