//! Resizing pictures of 8 bits, along rows and along columns.
//!
//! Weights are rounded to multiples of `2^-22` and both passes round to 8 bits, which is the arithmetic of Pillow's
//! `Image.resize`: the results are the same to the last bit. Only the part that is wanted is computed.

use std::ops::Range;

use super::kernel::{Kernel, taps};
use super::lanes::{along_columns, along_rows};
use crate::vision::picture::Picture;

/// Fraction bits of weights: 32 less 8 of a value less 2 for sign and overshoot.
pub(super) const FRACTION: u32 = 22;

/// Taps with weights in fixed point, one after another.
#[derive(Debug)]
pub(super) struct FixedTaps {
    /// For each pixel of the result: its first pixel and where its weights start; one more at the end.
    starts: Vec<(usize, usize)>,
    /// Weights of all pixels.
    weights: Vec<i32>,
}

impl FixedTaps {
    /// The taps of the pixels `wanted` of the `to` that `from` pixels become.
    fn new(kernel: Kernel, from: usize, to: usize, wanted: Range<usize>) -> FixedTaps {
        let mut fixed_taps = FixedTaps { starts: Vec::with_capacity(wanted.len() + 1), weights: Vec::new() };
        for taps in taps(kernel, from, to, wanted) {
            fixed_taps.push(taps.first, taps.weights.iter().map(|&weight| fixed(weight)));
        }
        fixed_taps.starts.push((0, fixed_taps.weights.len()));
        fixed_taps
    }

    fn push(&mut self, first: usize, weights: impl Iterator<Item = i32>) {
        self.starts.push((first, self.weights.len()));
        self.weights.extend(weights);
    }

    /// Number of pixels of the result.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// First pixel and weights of each pixel of the result.
    pub fn each(&self) -> impl Iterator<Item = (usize, &[i32])> {
        self.starts.windows(2).map(|pair| (pair[0].0, &self.weights[pair[0].1..pair[1].1]))
    }

    /// The pixels that have a weight in any.
    fn span(&self) -> Range<usize> {
        let first = self.each().map(|(first, _)| first).min().unwrap_or(0);
        first..self.each().map(|(first, weights)| first + weights.len()).max().unwrap_or(0)
    }

    /// The same taps of pixels of which those before `first` are gone.
    fn less(mut self, first: usize) -> FixedTaps {
        let last = self.starts.len() - 1;
        self.starts[..last].iter_mut().for_each(|start| start.0 -= first);
        self
    }
}

fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << FRACTION);
    (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

/// The rows and columns wanted of a picture resized to a height and a width. A direction whose size stays is copied.
pub(super) fn resize(
    picture: &Picture,
    (height, width): (usize, usize),
    kernel: Kernel,
    rows: &Range<usize>,
    columns: &Range<usize>,
) -> Picture {
    let vertical =
        (height != picture.height).then(|| FixedTaps::new(kernel, picture.height, height, rows.clone()));
    let horizontal =
        (width != picture.width).then(|| FixedTaps::new(kernel, picture.width, width, columns.clone()));
    let source = vertical.as_ref().map_or(rows.clone(), FixedTaps::span);
    let bytes = 3 * picture.width;
    let strip = &picture.rgb[bytes * source.start..bytes * source.end];
    let vertical = vertical.map(|taps| taps.less(source.start));
    let rgb = match (vertical, horizontal) {
        (None, None) => cut(strip, bytes, columns),
        (None, Some(across)) => along_rows(strip, picture.width, &across),
        (Some(down), None) => along_columns(&cut(strip, bytes, columns), 3 * columns.len(), &down),
        (Some(down), Some(across)) if columns_first(picture, height, width) => {
            along_rows(&along_columns(strip, bytes, &down), picture.width, &across)
        }
        (Some(down), Some(across)) => {
            along_columns(&along_rows(strip, picture.width, &across), 3 * columns.len(), &down)
        }
    };
    Picture::new(columns.len(), rows.len(), rgb)
}

/// Whether columns come first: where more than twice as many rows as columns are lost. So it is in Pillow 13; before,
/// rows always came first, which changes some bytes by rounding.
fn columns_first(picture: &Picture, height: usize, width: usize) -> bool {
    height < picture.height && picture.height - height > 2 * picture.width.saturating_sub(width)
}

fn cut(strip: &[u8], bytes: usize, columns: &Range<usize>) -> Vec<u8> {
    let kept = 3 * columns.start..3 * columns.end;
    strip.chunks_exact(bytes).flat_map(|row| &row[kept.clone()]).copied().collect()
}
