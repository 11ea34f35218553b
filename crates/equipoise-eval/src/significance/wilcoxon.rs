//! Wilcoxon's signed-rank test.

use serde::Serialize;
use statrs::function::erf::erfc;

use super::differences;
use crate::error::EvalError;

/// Largest number of pairs for which the exact distribution is counted out.
const EXACT_LIMIT: usize = 50;

/// How a p-value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WilcoxonMethod {
    /// By counting all assignments of signs.
    Exact,
    /// By the normal approximation, corrected for ties and continuity.
    Normal,
}

/// Outcome of [`wilcoxon_signed_rank`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SignedRankTest {
    /// Mean of `a - b` over all pairs.
    pub mean_difference: f64,
    /// The smaller of the two rank sums.
    pub statistic: f64,
    /// Pairs that differ.
    pub n: usize,
    /// Pairs that do not, which are left out.
    pub zeros: usize,
    /// How the p-value was found.
    pub method: WilcoxonMethod,
    /// Two-sided p-value, in `[0, 1]`.
    pub p_value: f64,
}

/// Two-sided Wilcoxon signed-rank test of `a` against `b`.
///
/// Pairs without difference are left out, equal magnitudes share their mean rank. With at most 50
/// pairs, no ties and no zeros the p-value is exact; otherwise
/// `z = (W - n(n+1)/4 + 1/2) / sqrt((n(n+1)(2n+1) - sum(t^3 - t)/2) / 24)` with W the smaller rank
/// sum and t the sizes of the groups of ties. Without any difference p is 1.
///
/// # Errors
/// [`EvalError::SampleLengths`], [`EvalError::NonFiniteSample`], [`EvalError::TooFewPairs`] when
/// there are no pairs.
pub fn wilcoxon_signed_rank(a: &[f64], b: &[f64]) -> Result<SignedRankTest, EvalError> {
    let all = differences(a, b)?;
    if all.is_empty() {
        return Err(EvalError::TooFewPairs { test: "Wilcoxon test", needed: 1, found: 0 });
    }
    let mean_difference = all.iter().sum::<f64>() / all.len() as f64;
    let mut x: Vec<f64> = all.iter().copied().filter(|&d| d != 0.0).collect();
    x.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranks = Ranks::of(&x);
    let (n, zeros) = (x.len(), all.len() - x.len());
    let statistic = ranks.positive.min(ranks.negative);
    let exact = n <= EXACT_LIMIT && zeros == 0 && ranks.ties == 0.0;
    let (method, p_value) = if exact {
        (WilcoxonMethod::Exact, exact_p(statistic as usize, n))
    } else {
        (WilcoxonMethod::Normal, normal_p(statistic, n, ranks.ties))
    };
    Ok(SignedRankTest { mean_difference, statistic, n, zeros, method, p_value })
}

/// Sums of the ranks of positive and negative differences, and the sum of `t^3 - t` over ties.
struct Ranks {
    positive: f64,
    negative: f64,
    ties: f64,
}

impl Ranks {
    /// Of differences sorted by magnitude.
    fn of(x: &[f64]) -> Self {
        let mut ranks = Ranks { positive: 0.0, negative: 0.0, ties: 0.0 };
        let mut before = 0;
        for group in x.chunk_by(|a, b| a.abs() == b.abs()) {
            let t = group.len() as f64;
            let rank = before as f64 + (t + 1.0) / 2.0;
            let positive = group.iter().filter(|&&d| d > 0.0).count() as f64;
            ranks.positive += rank * positive;
            ranks.negative += rank * (t - positive);
            ranks.ties += t * t * t - t;
            before += group.len();
        }
        ranks
    }
}

fn normal_p(statistic: f64, n: usize, ties: f64) -> f64 {
    if n == 0 {
        return 1.0;
    }
    let n = n as f64;
    let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - ties / 2.0) / 24.0;
    // The smaller rank sum is at or below its mean, so continuity moves it upwards, but not past.
    let distance = (n * (n + 1.0) / 4.0 - statistic - 0.5).max(0.0);
    erfc(distance / (2.0 * variance).sqrt()).min(1.0)
}

/// `2 P(W <= statistic)`: of all 2^n sets of signs, those with at most this rank sum.
fn exact_p(statistic: usize, n: usize) -> f64 {
    let largest = n * (n + 1) / 2;
    // Counts stay below 2^50 and are exact in f64.
    let mut sets = vec![0.0f64; largest + 1];
    sets[0] = 1.0;
    for rank in 1..=n {
        for sum in (rank..=largest).rev() {
            sets[sum] += sets[sum - rank];
        }
    }
    let below: f64 = sets[..=statistic].iter().sum();
    (2.0 * below / 2f64.powi(n as i32)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_run_against_itself_does_not_differ() {
        let test = wilcoxon_signed_rank(&[0.1, 0.4, 0.2], &[0.1, 0.4, 0.2]).unwrap();
        assert_eq!((test.n, test.zeros, test.p_value), (0, 3, 1.0));
    }

    #[test]
    fn five_gains_and_no_loss_have_one_chance_in_sixteen() {
        let test = wilcoxon_signed_rank(&[1.0, 2.0, 3.0, 4.0, 5.0], &[0.0; 5]).unwrap();
        assert_eq!((test.method, test.statistic), (WilcoxonMethod::Exact, 0.0));
        assert_eq!(test.p_value, 2.0 / 32.0);
    }

    #[test]
    fn ties_and_zeros_go_to_the_normal_approximation() {
        let tied = wilcoxon_signed_rank(&[1.0, 1.0, 2.0], &[0.0; 3]).unwrap();
        let zero = wilcoxon_signed_rank(&[1.0, 0.0, 2.0], &[0.0; 3]).unwrap();
        assert_eq!(tied.method, WilcoxonMethod::Normal);
        assert_eq!((zero.method, zero.n, zero.zeros), (WilcoxonMethod::Normal, 2, 1));
    }

    proptest! {
        #[test]
        fn counting_agrees_with_enumerating_all_signs(
            magnitudes in prop::collection::btree_set(1u32..1000, 1..10), signs: u32,
        ) {
            let sign = |bits: u32, p: usize| if bits >> p & 1 == 1 { 1.0 } else { -1.0 };
            let n = magnitudes.len();
            let x: Vec<f64> = magnitudes.iter().enumerate()
                .map(|(p, &m)| f64::from(m) * sign(signs, p)).collect();
            let test = wilcoxon_signed_rank(&x, &vec![0.0; n]).unwrap();
            // Magnitudes ascend, so the rank of place p is p + 1.
            let smaller = |bits: u32| {
                let positive: usize = (0..n).filter(|p| bits >> p & 1 == 1).map(|p| p + 1).sum();
                positive.min(n * (n + 1) / 2 - positive)
            };
            let as_extreme = (0..1u32 << n).filter(|&s| smaller(s) as f64 <= test.statistic).count();
            prop_assert_eq!(test.statistic, smaller(signs) as f64);
            let expected = as_extreme as f64 / f64::from(1u32 << n);
            prop_assert!((test.p_value - expected).abs() < 1e-12, "{} {}", test.p_value, expected);
        }
    }
}
