//! Ratios under their guards, and weights from ratios.

use super::{EPS, Guard, R_MAX, R_MIN, Shape};

/// `effect / denominator` under the guard, and whether the guard changed it.
pub(super) fn guarded(effect: f64, denominator: f64, guard: Guard) -> (f64, bool) {
    let below = match guard {
        Guard::Floored => denominator.max(EPS),
        Guard::Raw => denominator,
    };
    let ratio = effect / below;
    let kept = if ratio.is_finite() { ratio.clamp(R_MIN, R_MAX) } else { unbounded(ratio) };
    (kept, kept != ratio || below != denominator)
}

/// `+inf` is clamped like any large ratio; `-inf` and NaN count as no effect.
fn unbounded(ratio: f64) -> f64 {
    if ratio == f64::INFINITY { R_MAX } else { R_MIN }
}

/// Weights that sum to 1: the weaker the ratio, the larger the weight.
pub(super) fn shares(ratios: &[f64], shape: Shape) -> Vec<f64> {
    let n = ratios.len();
    if n == 1 {
        return vec![1.0];
    }
    match shape {
        Shape::Complement => {
            let total: f64 = ratios.iter().sum();
            ratios.iter().map(|r| (1.0 - r / total) / (n - 1) as f64).collect()
        }
        Shape::Inverse => {
            let total: f64 = ratios.iter().map(|r| 1.0 / r).sum();
            ratios.iter().map(|r| 1.0 / r / total).collect()
        }
    }
}
