//! Weights with which pixels of a row become pixels of a shorter or longer one.

use std::f64::consts::PI;
use std::ops::Range;

/// How pixels are weighed: the kernel `k(t)`, `t` in pixels of the coarser picture.
///
/// | name | `k(t)` | support |
/// |---|---|---|
/// | box | 1 for `-1/2 < t <= 1/2` | 1/2 |
/// | bilinear | `1 - |t|` | 1 |
/// | hamming | `sinc(t) (0.54 + 0.46 cos(pi t))` | 1 |
/// | bicubic | cubic convolution with `a = -1/2` (Keys 1981) | 2 |
/// | lanczos | `sinc(t) sinc(t / 3)` | 3 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// The pixel at the centre, unweighed.
    Nearest,
    /// The mean of the pixels covered.
    Box,
    /// A triangle.
    Bilinear,
    /// A sinc under a Hamming window.
    Hamming,
    /// Cubic convolution.
    Bicubic,
    /// A sinc under a sinc.
    Lanczos,
}

impl Kernel {
    /// The number that `preprocessor_config.json` gives as `resample`.
    pub fn from_number(number: u64) -> Option<Kernel> {
        use Kernel::{Bicubic, Bilinear, Box, Hamming, Lanczos, Nearest};
        [Nearest, Lanczos, Bilinear, Bicubic, Box, Hamming].get(usize::try_from(number).ok()?).copied()
    }

    fn support(self) -> f64 {
        match self {
            Kernel::Nearest | Kernel::Box => 0.5,
            Kernel::Bilinear | Kernel::Hamming => 1.0,
            Kernel::Bicubic => 2.0,
            Kernel::Lanczos => 3.0,
        }
    }

    fn at(self, t: f64) -> f64 {
        match self {
            Kernel::Nearest | Kernel::Box => f64::from(u8::from(t > -0.5 && t <= 0.5)),
            Kernel::Bilinear => (1.0 - t.abs()).max(0.0),
            Kernel::Hamming if t.abs() < 1.0 => sinc(t) * (0.54 + 0.46 * (PI * t).cos()),
            Kernel::Bicubic => cubic(t.abs(), -0.5),
            Kernel::Lanczos if (-3.0..3.0).contains(&t) => sinc(t) * sinc(t / 3.0),
            Kernel::Hamming | Kernel::Lanczos => 0.0,
        }
    }
}

fn sinc(t: f64) -> f64 {
    if t == 0.0 { 1.0 } else { (PI * t).sin() / (PI * t) }
}

/// Cubic convolution with parameter `a`, of a distance `t >= 0`.
pub(crate) fn cubic(t: f64, a: f64) -> f64 {
    match t {
        t if t < 1.0 => ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0,
        t if t < 2.0 => (((t - 5.0) * t + 8.0) * t - 4.0) * a,
        _ => 0.0,
    }
}

/// Where the pixels lie that make up one pixel of the result, and their weights, which sum to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taps {
    /// The first of them.
    pub first: usize,
    /// Their weights.
    pub weights: Vec<f64>,
}

/// The taps of the pixels `wanted` when a row of `from` pixels becomes one of `to`.
///
/// With `s = from / to` and `f = max(s, 1)`, the weight of pixel `x` in pixel `o` is `k((x + 1/2 - (o + 1/2) s) / f)`
/// over the sum of these weights: smoothing when the picture shrinks, interpolation when it grows.
pub(crate) fn taps(
    kernel: Kernel,
    from: usize,
    to: usize,
    wanted: Range<usize>,
) -> impl Iterator<Item = Taps> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let support = kernel.support() * stretch;
    wanted.map(move |pixel| {
        let centre = (pixel as f64 + 0.5) * scale;
        if kernel == Kernel::Nearest {
            return Taps { first: (centre as usize).min(from - 1), weights: vec![1.0] };
        }
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let weight = |x: usize| kernel.at((x as f64 - centre + 0.5) * (1.0 / stretch));
        let mut weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        if sum != 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        Taps { first, weights }
    })
}
