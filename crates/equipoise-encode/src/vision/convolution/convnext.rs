//! ConvNeXt and ConvNeXt V2.
//!
//! ```text
//! x = norm(conv_4x4, stride 4 (picture))
//! x <- conv_2x2, stride 2 (norm(x))                                   before each stage but the first
//! x <- x + s * W_2 r(f(W_1 norm(depthwise_7x7(x))))                   s: 1 in V2, which has r; r is nothing in V1
//! r(h) = w * h * n + b + h,   n_c = |h_c| / (mean over c of |h_c| + 1e-6),   |h_c|: Euclidean norm over pixels
//! row = norm(mean over pixels of x)
//! ```
//!
//! Sources: Liu et al., CVPR 2022, *A ConvNet for the 2020s*; Woo et al., CVPR 2023, *ConvNeXt V2*.

use std::path::Path;

use serde::Deserialize;

use super::conv::{Convolution, Shape};
use super::depthwise::Depthwise;
use super::grid::Grid;
use super::network::{Network, OfSize};
use crate::error::EncodeError;
use crate::json;
use crate::transformer::{Activation, LayerNorm, Linear, Weights, add};
use crate::vision::picture_model::PictureModel;
use crate::vision::pooling::ImagePooling;

/// What the norms before the last add to the variance.
const EPS: f32 = 1e-6;

/// Edge of the windows of each channel.
const WINDOW: usize = 7;

/// The settings, which have the defaults of the library that writes them where they are left out.
#[derive(Deserialize)]
#[serde(default)]
struct Raw {
    model_type: String,
    num_channels: usize,
    patch_size: usize,
    hidden_sizes: Vec<usize>,
    depths: Vec<usize>,
    hidden_act: String,
    layer_norm_eps: f32,
}

impl Default for Raw {
    fn default() -> Raw {
        Raw {
            model_type: String::new(),
            num_channels: 3,
            patch_size: 4,
            hidden_sizes: vec![96, 192, 384, 768],
            depths: vec![3, 3, 9, 3],
            hidden_act: "gelu".into(),
            layer_norm_eps: 1e-12,
        }
    }
}

/// One residual.
struct Block {
    depthwise: Depthwise,
    norm: LayerNorm,
    up: Linear,
    /// Factor and summand of V2's normalisation of responses.
    responses: Option<[Vec<f32>; 2]>,
    down: Linear,
    /// V1's factors by channel.
    scale: Option<Vec<f32>>,
}

/// What stands before a stage, and its blocks.
struct Stage {
    smaller: Option<(LayerNorm, Convolution)>,
    blocks: Vec<Block>,
}

/// A network.
struct ConvNext {
    stem: Convolution,
    stem_norm: LayerNorm,
    stages: Vec<Stage>,
    norm: LayerNorm,
    activation: Activation,
}

/// The model of these files.
///
/// # Errors
/// If a setting is out of its range, a tensor is absent or has another shape, pictures are too small, or there is no such
/// pooling.
pub(crate) fn open(
    config: &Path,
    weights: &Weights,
    size: (usize, usize),
    pooling: ImagePooling,
) -> Result<Box<dyn PictureModel>, EncodeError> {
    let raw: Raw = json::read(config)?;
    raw.check(size).map_err(|problem| {
        EncodeError::file(config, format!("{problem}; correct the file or fetch the model again"))
    })?;
    if pooling != ImagePooling::Model {
        let expected = format!("model, for a model of the type {}", raw.model_type);
        return Err(EncodeError::Setting { field: "pooling", found: pooling.name().to_owned(), expected });
    }
    let bare = weights.has("embeddings.patch_embeddings.weight");
    let prefix = if bare { String::new() } else { format!("{}.", raw.model_type) };
    let (first, last) = (raw.hidden_sizes[0], raw.hidden_sizes[raw.hidden_sizes.len() - 1]);
    let stem = Shape { inputs: 3, outputs: first, size: raw.patch_size, stride: raw.patch_size };
    let network = ConvNext {
        stem: Convolution::load(weights, &format!("{prefix}embeddings.patch_embeddings"), stem)?,
        stem_norm: LayerNorm::load(weights, &format!("{prefix}embeddings.layernorm"), first, EPS)?,
        stages: raw.stages(weights, &prefix)?,
        norm: LayerNorm::load(weights, &format!("{prefix}layernorm"), last, raw.layer_norm_eps)?,
        activation: Activation::named(config, &raw.hidden_act)?,
    };
    Ok(Box::new(OfSize { network, size, outputs: last }))
}

impl Raw {
    fn check(&self, (height, width): (usize, usize)) -> Result<(), String> {
        if self.num_channels != 3 {
            return Err(format!("num_channels = {}: expected 3", self.num_channels));
        }
        super::check_stages(&self.hidden_sizes, &self.depths)?;
        if !(1..=64).contains(&self.patch_size) {
            return Err(format!("patch_size = {}: expected 1 to 64", self.patch_size));
        }
        if !(self.layer_norm_eps.is_finite() && self.layer_norm_eps >= 0.0) {
            return Err(format!(
                "layer_norm_eps = {}: expected a small positive number",
                self.layer_norm_eps
            ));
        }
        let least = self.patch_size << (self.hidden_sizes.len() - 1);
        if height.min(width) < least {
            return Err(format!(
                "pictures come out of preprocessor_config.json with {height} x {width} pixels: expected {least} or more \
                 either way"
            ));
        }
        Ok(())
    }

    fn stages(&self, weights: &Weights, prefix: &str) -> Result<Vec<Stage>, EncodeError> {
        let sizes = self.hidden_sizes.iter().zip(&self.depths).enumerate();
        let stages = sizes.map(|(n, (&width, &depth))| {
            let name = format!("{prefix}encoder.stages.{n}");
            let smaller = || -> Result<(LayerNorm, Convolution), EncodeError> {
                let inputs = self.hidden_sizes[n - 1];
                let shape = Shape { inputs, outputs: width, size: 2, stride: 2 };
                let norm = LayerNorm::load(weights, &format!("{name}.downsampling_layer.0"), inputs, EPS)?;
                Ok((norm, Convolution::load(weights, &format!("{name}.downsampling_layer.1"), shape)?))
            };
            let blocks =
                (0..depth).map(|layer| self.block(weights, &format!("{name}.layers.{layer}"), width));
            Ok(Stage {
                smaller: (n > 0).then(smaller).transpose()?,
                blocks: blocks.collect::<Result<_, _>>()?,
            })
        });
        stages.collect()
    }

    fn block(&self, weights: &Weights, name: &str, width: usize) -> Result<Block, EncodeError> {
        let second = self.model_type == "convnextv2";
        let of = |part: &str| format!("{name}.{part}");
        let response = |part: &str| weights.tensor(&of(part), &[1, 1, 1, 4 * width]);
        Ok(Block {
            depthwise: Depthwise::load(weights, &of("dwconv"), width, WINDOW)?,
            norm: LayerNorm::load(weights, &of("layernorm"), width, EPS)?,
            up: Linear::load(weights, &of("pwconv1"), width, 4 * width)?,
            responses: if second { Some([response("grn.weight")?, response("grn.bias")?]) } else { None },
            down: Linear::load(weights, &of("pwconv2"), 4 * width, width)?,
            scale: if second { None } else { Some(weights.tensor(&of("layer_scale_parameter"), &[width])?) },
        })
    }
}

impl Block {
    fn forward(&self, x: &mut Grid, activation: Activation) {
        let mut inner = self.depthwise.forward(x).values;
        self.norm.forward(&mut inner);
        let (mut hidden, mut change) = (Vec::new(), Vec::new());
        self.up.forward(&inner, &mut hidden);
        activation.apply(&mut hidden);
        if let Some([factor, summand]) = &self.responses {
            normalise_responses(&mut hidden, factor, summand);
        }
        self.down.forward(&hidden, &mut change);
        add(&mut x.values, &change, self.scale.as_deref());
    }
}

/// `h <- w * h * n + b + h`, with `n` the norm of a channel over pixels, divided by the mean of those norms.
fn normalise_responses(hidden: &mut [f32], factor: &[f32], summand: &[f32]) {
    let channels = factor.len();
    let mut squares = vec![0f64; channels];
    for pixel in hidden.chunks_exact(channels) {
        squares.iter_mut().zip(pixel).for_each(|(sum, &h)| *sum += f64::from(h) * f64::from(h));
    }
    let norms: Vec<f64> = squares.into_iter().map(f64::sqrt).collect();
    let mean = norms.iter().sum::<f64>() / channels as f64 + 1e-6;
    let gains: Vec<f32> =
        norms.iter().zip(factor).map(|(n, w)| (f64::from(*w) * n / mean) as f32 + 1.0).collect();
    for pixel in hidden.chunks_exact_mut(channels) {
        pixel.iter_mut().zip(&gains).zip(summand).for_each(|((h, gain), b)| *h = *h * gain + b);
    }
}

impl Network for ConvNext {
    fn row(&self, picture: Grid) -> Vec<f32> {
        let mut x = self.stem.forward(&picture);
        self.stem_norm.forward(&mut x.values);
        for stage in &self.stages {
            if let Some((norm, convolution)) = &stage.smaller {
                norm.forward(&mut x.values);
                x = convolution.forward(&x);
            }
            stage.blocks.iter().for_each(|block| block.forward(&mut x, self.activation));
        }
        let mut row = x.mean();
        self.norm.forward(&mut row);
        row
    }
}
