//! Activations between the two linear maps of a block.

use std::path::Path;

use equipoise_kernels::exponential::exp_one;

use crate::error::EncodeError;
use equipoise_data::quoted;

/// What stands between the two linear maps.
///
/// | name in `config.json` | `f(x)` |
/// |---|---|
/// | `gelu` | `x Phi(x) = x (1 + erf(x / sqrt 2)) / 2` (Hendrycks and Gimpel 2016) |
/// | `gelu_new`, `gelu_fast`, `gelu_pytorch_tanh` | `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2` |
/// | `quick_gelu` | `x sigmoid(1.702 x)` |
/// | `silu`, `swish` | `x sigmoid(x)` |
/// | `relu` | `max(x, 0)` |
/// | `tanh` | `tanh(x)` |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    Gelu,
    GeluTanh,
    QuickGelu,
    Silu,
    Relu,
    Tanh,
}

impl Activation {
    /// By its name in `config.json`.
    ///
    /// # Errors
    /// If it has another name; `file` is the one that holds it.
    pub(crate) fn named(file: &Path, name: &str) -> Result<Activation, EncodeError> {
        match name {
            "gelu" => Ok(Activation::Gelu),
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
            "quick_gelu" => Ok(Activation::QuickGelu),
            "silu" | "swish" => Ok(Activation::Silu),
            "relu" => Ok(Activation::Relu),
            "tanh" => Ok(Activation::Tanh),
            _ => {
                let known =
                    "gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, quick_gelu, silu, swish, relu or tanh";
                let problem = format!("activation {}, expected {known}; choose another model", quoted(name));
                Err(EncodeError::file(file, problem))
            }
        }
    }

    /// `x = f(x)` for every element.
    pub(crate) fn apply(self, x: &mut [f32]) {
        match self {
            Activation::Gelu => gelu(x),
            Activation::GeluTanh => gelu_tanh(x),
            Activation::QuickGelu => sigmoid_weighted(x, 1.702),
            Activation::Silu => sigmoid_weighted(x, 1.0),
            Activation::Relu => x.iter_mut().for_each(|x| *x = x.max(0.0)),
            Activation::Tanh => tanh(x),
        }
    }
}

equipoise_kernels::wide! {
    fn gelu(x: &mut [f32]) {
        for x in x {
            *x *= 0.5 * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
        }
    }
}

equipoise_kernels::wide! {
    fn gelu_tanh(x: &mut [f32]) {
        for x in x {
            // (1 + tanh z) / 2 = sigmoid(2 z), with 2 sqrt(2 / pi) = 1.595769.
            *x *= sigmoid(1.595_769 * (*x + 0.044_715 * *x * *x * *x));
        }
    }
}

equipoise_kernels::wide! {
    fn sigmoid_weighted(x: &mut [f32], slope: f32) {
        for x in x {
            *x *= sigmoid(slope * *x);
        }
    }
}

equipoise_kernels::wide! {
    fn tanh(x: &mut [f32]) {
        for x in x {
            *x = 2.0 * sigmoid(2.0 * *x) - 1.0;
        }
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp_one(-x))
}

/// `erf(x)` to 3e-7: `1 - (a_1 t + ... + a_5 t^5) e^(-x^2)` with `t = 1 / (1 + p |x|)`, mirrored for negative `x`.
///
/// Source: Abramowitz and Stegun 1964, *Handbook of Mathematical Functions*, 7.1.26.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let (size, sign) = (x.abs(), 1f32.copysign(x));
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let tail = 1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4);
    let series = t * (0.254_829_6 + t * (-0.284_496_74 + t * tail));
    sign * (1.0 - series * exp_one(-size * size))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `erf` by its series, in f64: exact to rounding for |x| <= 6.
    fn exact_erf(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    #[test]
    fn every_activation_is_its_definition_to_single_precision() {
        let x: Vec<f32> = (-5000..=5000).map(|k| k as f32 / 1250.0).collect();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        type Definition<'a> = &'a dyn Fn(f64) -> f64;
        let cases: [(Activation, Definition); 6] = [
            (Activation::Gelu, &|x| x * (1.0 + exact_erf(x / 2f64.sqrt())) / 2.0),
            (Activation::GeluTanh, &|x| {
                x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh()) / 2.0
            }),
            (Activation::QuickGelu, &|x| x * sigmoid(1.702 * x)),
            (Activation::Silu, &|x| x * sigmoid(x)),
            (Activation::Relu, &|x| x.max(0.0)),
            (Activation::Tanh, &f64::tanh),
        ];
        for (activation, definition) in cases {
            let mut found = x.clone();
            activation.apply(&mut found);
            for (&x, found) in x.iter().zip(found) {
                let expected = definition(f64::from(x));
                assert!(
                    (f64::from(found) - expected).abs() < 1e-6,
                    "{activation:?}({x}): {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn far_out_nothing_overflows() {
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::QuickGelu, Activation::Silu] {
            let mut x = [-1e4, 1e4];
            activation.apply(&mut x);
            assert!(x[0].abs() < 1e-6 && x[1] == 1e4, "{activation:?} {x:?}");
        }
    }
}
