//! Recall.

use super::metric::{Metric, hits_within};

/// `Recall@k = (r_1 + .. + r_k) / g`: the share of the user's g held-out items found.
#[derive(Debug, Clone, Copy)]
pub struct Recall;

impl Metric for Recall {
    fn name(&self) -> &'static str {
        "recall"
    }

    fn definition(&self) -> String {
        "recall@k = hits among the first k / held-out items of the user".to_owned()
    }

    fn reads_order(&self) -> bool {
        false
    }

    fn value(&self, hits: &[bool], relevant: usize, k: usize) -> f64 {
        match relevant {
            0 => 0.0,
            relevant => hits_within(hits, k) as f64 / relevant as f64,
        }
    }
}
