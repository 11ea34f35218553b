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

pub(crate) use config::Spec;
pub use head::ImagePooling;

use crate::transformer::{Block, LayerNorm, Linear, Scratch};
use head::Head;
use patches::append_patches;

/// A vision transformer for pictures of one size.
#[derive(Debug)]
pub(crate) struct Tower {
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

impl Tower {
    /// Columns of the features.
    pub fn outputs(&self) -> usize {
        self.head.outputs(self.width)
    }

    /// What row stands for a picture.
    pub fn pooling(&self) -> &'static str {
        self.head.name()
    }

    /// Tokens of a picture.
    pub fn tokens(&self) -> usize {
        (self.before.len() + self.positions.len()) / self.width
    }

    /// Appends the patches of a picture `[3, height, width]` of this tower's size.
    pub fn append(&self, planes: &[f32], batch: &mut Vec<f32>) {
        append_patches(planes, self.size.0, self.size.1, self.patch, batch);
    }

    /// Features `[pictures, outputs]` of the pictures whose patches were appended to the batch.
    pub fn forward(&self, batch: &[f32]) -> Vec<f32> {
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
