//! What all convolutional networks share: pictures of one size, one after another, and which row stands for each.

use super::grid::Grid;
use crate::vision::picture_model::PictureModel;

/// What a picture counts as when batches are formed: four of them make a batch.
const TOKENS: usize = 256;

/// The layers of a network.
pub(super) trait Network: Send + Sync {
    /// The row of a picture.
    fn row(&self, picture: Grid) -> Vec<f32>;
}

/// A network for pictures of one size.
pub(super) struct OfSize<N> {
    pub network: N,
    /// Rows and columns of the pictures.
    pub size: (usize, usize),
    /// Columns of the features.
    pub outputs: usize,
}

impl<N: Network> PictureModel for OfSize<N> {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn pooling(&self) -> &'static str {
        "mean"
    }

    fn tokens(&self) -> usize {
        TOKENS
    }

    fn append(&self, planes: &[f32], batch: &mut Vec<f32>) {
        batch.extend_from_slice(planes);
    }

    fn forward(&self, batch: &[f32]) -> Vec<f32> {
        let (height, width) = self.size;
        let pictures = batch.chunks_exact(3 * height * width);
        pictures.flat_map(|planes| self.network.row(Grid::of_planes(planes, height, width))).collect()
    }
}
