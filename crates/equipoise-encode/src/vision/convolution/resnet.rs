//! Residual networks.
//!
//! ```text
//! x = maximum pool(relu(conv_7x7(picture)))
//! x <- relu(x + f(x))            f: 1x1, 3x3, 1x1 (bottleneck) or 3x3, 3x3 (basic), each with its norm, relu between them
//! row = mean over pixels of x
//! ```
//!
//! The first block of a stage maps `x` as well, where its shape changes. Source: He, Zhang, Ren and Sun, CVPR 2016, *Deep
//! Residual Learning for Image Recognition*; the stride of a bottleneck is in its 3x3 unless the file says otherwise.

use std::path::Path;

use serde::Deserialize;

use super::conv::{Convolution, Shape};
use super::grid::{Grid, windows};
use super::network::{Network, OfSize};
use crate::error::EncodeError;
use crate::json;
use crate::transformer::{Activation, Weights};
use crate::vision::picture_model::PictureModel;
use crate::vision::pooling::ImagePooling;

/// The settings, which have the defaults of the library that writes them where they are left out.
#[derive(Deserialize)]
#[serde(default)]
struct Raw {
    num_channels: usize,
    embedding_size: usize,
    hidden_sizes: Vec<usize>,
    depths: Vec<usize>,
    layer_type: String,
    hidden_act: String,
    downsample_in_first_stage: bool,
    downsample_in_bottleneck: bool,
}

impl Default for Raw {
    fn default() -> Raw {
        Raw {
            num_channels: 3,
            embedding_size: 64,
            hidden_sizes: vec![256, 512, 1024, 2048],
            depths: vec![3, 4, 6, 3],
            layer_type: "bottleneck".into(),
            hidden_act: "relu".into(),
            downsample_in_first_stage: false,
            downsample_in_bottleneck: false,
        }
    }
}

/// One residual.
struct Block {
    convolutions: Vec<Convolution>,
    /// What happens to `x` where its shape changes.
    shortcut: Option<Convolution>,
}

/// A residual network.
struct ResNet {
    stem: Convolution,
    blocks: Vec<Block>,
    activation: Activation,
}

/// The model of these files.
///
/// # Errors
/// If a setting is out of its range, a tensor is absent or has another shape, or there is no such pooling.
pub(crate) fn open(
    config: &Path,
    weights: &Weights,
    size: (usize, usize),
    pooling: ImagePooling,
) -> Result<Box<dyn PictureModel>, EncodeError> {
    let raw: Raw = json::read(config)?;
    raw.check().map_err(|problem| {
        EncodeError::file(config, format!("{problem}; correct the file or fetch the model again"))
    })?;
    if !matches!(pooling, ImagePooling::Model | ImagePooling::Mean) {
        let expected = "model or mean, which are the same for a model of the type resnet".to_owned();
        return Err(EncodeError::Setting { field: "pooling", found: pooling.name().to_owned(), expected });
    }
    let activation = Activation::named(config, &raw.hidden_act)?;
    let prefix = if weights.has("embedder.embedder.convolution.weight") { "" } else { "resnet." };
    let stem = Shape { inputs: 3, outputs: raw.embedding_size, size: 7, stride: 2 };
    let network = ResNet {
        stem: Convolution::load_with_norm(weights, &format!("{prefix}embedder.embedder"), stem)?,
        blocks: raw.blocks(weights, prefix)?,
        activation,
    };
    Ok(Box::new(OfSize { network, size, outputs: raw.hidden_sizes[raw.hidden_sizes.len() - 1] }))
}

impl Raw {
    fn check(&self) -> Result<(), String> {
        if self.num_channels != 3 {
            return Err(format!("num_channels = {}: expected 3", self.num_channels));
        }
        super::check_stages(&self.hidden_sizes, &self.depths)?;
        if !(1..=16_384).contains(&self.embedding_size) {
            return Err(format!("embedding_size = {}: expected 1 to 16384", self.embedding_size));
        }
        match &self.layer_type[..] {
            "bottleneck" | "basic" => Ok(()),
            other => Err(format!("layer_type = {other:.100}: expected bottleneck or basic")),
        }
    }

    fn blocks(&self, weights: &Weights, prefix: &str) -> Result<Vec<Block>, EncodeError> {
        let (mut blocks, mut inputs) = (Vec::new(), self.embedding_size);
        for (stage, (&outputs, &depth)) in self.hidden_sizes.iter().zip(&self.depths).enumerate() {
            for layer in 0..depth {
                let first = layer == 0 && (stage > 0 || self.downsample_in_first_stage);
                let name = format!("{prefix}encoder.stages.{stage}.layers.{layer}");
                let shape = Shape { inputs, outputs, size: 1, stride: if first { 2 } else { 1 } };
                blocks.push(self.block(weights, &name, shape)?);
                inputs = outputs;
            }
        }
        Ok(blocks)
    }

    fn block(&self, weights: &Weights, name: &str, shape: Shape) -> Result<Block, EncodeError> {
        let Shape { inputs, outputs, stride, .. } = shape;
        let of = |inputs, outputs, size, stride| Shape { inputs, outputs, size, stride };
        let shapes = if self.layer_type == "basic" {
            vec![of(inputs, outputs, 3, stride), of(outputs, outputs, 3, 1)]
        } else {
            let narrow = outputs / 4;
            let (before, within) = if self.downsample_in_bottleneck { (stride, 1) } else { (1, stride) };
            vec![of(inputs, narrow, 1, before), of(narrow, narrow, 3, within), of(narrow, outputs, 1, 1)]
        };
        let convolutions = shapes
            .into_iter()
            .enumerate()
            .map(|(n, shape)| Convolution::load_with_norm(weights, &format!("{name}.layer.{n}"), shape));
        let changes = inputs != outputs || stride != 1;
        let shortcut = || Convolution::load_with_norm(weights, &format!("{name}.shortcut"), shape);
        Ok(Block {
            convolutions: convolutions.collect::<Result<_, _>>()?,
            shortcut: changes.then(shortcut).transpose()?,
        })
    }
}

impl Block {
    fn forward(&self, x: Grid, activation: Activation) -> Grid {
        let (first, others) = self.convolutions.split_first().expect("a block has convolutions");
        let mut y = first.forward(&x);
        for convolution in others {
            activation.apply(&mut y.values);
            y = convolution.forward(&y);
        }
        let x = match &self.shortcut {
            Some(shortcut) => shortcut.forward(&x),
            None => x,
        };
        y.values.iter_mut().zip(&x.values).for_each(|(y, x)| *y += x);
        activation.apply(&mut y.values);
        y
    }
}

/// The largest of each window of 3 x 3 that start every second pixel, one beyond the edges.
fn largest(x: &Grid) -> Grid {
    let (height, width) = (windows(x.height, 3, 2, 1), windows(x.width, 3, 2, 1));
    let mut values = Vec::with_capacity(height * width * x.channels);
    for (y, column) in (0..height).flat_map(|y| (0..width).map(move |column| (y, column))) {
        let start = values.len();
        values.resize(start + x.channels, f32::NEG_INFINITY);
        for from in (2 * y).saturating_sub(1)..(2 * y + 2).min(x.height) {
            for at in (2 * column).saturating_sub(1)..(2 * column + 2).min(x.width) {
                let pixel = &x.values[(from * x.width + at) * x.channels..][..x.channels];
                values[start..].iter_mut().zip(pixel).for_each(|(largest, &v)| *largest = largest.max(v));
            }
        }
    }
    Grid { values, height, width, channels: x.channels }
}

impl Network for ResNet {
    fn row(&self, picture: Grid) -> Vec<f32> {
        let mut x = self.stem.forward(&picture);
        self.activation.apply(&mut x.values);
        let blocks = self.blocks.iter();
        blocks.fold(largest(&x), |x, block| block.forward(x, self.activation)).mean()
    }
}
