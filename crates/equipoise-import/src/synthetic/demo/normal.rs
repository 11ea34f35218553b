//! Random numbers that are nearly normal and the same on every machine.

use equipoise_data::Stream;

/// A nearly normal number: the sum of twelve uniform ones less 6 (mean 0, variance 1).
pub(super) fn normal(rng: &mut Stream) -> f64 {
    (0..12).map(|_| rng.unit()).sum::<f64>() - 6.0
}
