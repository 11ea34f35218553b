//! Normalisation of rows.

use super::weights::Weights;
use crate::error::EncodeError;

/// Layer normalisation: `y = (x - mean(x)) / sqrt(var(x) + eps) * w + b`, variance over the row without correction.
///
/// Source: Ba, Kiros and Hinton 2016, *Layer Normalization*.
#[derive(Clone, Debug)]
pub(crate) struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
}

/// Partial sums side by side.
const LANES: usize = 16;

impl LayerNorm {
    /// A norm of these values.
    ///
    /// # Panics
    /// If the lengths differ.
    pub(crate) fn new(weight: Vec<f32>, bias: Vec<f32>, eps: f32) -> LayerNorm {
        assert_eq!(weight.len(), bias.len(), "layer norm: width");
        LayerNorm { weight, bias, eps }
    }

    /// `<prefix>.weight` and `<prefix>.bias` (`gamma` and `beta` in old files).
    ///
    /// # Errors
    /// If one is absent or has another shape.
    pub(crate) fn load(
        weights: &Weights,
        prefix: &str,
        width: usize,
        eps: f32,
    ) -> Result<LayerNorm, EncodeError> {
        // The oldest models call them so.
        let old = weights.has(&format!("{prefix}.gamma"));
        let [weight, bias] = if old { ["gamma", "beta"] } else { ["weight", "bias"] };
        let weight = weights.tensor(&format!("{prefix}.{weight}"), &[width])?;
        let bias = weights.tensor(&format!("{prefix}.{bias}"), &[width])?;
        Ok(LayerNorm::new(weight, bias, eps))
    }

    /// `<prefix>.weight`, and `<prefix>.bias` where there is one.
    ///
    /// # Errors
    /// If the weight is absent, or a shape is another.
    pub(crate) fn load_maybe_without_bias(
        weights: &Weights,
        prefix: &str,
        width: usize,
        eps: f32,
    ) -> Result<LayerNorm, EncodeError> {
        if weights.has(&format!("{prefix}.bias")) {
            return LayerNorm::load(weights, prefix, width, eps);
        }
        let weight = weights.tensor(&format!("{prefix}.weight"), &[width])?;
        Ok(LayerNorm::new(weight, vec![0.0; width], eps))
    }

    /// Normalises each row in place.
    pub(crate) fn forward(&self, x: &mut [f32]) {
        normalise(x, &self.weight, &self.bias, self.eps);
    }

    /// Normalises each row of `x` into `out`, which gets the right length.
    pub(crate) fn forward_into(&self, x: &[f32], out: &mut Vec<f32>) {
        out.clear();
        out.extend_from_slice(x);
        self.forward(out);
    }
}

/// Root-mean-square normalisation: `y = x / sqrt(mean(x^2) + eps) * w`.
///
/// Source: Zhang and Sennrich, NeurIPS 2019, *Root Mean Square Layer Normalization*.
#[derive(Clone, Debug)]
pub(crate) struct RootMeanSquare {
    weight: Vec<f32>,
    eps: f32,
}

impl RootMeanSquare {
    /// `<prefix>.weight`.
    ///
    /// # Errors
    /// If it is absent or has another shape.
    pub(crate) fn load(weights: &Weights, prefix: &str, width: usize, eps: f32) -> Result<Self, EncodeError> {
        Ok(RootMeanSquare { weight: weights.tensor(&format!("{prefix}.weight"), &[width])?, eps })
    }

    /// Normalises each row in place.
    fn forward(&self, x: &mut [f32]) {
        scale(x, &self.weight, self.eps);
    }
}

/// What a block does to rows before or after a part.
#[derive(Clone, Debug)]
pub(crate) enum Norm {
    Layer(LayerNorm),
    RootMeanSquare(RootMeanSquare),
    /// Nothing.
    Identity,
}

impl Norm {
    /// Normalises each row in place.
    pub(crate) fn forward(&self, x: &mut [f32]) {
        match self {
            Norm::Layer(norm) => norm.forward(x),
            Norm::RootMeanSquare(norm) => norm.forward(x),
            Norm::Identity => {}
        }
    }
}

impl From<LayerNorm> for Norm {
    fn from(norm: LayerNorm) -> Norm {
        Norm::Layer(norm)
    }
}

impl From<RootMeanSquare> for Norm {
    fn from(norm: RootMeanSquare) -> Norm {
        Norm::RootMeanSquare(norm)
    }
}

equipoise_kernels::wide! {
    fn scale(x: &mut [f32], weight: &[f32], eps: f32) {
        let width = weight.len();
        for row in x.chunks_exact_mut(width) {
            let scale = 1.0 / (sum(row, |v| v * v) / width as f32 + eps).sqrt();
            row.iter_mut().zip(weight).for_each(|(v, w)| *v *= scale * w);
        }
    }
}

equipoise_kernels::wide! {
    fn normalise(x: &mut [f32], weight: &[f32], bias: &[f32], eps: f32) {
        let width = weight.len();
        for row in x.chunks_exact_mut(width) {
            let mean = sum(row, |v| v) / width as f32;
            let variance = sum(row, |v| (v - mean) * (v - mean)) / width as f32;
            let scale = 1.0 / (variance + eps).sqrt();
            for ((v, w), b) in row.iter_mut().zip(weight).zip(bias) {
                *v = (*v - mean) * scale * w + b;
            }
        }
    }
}

/// Divides each row by its Euclidean norm, or by `1e-12` if that is larger, so that a zero row stays zero.
pub(crate) fn unit_rows(x: &mut [f32], width: usize) {
    for row in x.chunks_exact_mut(width) {
        let norm = sum(row, |v| v * v).sqrt().max(1e-12);
        row.iter_mut().for_each(|v| *v /= norm);
    }
}

#[inline(always)]
fn sum(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (main, rest) = row.as_chunks::<LANES>();
    for part in main {
        for l in 0..LANES {
            lanes[l] += f(part[l]);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&v| f(v)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_get_mean_0_and_variance_1_before_weight_and_bias() {
        let width = 19;
        let mut x: Vec<f32> = (0..2 * width).map(|k| (k * k % 31) as f32 + 100.0).collect();
        LayerNorm::new(vec![2.0; width], vec![3.0; width], 0.0).forward(&mut x);
        for row in x.chunks(width) {
            let mean: f32 = row.iter().sum::<f32>() / width as f32;
            let variance: f32 = row.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / width as f32;
            assert!((mean - 3.0).abs() < 1e-4 && (variance - 4.0).abs() < 1e-3, "{mean} {variance}");
        }
    }

    #[test]
    fn rows_get_mean_square_1_before_the_weight() {
        let width = 19;
        let mut x: Vec<f32> = (0..2 * width).map(|k| (k * k % 31) as f32 + 100.0).collect();
        let before = x.clone();
        let norm = RootMeanSquare { weight: vec![2.0; width], eps: 0.0 };
        Norm::from(norm).forward(&mut x);
        for (row, before) in x.chunks(width).zip(before.chunks(width)) {
            let square: f32 = row.iter().map(|v| v * v).sum::<f32>() / width as f32;
            assert!((square - 4.0).abs() < 1e-3, "{square}");
            assert!((row[0] / row[1] - before[0] / before[1]).abs() < 1e-5);
        }
    }

    #[test]
    fn unit_rows_have_norm_1_and_zero_rows_stay() {
        let mut x = vec![3.0, 4.0, 0.0, 0.0];
        unit_rows(&mut x, 2);
        assert_eq!(x, [0.6, 0.8, 0.0, 0.0]);
    }
}
