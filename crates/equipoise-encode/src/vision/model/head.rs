//! From the tokens of a picture to one row of features.

use candle_core::{IndexOp, Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module as _};
use serde::{Deserialize, Serialize};

/// Which row stands for a picture (`pooling`).
///
/// | name | row | models |
/// |---|---|---|
/// | `model` | what the model's authors use: `cls` for ViT and DINOv2, the projected class token (`image_embeds`) for CLIP, `cls` where its projection is left out, the attention head for SigLIP | all |
/// | `cls` | class token after the final norm | ViT, DINOv2, CLIP |
/// | `mean` | mean of the patches after the final norm | ViT, DINOv2, SigLIP |
/// | `pooler` | `tanh(W cls + b)` | ViT with a pooler |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImagePooling {
    /// What the model's authors use.
    #[default]
    Model,
    /// The class token.
    Cls,
    /// The mean of the patches.
    Mean,
    /// The class token through the pooler.
    Pooler,
}

impl ImagePooling {
    /// Name in settings.
    pub fn name(self) -> &'static str {
        match self {
            ImagePooling::Model => "model",
            ImagePooling::Cls => "cls",
            ImagePooling::Mean => "mean",
            ImagePooling::Pooler => "pooler",
        }
    }
}

/// The last step of a tower of [`blocks`](crate::transformer::blocks()).
#[derive(Debug)]
pub(super) enum Head {
    /// The class token.
    Class,
    /// The mean of the patches.
    Mean,
    /// A linear map of the class token.
    Projected(Linear),
    /// A linear map of the class token, then the hyperbolic tangent.
    Pooler(Linear),
}

impl Head {
    /// Name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Head::Class => "cls",
            Head::Mean => "mean",
            Head::Projected(_) => "projection",
            Head::Pooler(_) => "pooler",
        }
    }

    /// Columns of the row when tokens have `width`.
    pub fn outputs(&self, width: usize) -> usize {
        match self {
            Head::Projected(map) | Head::Pooler(map) => map.weight().dims()[0],
            Head::Class | Head::Mean => width,
        }
    }

    /// One row for each picture of `x`, `[pictures, tokens, width]`, of whose tokens `before` come before the patches.
    pub fn pool(&self, x: &Tensor, norm: &LayerNorm, before: usize) -> Result<Tensor> {
        let first = || norm.forward(&x.i((.., 0))?.contiguous()?);
        match self {
            Head::Class => first(),
            Head::Projected(map) => map.forward(&first()?),
            Head::Pooler(map) => map.forward(&first()?)?.tanh(),
            Head::Mean => norm.forward(x)?.i((.., before..))?.mean(1),
        }
    }
}
