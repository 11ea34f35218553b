//! Weights from how heads gain and overfit, equations (3) to (6) of the [module](super).

use crate::heads::HeadLosses;

/// Least squared growth of the overfitting gap.
pub const LEAST_GAP: f64 = 1e-8;
/// Least weight before normalisation.
pub const LEAST_WEIGHT: f64 = 1e-8;

/// One weight per head: none negative, sum 1. A head that gained nothing, or whose losses are no numbers, has next
/// to none; if no head gained anything all are equal.
pub fn blend(heads: &[HeadLosses]) -> Vec<f64> {
    let raw: Vec<f64> = heads.iter().map(weight).collect();
    // Huge weights could add up to infinity; shares of the largest cannot.
    let largest = raw.iter().copied().fold(LEAST_WEIGHT, f64::max);
    let total: f64 = raw.iter().map(|w| w / largest).sum();
    raw.iter().map(|w| w / largest / total).collect()
}

fn weight(head: &HeadLosses) -> f64 {
    let gain = head.before.validation - head.after.validation;
    let gap = head.after.overfitting() - head.before.overfitting();
    let weight = gain.max(0.0) / (gap * gap).max(LEAST_GAP);
    if weight.is_finite() && !gap.is_nan() { weight.max(LEAST_WEIGHT) } else { LEAST_WEIGHT }
}
