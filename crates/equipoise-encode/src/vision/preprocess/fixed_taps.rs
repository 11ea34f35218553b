//! The pixels that each pixel of the result is blended from, with weights in fixed point.

use std::ops::Range;

use super::kernel::{Kernel, taps};

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
    pub(super) fn new(kernel: Kernel, from: usize, to: usize, wanted: Range<usize>) -> FixedTaps {
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
    pub(super) fn span(&self) -> Range<usize> {
        let first = self.each().map(|(first, _)| first).min().unwrap_or(0);
        first..self.each().map(|(first, weights)| first + weights.len()).max().unwrap_or(0)
    }

    /// The same taps of pixels of which those before `first` are gone.
    pub(super) fn less(mut self, first: usize) -> FixedTaps {
        let last = self.starts.len() - 1;
        self.starts[..last].iter_mut().for_each(|start| start.0 -= first);
        self
    }
}

fn fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << FRACTION);
    (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}
