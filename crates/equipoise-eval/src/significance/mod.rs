//! Whether two runs differ by more than chance.
//!
//! Pairs are users, or seeds; say which, for a test over twenty thousand users calls tiny
//! differences significant and knows nothing of the spread between seeds.

mod holm;
mod paired_error;
mod paired_t;
mod two_way;
mod wilcoxon;

pub use holm::holm;
pub use paired_error::paired_error;
pub use paired_t::{PairedTest, paired_t};
pub use two_way::two_way_interval;
pub use wilcoxon::{SignedRankTest, WilcoxonMethod, wilcoxon_signed_rank};

use crate::error::EvalError;

/// `a[n] - b[n]`, after checking that both are finite and of one length.
fn differences(a: &[f64], b: &[f64]) -> Result<Vec<f64>, EvalError> {
    if a.len() != b.len() {
        return Err(EvalError::SampleLengths { left: a.len(), right: b.len() });
    }
    for (sample, values) in [("first sample", a), ("second sample", b)] {
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            return Err(EvalError::NonFiniteSample { sample, index, value: values[index] });
        }
    }
    Ok(a.iter().zip(b).map(|(a, b)| a - b).collect())
}
