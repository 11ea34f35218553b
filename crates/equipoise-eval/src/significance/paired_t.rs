//! Student's paired t test.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::differences;
use crate::error::EvalError;

/// Outcome of [`paired_t`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedTest {
    /// Mean of `a - b`.
    pub mean_difference: f64,
    /// The t statistic; infinite when all differences are equal and not zero.
    pub statistic: f64,
    /// Degrees of freedom, pairs - 1.
    pub df: f64,
    /// Two-sided p-value, in `[0, 1]`.
    pub p_value: f64,
}

/// Two-sided paired t test of `a` against `b`:
/// `t = mean(x) / (sd(x) / sqrt(n))`, `x = a - b`, df = n - 1.
///
/// Without any difference t is 0 and p is 1; with one and the same difference in all pairs t is
/// infinite and p is 0.
///
/// # Errors
/// [`EvalError::SampleLengths`], [`EvalError::NonFiniteSample`], [`EvalError::TooFewPairs`] below 2.
pub fn paired_t(a: &[f64], b: &[f64]) -> Result<PairedTest, EvalError> {
    let x = differences(a, b)?;
    if x.len() < 2 {
        return Err(EvalError::TooFewPairs { test: "paired t test", needed: 2, found: x.len() });
    }
    let (n, df) = (x.len() as f64, (x.len() - 1) as f64);
    let mean = x.iter().sum::<f64>() / n;
    let constant = x.iter().all(|&d| d == x[0]);
    let variance = x.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / df;
    let statistic = match (constant, x[0] == 0.0) {
        (true, true) => 0.0,
        // Rounding of the mean would leave a variance that is not quite zero.
        (true, false) => f64::INFINITY.copysign(x[0]),
        (false, _) => mean / (variance / n).sqrt(),
    };
    Ok(PairedTest { mean_difference: mean, statistic, df, p_value: two_sided(statistic, df) })
}

fn two_sided(t: f64, df: f64) -> f64 {
    let distribution = StudentsT::new(0.0, 1.0, df).expect("at least one degree of freedom");
    if t.is_infinite() {
        return 0.0;
    }
    (2.0 * distribution.sf(t.abs())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_against_itself_does_not_differ() {
        let test = paired_t(&[0.1, 0.4, 0.2], &[0.1, 0.4, 0.2]).unwrap();
        assert_eq!((test.mean_difference, test.statistic, test.p_value), (0.0, 0.0, 1.0));
    }

    #[test]
    fn a_constant_difference_is_certain() {
        let test = paired_t(&[0.0, 1.0, 2.0], &[0.5, 1.5, 2.5]).unwrap();
        assert_eq!((test.statistic, test.p_value), (f64::NEG_INFINITY, 0.0));
    }

    #[test]
    fn exchanging_the_samples_turns_the_sign_only() {
        let (a, b) = ([0.2, 0.5, 0.9, 0.1], [0.1, 0.6, 0.5, 0.0]);
        let (ab, ba) = (paired_t(&a, &b).unwrap(), paired_t(&b, &a).unwrap());
        assert_eq!(ab.statistic, -ba.statistic);
        assert_eq!(ab.p_value, ba.p_value);
        assert_eq!(ab.df, 3.0);
    }

    #[test]
    fn unusable_samples_are_refused() {
        assert!(matches!(paired_t(&[1.0], &[0.0]), Err(EvalError::TooFewPairs { found: 1, .. })));
        assert!(matches!(paired_t(&[1.0, 2.0], &[0.0]), Err(EvalError::SampleLengths { left: 2, right: 1 })));
        assert!(matches!(
            paired_t(&[1.0, 2.0], &[0.0, f64::NAN]),
            Err(EvalError::NonFiniteSample { index: 1, .. })
        ));
    }
}
