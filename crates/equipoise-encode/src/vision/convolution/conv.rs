//! Convolutions over all channels: a linear map of each window.
//!
//! ```text
//! y[p, o] = sum over window offsets q and channels c of W[o, c, q] x[s p + q - padding, c] + b[o]      0 beyond the edges
//! ```

use super::grid::{Grid, windows};
use crate::error::EncodeError;
use crate::transformer::{Linear, Weights};

/// What a batch norm adds to the variance.
const EPS: f64 = 1e-5;

/// A convolution with square windows.
#[derive(Clone, Debug)]
pub(super) struct Convolution {
    map: Linear,
    size: usize,
    stride: usize,
    padding: usize,
}

/// Where a convolution stands, and how large it is.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub inputs: usize,
    pub outputs: usize,
    /// Edge of a window.
    pub size: usize,
    pub stride: usize,
}

impl Convolution {
    /// `<name>.weight` of `[outputs, inputs, size, size]` with `<name>.bias`, without padding.
    ///
    /// # Errors
    /// If one is absent or has another shape.
    pub fn load(weights: &Weights, name: &str, shape: Shape) -> Result<Convolution, EncodeError> {
        let bias = weights.tensor(&format!("{name}.bias"), &[shape.outputs])?;
        let weight = by_window(weights, name, shape)?;
        let map = Linear::new(weight, bias, shape.inputs * shape.size * shape.size, shape.outputs);
        Ok(Convolution { map, size: shape.size, stride: shape.stride, padding: 0 })
    }

    /// `<name>.convolution` without bias, followed by the batch norm `<name>.normalization` as it is after training: a factor
    /// and a summand for each channel, which become part of the map (Ioffe and Szegedy, ICML 2015, *Batch Normalization*). As
    /// much is padded as keeps the size of a picture where `stride` is 1.
    ///
    /// # Errors
    /// If a tensor is absent or has another shape, or a variance is negative.
    pub fn load_with_norm(weights: &Weights, name: &str, shape: Shape) -> Result<Convolution, EncodeError> {
        let of = |part: &str| weights.tensor(&format!("{name}.normalization.{part}"), &[shape.outputs]);
        let (factor, summand) = (of("weight")?, of("bias")?);
        let mean = of("running_mean")?;
        let variance = weights.variances(&format!("{name}.normalization.running_var"), &[shape.outputs])?;
        let mut weight = by_window(weights, &format!("{name}.convolution"), shape)?;
        let factors = factor.iter().zip(&variance);
        let scale: Vec<f64> = factors.map(|(w, v)| f64::from(*w) / (f64::from(*v) + EPS).sqrt()).collect();
        let inputs = shape.inputs * shape.size * shape.size;
        for (row, scale) in weight.chunks_exact_mut(inputs).zip(&scale) {
            row.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
        }
        let bias = summand.iter().zip(&mean).zip(&scale);
        let bias = bias.map(|((b, mean), scale)| (f64::from(*b) - f64::from(*mean) * scale) as f32).collect();
        let map = Linear::new(weight, bias, inputs, shape.outputs);
        Ok(Convolution { map, size: shape.size, stride: shape.stride, padding: shape.size / 2 })
    }

    /// The convolution of a picture.
    pub fn forward(&self, x: &Grid) -> Grid {
        let height = windows(x.height, self.size, self.stride, self.padding);
        let width = windows(x.width, self.size, self.stride, self.padding);
        let mut values = Vec::new();
        if self.size == 1 && self.stride == 1 {
            self.map.forward(&x.values, &mut values);
        } else {
            self.map.forward(&self.unfolded(x, height, width), &mut values);
        }
        Grid { values, height, width, channels: self.map.outputs() }
    }

    /// The windows of a picture, one after another.
    fn unfolded(&self, x: &Grid, height: usize, width: usize) -> Vec<f32> {
        let mut out = Vec::with_capacity(height * width * self.map.inputs());
        for y in 0..height {
            for column in 0..width {
                for dy in 0..self.size {
                    self.append_row(x, y * self.stride + dy, column * self.stride, &mut out);
                }
            }
        }
        out
    }

    /// Appends a row of a window; `y` and `left` count from the padding's corner.
    fn append_row(&self, x: &Grid, y: usize, left: usize, out: &mut Vec<f32>) {
        let beyond = (left + self.size).saturating_sub(self.padding + x.width).min(self.size);
        let before = self.padding.saturating_sub(left).min(self.size - beyond);
        let inside = y.checked_sub(self.padding).filter(|y| *y < x.height);
        let Some(y) = inside.filter(|_| before + beyond < self.size) else {
            out.resize(out.len() + self.size * x.channels, 0.0);
            return;
        };
        let from = y * x.width + left + before - self.padding;
        out.resize(out.len() + before * x.channels, 0.0);
        out.extend_from_slice(&x.values[from * x.channels..][..(self.size - before - beyond) * x.channels]);
        out.resize(out.len() + beyond * x.channels, 0.0);
    }
}

/// The weights `[outputs, inputs, size, size]` as rows over the pixels of a window, each with all channels.
fn by_window(weights: &Weights, name: &str, shape: Shape) -> Result<Vec<f32>, EncodeError> {
    let Shape { inputs, outputs, size, .. } = shape;
    let weight = weights.tensor(&format!("{name}.weight"), &[outputs, inputs, size, size])?;
    let pixels = size * size;
    let row = |row: &[f32]| -> Vec<f32> {
        (0..pixels * inputs).map(|k| row[k % inputs * pixels + k / inputs]).collect()
    };
    Ok(weight.chunks_exact(inputs * pixels).flat_map(row).collect())
}
