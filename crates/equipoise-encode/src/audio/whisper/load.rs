//! The encoder from its file of weights.

use std::path::Path;

use super::Tower;
use super::config::Spec;
use crate::error::EncodeError;
use crate::transformer::{Activation, Attention, Block, LayerNorm, Linear, Order, Weights};

/// What names may start with: a whole model, one saved without its head, an encoder alone.
const PREFIXES: [&str; 3] = ["model.encoder.", "encoder.", ""];
/// What layer norms add to the variance.
const EPS: f32 = 1e-5;

/// What loading goes by.
struct Source<'a> {
    spec: &'a Spec,
    weights: &'a Weights,
    prefix: &'static str,
    activation: Activation,
}

impl Tower {
    /// The encoder of these weights. `config` is the file of the `spec`.
    ///
    /// # Errors
    /// If a tensor is absent or has another shape, or the activation is unknown.
    pub(super) fn load(spec: &Spec, config: &Path, weights: &Weights) -> Result<Tower, EncodeError> {
        let there = |prefix: &&&str| weights.has(&format!("{prefix}conv1.weight"));
        let prefix = PREFIXES.iter().find(there).unwrap_or(&PREFIXES[0]);
        let activation = Activation::named(config, &spec.activation)?;
        let source = Source { spec, weights, prefix, activation };
        let width = spec.width;
        Ok(Tower {
            bands: spec.bands,
            width,
            convolutions: [source.convolution("conv1", spec.bands)?, source.convolution("conv2", width)?],
            activation,
            positions: source.tensor("embed_positions.weight", &[spec.positions, width])?,
            blocks: (0..spec.layers).map(|layer| source.block(layer)).collect::<Result<_, _>>()?,
            norm: source.norm("layer_norm")?,
        })
    }
}

impl Source<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EncodeError> {
        self.weights.tensor(&format!("{}{name}", self.prefix), shape)
    }

    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, EncodeError> {
        Linear::load(self.weights, &format!("{}{name}", self.prefix), inputs, outputs)
    }

    fn norm(&self, name: &str) -> Result<LayerNorm, EncodeError> {
        LayerNorm::load(self.weights, &format!("{}{name}", self.prefix), self.spec.width, EPS)
    }

    /// A kernel `[width, inputs, 3]` as a map of three rows one behind the other.
    fn convolution(&self, name: &str, inputs: usize) -> Result<Linear, EncodeError> {
        let width = self.spec.width;
        let kernel = self.tensor(&format!("{name}.weight"), &[width, inputs, 3])?;
        let bias = self.tensor(&format!("{name}.bias"), &[width])?;
        let value = |k: usize| {
            let (output, row, input) = (k / (3 * inputs), k / inputs % 3, k % inputs);
            kernel[(output * inputs + input) * 3 + row]
        };
        Ok(Linear::new((0..kernel.len()).map(value).collect(), bias, 3 * inputs, width))
    }

    fn block(&self, layer: usize) -> Result<Block, EncodeError> {
        let (width, hidden) = (self.spec.width, self.spec.hidden);
        let name = |name: &str| format!("layers.{layer}.{name}");
        let square = |part: &str| self.linear(&name(&format!("self_attn.{part}")), width, width);
        let attention = Attention::new(
            square("q_proj")?,
            square("k_proj")?,
            square("v_proj")?,
            square("out_proj")?,
            self.spec.heads,
        );
        Ok(Block {
            attention,
            attention_norm: self.norm(&name("self_attn_layer_norm"))?.into(),
            up: self.linear(&name("fc1"), width, hidden)?,
            activation: self.activation,
            down: self.linear(&name("fc2"), hidden, width)?,
            output_norm: self.norm(&name("final_layer_norm"))?.into(),
            order: Order::PreNorm,
            scales: None,
        })
    }
}
