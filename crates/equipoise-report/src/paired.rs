//! How sure a difference is: the users' values of a run under each ablation, paired.

use equipoise_eval::{PerUser, paired_error};
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
