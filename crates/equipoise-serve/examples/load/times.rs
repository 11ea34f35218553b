//! Times of requests and their quantiles.

use std::time::Duration;

/// Times in microseconds.
#[derive(Default)]
pub struct Times(Vec<u32>);

impl Times {
    pub fn add(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn merge(&mut self, other: Times) {
        self.0.extend(other.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The least time that this share of the requests did not exceed, in milliseconds; `None` of no request.
    pub fn quantile(&mut self, share: f64) -> Option<f64> {
        let place = ((self.0.len() as f64 * share).ceil() as usize).saturating_sub(1);
        if self.0.is_empty() {
            return None;
        }
        let (_, time, _) = self.0.select_nth_unstable(place);
        Some(f64::from(*time) / 1e3)
    }
}
