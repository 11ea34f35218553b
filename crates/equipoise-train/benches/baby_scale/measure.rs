//! Seconds, medians, processor time and peak memory.

use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What one process measured.
#[derive(Serialize, Deserialize)]
pub struct Found {
    /// Always `ours`.
    pub who: String,
    pub backbone: String,
    pub kind: String,
    /// Seconds of each step.
    pub steps: Vec<f64>,
    /// Seconds of each evaluation.
    pub evaluations: Vec<f64>,
    /// Processor seconds per step, all cores together.
    pub processor: f64,
    pub load_seconds: f64,
    /// Seconds from data to a stepper: graph, parameters, samplers.
    pub start_seconds: f64,
    pub steps_per_epoch: usize,
    /// After loading; after the steps; at the end.
    pub peak_mib: [u64; 3],
}

impl Found {
    /// A line for people.
    pub fn line(&self) -> String {
        let step = median(&self.steps);
        format!(
            "{:10} {:7}: step median {:.1} ms, processor {:.1} ms; epoch {:.2} s; evaluation {:.2} s; peak memory {} MiB",
            self.backbone,
            self.kind,
            1e3 * step,
            1e3 * self.processor,
            step * self.steps_per_epoch as f64,
            median(&self.evaluations),
            self.peak_mib[2]
        )
    }
}

/// Seconds of each call after warming up.
pub fn times(warm: usize, count: usize, mut work: impl FnMut()) -> Vec<f64> {
    (0..warm).for_each(|_| work());
    (0..count).map(|_| seconds(&mut work).0).collect()
}

/// Seconds of one call, and its result.
pub fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

/// The middle one; 0 of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Seconds of all cores that this process has used.
pub fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |k: usize| fields.get(k).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

/// Peak resident memory so far.
pub fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
