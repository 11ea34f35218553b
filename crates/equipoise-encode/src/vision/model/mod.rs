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
mod patches;
mod positions;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::picture_model::PictureModel;
use super::pooling::ImagePooling;
use crate::error::EncodeError;
use crate::transformer::{Block, LayerNorm, Linear, Scratch, Weights};
use config::Spec;
use head::Head;
use patches::append_patches;

/// A vision transformer for pictures of one size.
#[derive(Debug)]
struct Tower {
    /// Rows and columns of the pictures.
    size: (usize, usize),
    patch: usize,
    width: usize,
    patches: Linear,
    /// Class token and registers, positions added.
    before: Vec<f32>,
    /// Positions of the patches.
    positions: Vec<f32>,
    norm_before: Option<LayerNorm>,
    blocks: Vec<Block>,
    norm_after: LayerNorm,
    head: Head,
}

/// The model of these files, for pictures of so many rows and columns.
///
/// # Errors
/// If a setting is out of its range, a tensor is absent or has another shape, or there is no such pooling.
pub(super) fn open(
    config: &Path,
    weights: &Weights,
    size: (usize, usize),
    pooling: ImagePooling,
) -> Result<Box<dyn PictureModel>, EncodeError> {
    Ok(Box::new(Tower::load(&Spec::read(config)?, config, weights, size, pooling)?))
}

impl PictureModel for Tower {
    fn outputs(&self) -> usize {
        self.head.outputs(self.width)
    }

    fn pooling(&self) -> &'static str {
        self.head.name()
    }

    fn tokens(&self) -> usize {
        (self.before.len() + self.positions.len()) / self.width
    }

    fn append(&self, planes: &[f32], batch: &mut Vec<f32>) {
        append_patches(planes, self.size.0, self.size.1, self.patch, batch);
    }

    fn forward(&self, batch: &[f32]) -> Vec<f32> {
        let mut patches = Vec::new();
        self.patches.forward(batch, &mut patches);
        let mut x = self.with_tokens(&patches);
        drop(patches);
        if let Some(norm) = &self.norm_before {
            norm.forward(&mut x);
        }
        let length = self.tokens();
        let pictures = x.len() / (length * self.width);
        let offsets: Vec<usize> = (0..=pictures).map(|picture| picture * length).collect();
        let mut scratch = Scratch::default();
        for block in &self.blocks {
            block.forward(&mut x, &offsets, None, &mut scratch);
        }
        self.head.pool(x, &self.norm_after, self.width, length, self.before.len() / self.width)
    }
}

impl Tower {
    /// The tokens before the patches, then the patches with their positions, for each picture.
    fn with_tokens(&self, patches: &[f32]) -> Vec<f32> {
        let pictures = patches.len() / self.positions.len();
        let mut x = Vec::with_capacity(patches.len() + pictures * self.before.len());
        for picture in patches.chunks_exact(self.positions.len()) {
            x.extend_from_slice(&self.before);
            x.extend(picture.iter().zip(&self.positions).map(|(value, position)| value + position));
        }
        x
    }
}
