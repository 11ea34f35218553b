//! The ranking loss, and distillation losses per triple, from student margins `s` (on the tape) and teacher margins `t` (constants).
//!
//! | name | per triple | gradient with respect to `s` |
//! |---|---|---|
//! | [`hinge`] (Eq. 11) | `max(t - s, 0)` | -1 where `t > s`, else 0 |
//! | [`cross_entropy`] (Eq. 12-13) | `sp(z_s) - p z_s`, `z = margin / tau`, `p = sig(z_t)` | `(sig(z_s) - p) / tau` |
//! | [`kl`] | the same less its least value `H(p)` | the same |
//! | [`squared`] | `(t - s)^2` | `2 (s - t)` |

use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Tensor, TensorData};
use equipoise_nn::math::{sigmoid as sigmoid_of, softplus};
use serde::{Deserialize, Serialize};

/// How the logarithms of the generic loss are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenericLog {
    /// Exactly, in the stable form: finite loss and a full gradient for any margin.
    #[default]
    Exact,
    /// With 1e-8 inside each logarithm, as the authors' released code does: the loss is capped at 18.42 and the
    /// gradient vanishes once the student saturates on the wrong side.
    Released,
}

/// Bayesian personalised ranking: the mean of `sp(-margin)`, shape `[1]`.
pub fn bpr(margins: Tensor<1>) -> Tensor<1> {
    softplus(margins.neg()).mean()
}

/// The same of plain numbers, in double precision.
pub fn mean_bpr(margins: &[f32]) -> f64 {
    margins.iter().map(|&x| bpr_of(x)).sum::<f64>() / margins.len().max(1) as f64
}

/// `sp(-margin)` of one margin, in double precision.
fn bpr_of(margin: f32) -> f64 {
    wide_bpr(f64::from(margin))
}

/// The same of a margin in double precision.
pub(crate) fn wide_bpr(x: f64) -> f64 {
    (-x).max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The mean in double precision; 0 of nothing.
pub(crate) fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len().max(1) as f64
}

/// `max(t - s, 0)`: asks the student to reach the teacher's margin and is silent beyond it.
pub fn hinge(student: Tensor<1>, teacher: &[f32]) -> Tensor<1> {
    relu(constant(teacher, &student) - student)
}

/// `(t - s)^2`.
pub fn squared(student: Tensor<1>, teacher: &[f32]) -> Tensor<1> {
    let difference = constant(teacher, &student) - student;
    difference.clone() * difference
}

/// Cross-entropy of the student's preference against the teacher's, at temperature `tau`.
pub fn cross_entropy(student: Tensor<1>, teacher: &[f32], tau: f64, log: GenericLog) -> Tensor<1> {
    let p: Vec<f32> = teacher.iter().map(|t| sigmoid_of(t / tau as f32)).collect();
    let (p, z) = (constant(&p, &student), student.div_scalar(tau));
    match log {
        GenericLog::Exact => softplus(z.clone()) - p * z,
        GenericLog::Released => {
            let q = sigmoid(z);
            let yes = p.clone() * (q.clone() + 1e-8).log();
            // 1e-8 is added last: in float32, 1 + 1e-8 is 1.
            let no = (p.neg() + 1.0) * (q.neg() + 1.0 + 1e-8).log();
            (yes + no).neg()
        }
    }
}

/// Bernoulli KL divergence of the student's preference from the teacher's: [`cross_entropy`] less `H(p)`.
pub fn kl(student: Tensor<1>, teacher: &[f32], tau: f64) -> Tensor<1> {
    let entropy: Vec<f32> = teacher.iter().map(|t| binary_entropy(t / tau as f32)).collect();
    let entropy = constant(&entropy, &student);
    cross_entropy(student, teacher, tau, GenericLog::Exact) - entropy
}

/// `H(sig(z)) = sp(z) - sig(z) z`.
fn binary_entropy(z: f32) -> f32 {
    z.max(0.0) + (-z.abs()).exp().ln_1p() - sigmoid_of(z) * z
}

/// Plain numbers beside a tensor on the tape.
pub(crate) fn constant(values: &[f32], beside: &Tensor<1>) -> Tensor<1> {
    let device = beside.device();
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), &device)
}

/// The value of a loss of shape `[1]`.
pub fn number(x: &Tensor<1>) -> f64 {
    f64::from(x.clone().inner().into_scalar::<f32>())
}
