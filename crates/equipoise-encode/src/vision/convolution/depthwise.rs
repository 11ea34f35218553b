//! Convolutions of each channel for itself.
//!
//! ```text
//! y[p, c] = sum over window offsets q of W[c, q] x[p + q - size / 2, c] + b[c]      0 beyond the edges
//! ```

use super::grid::Grid;
use crate::error::EncodeError;
use crate::transformer::Weights;

/// A convolution that keeps the size of a picture.
#[derive(Clone, Debug)]
pub(super) struct Depthwise {
    /// By pixel of the window, then by channel.
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// Edge of a window, odd.
    size: usize,
}

impl Depthwise {
    /// `<name>.weight` of `[channels, 1, size, size]` with `<name>.bias`.
    ///
    /// # Errors
    /// If one is absent or has another shape.
    pub fn load(
        weights: &Weights,
        name: &str,
        channels: usize,
        size: usize,
    ) -> Result<Depthwise, EncodeError> {
        let weight = weights.tensor(&format!("{name}.weight"), &[channels, 1, size, size])?;
        let pixels = size * size;
        let by_pixel = (0..weight.len()).map(|k| weight[k % channels * pixels + k / channels]).collect();
        let bias = weights.tensor(&format!("{name}.bias"), &[channels])?;
        Ok(Depthwise { weight: by_pixel, bias, size })
    }

    /// The convolution of a picture.
    pub fn forward(&self, x: &Grid) -> Grid {
        let mut values = Vec::with_capacity(x.values.len());
        (0..x.height * x.width).for_each(|_| values.extend_from_slice(&self.bias));
        let reach = self.size / 2;
        for (y, out) in values.chunks_exact_mut(x.width * x.channels).enumerate() {
            for dy in 0..self.size {
                let Some(from) = (y + dy).checked_sub(reach).filter(|from| *from < x.height) else {
                    continue;
                };
                let row = &x.values[from * x.width * x.channels..][..x.width * x.channels];
                for dx in 0..self.size {
                    let weight = &self.weight[(dy * self.size + dx) * x.channels..][..x.channels];
                    shifted(out, row, weight, dx as isize - reach as isize);
                }
            }
        }
        Grid { values, ..*x }
    }
}

/// Adds `weight` times the pixels of `row` that stand `shift` further right to the pixels of `out`.
fn shifted(out: &mut [f32], row: &[f32], weight: &[f32], shift: isize) {
    let by = (shift.unsigned_abs() * weight.len()).min(row.len());
    let kept = row.len() - by;
    if shift < 0 {
        weighted(&mut out[by..], &row[..kept], weight);
    } else {
        weighted(&mut out[..kept], &row[by..], weight);
    }
}

equipoise_kernels::wide! {
    fn weighted(out: &mut [f32], row: &[f32], weight: &[f32]) {
        for (out, pixel) in out.chunks_exact_mut(weight.len()).zip(row.chunks_exact(weight.len())) {
            out.iter_mut().zip(pixel).zip(weight).for_each(|((o, v), w)| *o += v * w);
        }
    }
}
