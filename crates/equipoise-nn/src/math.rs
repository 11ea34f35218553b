//! Scalar functions in forms that neither overflow nor lose their gradient.

use burn::tensor::Tensor;

/// `sp(x) = ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)`, finite for every finite `x`.
///
/// The BPR loss of a margin is `sp(-margin)`, since `-ln sig(x) = sp(-x)`.
pub fn softplus(x: Tensor<1>) -> Tensor<1> {
    let size = x.clone().abs();
    let tail = size.clone().neg().exp().log1p();
    // (x + |x|) / 2 rather than relu: its slope at 0 is 1/2, as that of sp.
    x * 0.5 + size * 0.5 + tail
}

/// `1 / (1 + e^-x)` of a plain number.
pub fn sigmoid(x: f32) -> f32 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}
