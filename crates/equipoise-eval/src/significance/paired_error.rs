//! How sure a mean difference of pairs is.

/// The standard error of a mean difference, `sd(a - b) / sqrt(n)` with the sample's standard deviation; `None` below two pairs, and
/// where there are not as many of the one as of the other.
pub fn paired_error(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    if a.len() < 2 || a.len() != b.len() {
        return None;
    }
    let mean = a.iter().zip(b).map(|(a, b)| a - b).sum::<f64>() / n;
    let squares: f64 = a.iter().zip(b).map(|(a, b)| (a - b - mean).powi(2)).sum();
    Some((squares / (n - 1.0) / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_of_the_differences_and_not_of_the_means() {
        let a: Vec<f64> = (0..100).map(|u| f64::from(u % 2)).collect();
        let opposite: Vec<f64> = a.iter().map(|v| 1.0 - v).collect();
        assert_eq!(paired_error(&a, &a), Some(0.0));
        // Perfectly opposed users: twice the error of either mean, where the larger of the two would overclaim.
        let alone = (0.25f64 * 100.0 / 99.0 / 100.0).sqrt();
        assert!((paired_error(&a, &opposite).unwrap() - 2.0 * alone).abs() < 1e-12);
        assert_eq!(paired_error(&[1.0], &[0.0]), None);
        // Variance 1 of three differences.
        let error = paired_error(&[1.0, 2.0, 3.0], &[0.0; 3]).unwrap();
        assert!((error - (1.0f64 / 3.0).sqrt()).abs() < 1e-12);
    }
}
