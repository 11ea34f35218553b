//! Vision transformers.
//!
//! ```text
//! X_0 = [class; registers; patches W_p^T + b_p] + positions
//! X_l = X_(l-1) + s * attention(norm X_(l-1));   X_l <- X_l + s' * mlp(norm X_l)
//! row = pool(norm X_L)
//! ```
//!
//! Registers have no position. CLIP norms `X_0` before the blocks; layer scale `s` is DINOv2's, 1 elsewhere.

mod config;
mod head;
mod load;
mod names;
mod positions;
#[cfg(test)]
mod tests;

pub(crate) use config::Spec;
pub use head::ImagePooling;

use candle_core::{Device, Result, Tensor};
use candle_nn::{Conv2d, LayerNorm, Module};
use candle_transformers::models::siglip::VisionModel;
use candle_transformers::models::vit::Encoder;
use head::Head;

/// A vision transformer for pictures of one size.
#[derive(Debug)]
pub(crate) struct Tower {
    /// Rows and columns of the pictures.
    size: (usize, usize),
    width: usize,
    /// Tokens of a picture.
    tokens: usize,
    body: Body,
}

/// What a tower computes.
#[derive(Debug)]
enum Body {
    /// Embeddings of our own and candle's layers: ViT, DINOv2, CLIP.
    Blocks(Box<Blocks>),
    /// Candle's SigLIP, with its head or without.
    Siglip { model: Box<VisionModel>, mean: bool },
}

#[derive(Debug)]
struct Blocks {
    patches: Conv2d,
    /// Class token and registers, positions added: `[1, tokens, width]`.
    before: Tensor,
    /// Positions of the patches: `[1, patches, width]`.
    positions: Tensor,
    norm_before: Option<LayerNorm>,
    encoder: Encoder,
    norm_after: LayerNorm,
    head: Head,
}

impl Tower {
    /// Columns of the features.
    pub fn outputs(&self) -> usize {
        match &self.body {
            Body::Blocks(blocks) => blocks.head.outputs(self.width),
            Body::Siglip { .. } => self.width,
        }
    }

    /// What row stands for a picture.
    pub fn pooling(&self) -> &'static str {
        match &self.body {
            Body::Blocks(blocks) => blocks.head.name(),
            Body::Siglip { mean: true, .. } => Head::Mean.name(),
            Body::Siglip { mean: false, .. } => "attention",
        }
    }

    /// Tokens of a picture.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Features `[pictures, outputs]` of pictures `[3, height, width]` of this tower's size, one after another.
    pub fn forward(&self, pictures: Vec<f32>) -> Vec<f32> {
        let (height, width) = self.size;
        let count = pictures.len() / (3 * height * width);
        let x = Tensor::from_vec(pictures, (count, 3, height, width), &Device::Cpu);
        let rows = x.and_then(|x| self.rows(&x)).and_then(|rows| rows.flatten_all()?.to_vec1());
        rows.expect("pictures of the size that the weights were checked for")
    }

    fn rows(&self, pictures: &Tensor) -> Result<Tensor> {
        match &self.body {
            Body::Blocks(blocks) => blocks.forward(pictures),
            Body::Siglip { model, mean: false } => model.forward(pictures),
            Body::Siglip { model, mean: true } => model.forward(pictures)?.mean(1),
        }
    }
}

impl Blocks {
    fn forward(&self, pictures: &Tensor) -> Result<Tensor> {
        let patches = self.patches.forward(pictures)?.flatten_from(2)?.transpose(1, 2)?;
        let patches = patches.broadcast_add(&self.positions)?;
        let (count, _, width) = patches.dims3()?;
        let before = self.before.dim(1)?;
        let x = Tensor::cat(&[&self.before.expand((count, before, width))?, &patches], 1)?;
        let x = match &self.norm_before {
            Some(norm) => norm.forward(&x)?,
            None => x,
        };
        self.head.pool(&self.encoder.forward(&x)?, &self.norm_after, before)
    }
}
