//! How sure a difference is: the users' values of a run under each ablation, paired.

use equipoise_eval::PerUser;
use equipoise_models::Ablation;
use equipoise_train::{Report, Run, TrainError};

/// The users' values of one metric under each ablation; nothing of a run that has none.
pub(crate) struct UserValues {
    table: Option<PerUser>,
    names: Vec<String>,
}

impl UserValues {
    /// Those of a run on test.
    ///
    /// # Errors
    /// If the file is damaged.
    pub(crate) fn of(run: &Run, report: &Report, metric: &str) -> Result<UserValues, TrainError> {
        let names = report.modality_names().into_iter().map(str::to_owned).collect();
        Ok(UserValues { table: table(run, metric)?, names })
    }

    fn under(&self, ablation: Ablation) -> Option<(&[u32], &[f64])> {
        let table = self.table.as_ref()?;
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        Some((&table.users, table.column(&ablation.label(&names)).ok()?))
    }

    /// The standard error of the mean difference from another's values under another ablation, over the same users.
    pub(crate) fn error(&self, mine: Ablation, other: &UserValues, others: Ablation) -> Option<f64> {
        let ((users, a), (same, b)) = (self.under(mine)?, other.under(others)?);
        if users == same { paired_error(a, b) } else { None }
    }
}

#[cfg(feature = "parquet")]
fn table(run: &Run, metric: &str) -> Result<Option<PerUser>, TrainError> {
    run.ablations(metric)
}

/// This build cannot read Parquet.
#[cfg(not(feature = "parquet"))]
fn table(_: &Run, _: &str) -> Result<Option<PerUser>, TrainError> {
    Ok(None)
}

/// `sd(a_u - b_u) / sqrt(n)` with the sample's standard deviation; `None` below two users.
pub(crate) fn paired_error(a: &[f64], b: &[f64]) -> Option<f64> {
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
    }
}
