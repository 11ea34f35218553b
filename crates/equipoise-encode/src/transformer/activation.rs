//! Activations between two linear maps.

use std::path::Path;

use candle_core::Tensor;
use candle_nn::Module as _;

use crate::error::EncodeError;
use equipoise_data::quoted;

/// What stands between two linear maps.
///
/// | name in `config.json` | `f(x)` |
/// |---|---|
/// | `gelu` | `x Phi(x) = x (1 + erf(x / sqrt 2)) / 2` (Hendrycks and Gimpel 2016) |
/// | `gelu_new`, `gelu_fast`, `gelu_pytorch_tanh` | `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2` |
/// | `quick_gelu` | `x sigmoid(1.702 x)` |
/// | `silu`, `swish` | `x sigmoid(x)` |
/// | `relu` | `max(x, 0)` |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    Gelu,
    GeluTanh,
    QuickGelu,
    Silu,
    Relu,
}

/// The slope of `quick_gelu`.
pub(crate) const QUICK: f32 = 1.702;

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
            _ => {
                let known = "gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, quick_gelu, silu, swish or relu";
                let problem = format!("activation {}, expected {known}; choose another model", quoted(name));
                Err(EncodeError::file(file, problem))
            }
        }
    }

    /// Candle's name; its models have none for `quick_gelu`, which is `silu` of `1.702 x` divided by 1.702.
    pub(crate) fn of_candle(self) -> candle_nn::Activation {
        match self {
            Activation::Gelu => candle_nn::Activation::Gelu,
            Activation::GeluTanh => candle_nn::Activation::GeluPytorchTanh,
            Activation::QuickGelu | Activation::Silu => candle_nn::Activation::Silu,
            Activation::Relu => candle_nn::Activation::Relu,
        }
    }

    /// `f(x)` of every element.
    ///
    /// # Errors
    /// What candle has against `x`: nothing where it is of floats.
    pub(crate) fn forward(self, x: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Activation::QuickGelu => self.of_candle().forward(&(x * f64::from(QUICK))?)? / f64::from(QUICK),
            _ => self.of_candle().forward(x),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

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

    fn of(activation: Activation, x: &[f32]) -> Vec<f32> {
        let x = Tensor::new(x, &Device::Cpu).expect("numbers");
        activation.forward(&x).and_then(|y| y.to_vec1()).expect("floats")
    }

    #[test]
    fn every_activation_is_its_definition_to_single_precision() {
        let x: Vec<f32> = (-5000..=5000).map(|k| k as f32 / 1250.0).collect();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        type Definition<'a> = &'a dyn Fn(f64) -> f64;
        let cases: [(&str, Definition); 5] = [
            ("gelu", &|x| x * (1.0 + exact_erf(x / 2f64.sqrt())) / 2.0),
            ("gelu_new", &|x| {
                x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh()) / 2.0
            }),
            ("quick_gelu", &|x| x * sigmoid(1.702 * x)),
            ("silu", &|x| x * sigmoid(x)),
            ("relu", &|x| x.max(0.0)),
        ];
        for (name, definition) in cases {
            let activation = Activation::named(Path::new("config.json"), name).expect("known");
            for (&x, found) in x.iter().zip(of(activation, &x)) {
                let expected = definition(f64::from(x));
                assert!((f64::from(found) - expected).abs() < 1e-6, "{name}({x}): {found} {expected}");
            }
        }
    }

    #[test]
    fn far_out_nothing_overflows() {
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::QuickGelu, Activation::Silu] {
            let found = of(activation, &[-1e4, 1e4]);
            assert!(found[0].abs() < 1e-6 && (found[1] - 1e4).abs() < 1e-2, "{activation:?} {found:?}");
        }
    }
}
