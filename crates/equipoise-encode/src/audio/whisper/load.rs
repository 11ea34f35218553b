//! The encoder from its file of weights.

use std::path::Path;

use candle_core::Tensor;
use candle_nn::{Conv1d, Conv1dConfig, conv1d, layer_norm};

use super::config::Spec;
use super::{STRIDE, Tower};
use crate::error::EncodeError;
use crate::transformer::{Activation, BlockNames, BlockSizes, Prefixed, Weights, blocks, load};

/// What names may start with: a whole model, one saved without its head, an encoder alone.
const PREFIXES: [&str; 3] = ["model.encoder.", "encoder.", ""];
/// What layer norms add to the variance.
const EPS: f64 = 1e-5;

const NAMES: BlockNames = BlockNames {
    before: "layers.",
    attention_norm: "self_attn_layer_norm",
    query: "self_attn.q_proj",
    key: "self_attn.k_proj",
    value: "self_attn.v_proj",
    output: "self_attn.out_proj",
    output_norm: "final_layer_norm",
    up: "fc1",
    down: "fc2",
    scales: None,
};

impl Tower {
    /// The encoder of these weights. `config` is the file of the `spec`.
    ///
    /// # Errors
    /// If a tensor is absent or has another shape, or the activation is unknown.
    pub(super) fn load(spec: &Spec, config: &Path, weights: &Weights) -> Result<Tower, EncodeError> {
        let there = |prefix: &&&str| weights.has(&format!("{prefix}conv1.weight"));
        let prefix = *PREFIXES.iter().find(there).unwrap_or(&PREFIXES[0]);
        let (width, rows) = (spec.width, spec.positions);
        let sizes = BlockSizes {
            width,
            layers: spec.layers,
            heads: spec.heads,
            hidden: spec.hidden,
            activation: Activation::named(config, &spec.activation)?,
            gated: false,
            eps: EPS,
        };
        let convolution = |name: &str, inputs: usize, stride: usize| -> Result<Conv1d, EncodeError> {
            let settings = Conv1dConfig { padding: 1, stride, ..Conv1dConfig::default() };
            load(weights, &Prefixed(prefix), |all| conv1d(inputs, width, 3, settings, all.pp(name)))
        };
        let positions = |all: candle_nn::VarBuilder| -> candle_core::Result<Tensor> {
            all.get((rows, width), "embed_positions.weight")
        };
        Ok(Tower {
            bands: spec.bands,
            width,
            rows,
            convolutions: [convolution("conv1", spec.bands, 1)?, convolution("conv2", width, STRIDE)?],
            activation: sizes.activation,
            positions: load(weights, &Prefixed(prefix), positions)?,
            encoder: blocks(weights, prefix, &NAMES, &sizes)?,
            norm: load(weights, &Prefixed(prefix), |all| layer_norm(width, EPS, all.pp("layer_norm")))?,
        })
    }
}
