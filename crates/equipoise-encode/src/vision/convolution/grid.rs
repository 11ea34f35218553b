//! The values of a picture between two layers.

use crate::vision::row_mean::mean;

/// `height x width` pixels of `channels` values each, pixel after pixel, row after row.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub values: Vec<f32>,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl Grid {
    /// A picture of planes `[channels, height, width]`.
    pub fn of_planes(planes: &[f32], height: usize, width: usize) -> Grid {
        let pixels = height * width;
        let channels = planes.len() / pixels;
        let pixel = |at: usize| (0..channels).map(move |channel| planes[channel * pixels + at]);
        Grid { values: (0..pixels).flat_map(pixel).collect(), height, width, channels }
    }

    /// The mean over pixels of each channel.
    pub fn mean(&self) -> Vec<f32> {
        mean(&self.values, self.channels)
    }
}

/// Pixels along an edge of `length` after windows of `size` that start every `stride` pixels, `padding` beyond either end.
pub(super) fn windows(length: usize, size: usize, stride: usize, padding: usize) -> usize {
    (length + 2 * padding).saturating_sub(size) / stride + 1
}
