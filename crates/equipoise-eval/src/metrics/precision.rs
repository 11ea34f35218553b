//! Precision.

use super::metric::{Metric, hits_within};

/// `Precision@k = (r_1 + .. + r_k) / k`: the share of the k places that are hits.
///
/// The divisor stays k when the user has fewer than k candidates.
#[derive(Debug, Clone, Copy)]
pub struct Precision;

impl Metric for Precision {
    fn name(&self) -> &'static str {
        "precision"
    }

    fn definition(&self) -> String {
        "precision@k = hits among the first k / k".to_owned()
    }

    fn reads_order(&self) -> bool {
        false
    }

    fn value(&self, hits: &[bool], relevant: usize, k: usize) -> f64 {
        match relevant {
            0 => 0.0,
            _ => hits_within(hits, k) as f64 / k.max(1) as f64,
        }
    }
}
