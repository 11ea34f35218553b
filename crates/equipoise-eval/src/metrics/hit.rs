//! Hit rate.

use super::metric::Metric;

/// `Hit@k = 1` when one of the first k items is held out, else 0.
#[derive(Debug, Clone, Copy)]
pub struct HitRate;

impl Metric for HitRate {
    fn name(&self) -> &'static str {
        "hit"
    }

    fn definition(&self) -> String {
        "hit@k = 1 if there is a hit among the first k, else 0".to_owned()
    }

    fn reads_order(&self) -> bool {
        false
    }

    fn value(&self, hits: &[bool], relevant: usize, k: usize) -> f64 {
        let found = relevant > 0 && hits.iter().take(k).any(|&hit| hit);
        f64::from(u8::from(found))
    }
}
