//! Linear maps: `y = x W^T + b`.

use equipoise_kernels::product::{Matrix, Strided, product};

use super::weights::Weights;
use crate::error::EncodeError;

/// A linear map; `W` is `[out, in]` as stored in the file.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    weight: Vec<f32>,
    /// Empty for a map without bias.
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

impl Linear {
    /// A map of these values; an empty `bias` stands for none.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub(crate) fn new(weight: Vec<f32>, bias: Vec<f32>, inputs: usize, outputs: usize) -> Linear {
        assert_eq!(weight.len(), inputs * outputs, "linear: weight");
        assert!(bias.is_empty() || bias.len() == outputs, "linear: bias");
        Linear { weight, bias, inputs, outputs }
    }

    /// `<prefix>.weight`, and `<prefix>.bias` where there is one.
    ///
    /// # Errors
    /// If the weight is absent, or a shape is another.
    pub(crate) fn load(
        weights: &Weights,
        prefix: &str,
        inputs: usize,
        outputs: usize,
    ) -> Result<Linear, EncodeError> {
        let weight = weights.tensor(&format!("{prefix}.weight"), &[outputs, inputs])?;
        let bias = format!("{prefix}.bias");
        let bias = if weights.has(&bias) { weights.tensor(&bias, &[outputs])? } else { Vec::new() };
        Ok(Linear::new(weight, bias, inputs, outputs))
    }

    /// Maps of the same input as one, outputs one after another.
    ///
    /// # Panics
    /// If there is none, or their inputs differ.
    pub(crate) fn stacked(parts: &[Linear]) -> Linear {
        let inputs = parts[0].inputs;
        let outputs = parts.iter().map(|p| p.outputs).sum();
        let any = parts.iter().any(|p| !p.bias.is_empty());
        let (mut weight, mut bias) = (Vec::with_capacity(inputs * outputs), Vec::new());
        for part in parts {
            assert_eq!(part.inputs, inputs, "stacked: inputs");
            weight.extend(&part.weight);
            if any && part.bias.is_empty() {
                bias.resize(bias.len() + part.outputs, 0.0);
            }
            bias.extend(&part.bias);
        }
        Linear::new(weight, bias, inputs, outputs)
    }

    /// Number of inputs.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// `out = x W^T + b` for the rows of `x`; `out` gets the right length.
    pub(crate) fn forward(&self, x: &[f32], out: &mut Vec<f32>) {
        let rows = x.len() / self.inputs;
        debug_assert_eq!(rows * self.inputs, x.len(), "linear: whole rows");
        out.clear();
        if self.bias.is_empty() {
            out.resize(rows * self.outputs, 0.0)
        } else {
            (0..rows).for_each(|_| out.extend_from_slice(&self.bias))
        }
        product(
            Matrix { data: out, rows, columns: self.outputs },
            Strided { data: x, row: self.inputs, column: 1 },
            Strided { data: &self.weight, row: 1, column: self.inputs },
            self.inputs,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_the_sum_of_products_and_stacking_keeps_each_part() {
        let cell = |k: usize| ((k * 37 % 23) as f32 - 11.0) / 4.0;
        let part = |outputs: usize, seed: usize, bias: bool| {
            let weight = (0..5 * outputs).map(|k| cell(k + seed)).collect();
            Linear::new(weight, if bias { (0..outputs).map(cell).collect() } else { Vec::new() }, 5, outputs)
        };
        let parts = [part(3, 1, true), part(2, 7, false)];
        let x: Vec<f32> = (0..20).map(|k| cell(3 * k)).collect();
        let mut both = Vec::new();
        Linear::stacked(&parts).forward(&x, &mut both);
        for (r, x) in x.chunks(5).enumerate() {
            for (o, found) in both[r * 5..][..5].iter().enumerate() {
                let (part, o) = if o < 3 { (&parts[0], o) } else { (&parts[1], o - 3) };
                let sum: f32 = part.weight[o * 5..][..5].iter().zip(x).map(|(w, x)| w * x).sum();
                let expected = sum + part.bias.get(o).copied().unwrap_or(0.0);
                assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
    }
}
