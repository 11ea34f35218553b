//! Holm's correction for many comparisons.

use crate::error::EvalError;

/// Adjusts p-values so that rejecting those below a level keeps the chance of any false rejection
/// below that level (Holm, 1979), in the order given.
///
/// With `p_(1) <= .. <= p_(m)`: `adjusted_(i) = max_{j <= i} min(1, (m - j + 1) p_(j))`.
///
/// # Errors
/// [`EvalError::PValue`] naming the first value outside `[0, 1]`.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, EvalError> {
    if let Some(index) = p_values.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(EvalError::PValue { index, value: p_values[index] });
    }
    let m = p_values.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; m];
    let mut largest = 0.0f64;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max(((m - rank) as f64 * p_values[index]).min(1.0));
        adjusted[index] = largest;
    }
    Ok(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_down_from_the_smallest() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]).unwrap();
        let expected = [0.03, 0.06, 0.06, 0.02];
        for (a, e) in adjusted.iter().zip(expected) {
            assert!((a - e).abs() < 1e-15, "{adjusted:?}");
        }
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        for bad in [f64::NAN, -0.1, 1.1] {
            assert!(matches!(holm(&[0.5, bad]), Err(EvalError::PValue { index: 1, .. })));
        }
        assert!(holm(&[]).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn never_lowers_a_value_keeps_the_order_and_is_bonferroni_for_the_smallest(
            p in prop::collection::vec(0.0f64..=1.0, 1..20),
        ) {
            let adjusted = holm(&p).unwrap();
            for (&raw, &a) in p.iter().zip(&adjusted) {
                prop_assert!(raw <= a && a <= 1.0);
                for (&other, &b) in p.iter().zip(&adjusted) {
                    prop_assert!(raw > other || a <= b);
                }
            }
            let smallest = |values: &[f64]| values.iter().copied().fold(1.0, f64::min);
            prop_assert_eq!(smallest(&adjusted), (smallest(&p) * p.len() as f64).min(1.0));
        }
    }
}
