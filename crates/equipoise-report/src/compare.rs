//! Two runs side by side, with paired tests over users.

use equipoise_eval::{EvalError, PerUser, holm, paired_t, wilcoxon_signed_rank};
use equipoise_train::{Run, TrainError};
use serde::Serialize;

/// One metric of two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name, such as `recall@20`.
    pub metric: String,
    /// Mean over users in the first run.
    pub first: f64,
    /// Mean over users in the second run.
    pub second: f64,
    /// Second less first.
    pub difference: f64,
    /// The difference relative to the first run; absent when that is 0.
    pub relative: Option<f64>,
    /// Two-sided p-value of the paired t test over users.
    pub p_t: f64,
    /// The same, corrected after Holm for all metrics shown.
    pub p_t_holm: f64,
    /// Two-sided p-value of Wilcoxon's signed-rank test over users.
    pub p_wilcoxon: f64,
}

/// A comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The first run's name.
    pub first: String,
    /// The second run's name.
    pub second: String,
    /// Users compared.
    pub users: usize,
    /// One row per metric.
    pub rows: Vec<Row>,
}

/// Compares the test results of two runs user by user.
///
/// # Errors
/// If a run did not finish, the runs are of different data, or were evaluated on different users or metrics.
pub fn compare(first: &Run, second: &Run) -> Result<Comparison, TrainError> {
    let (a, b) = (first.report()?, second.report()?);
    if (a.users, a.items, &a.dataset) != (b.users, b.items, &b.dataset) {
        let reason = format!(
            "its data set is `{}` with {} users and {} items, the other run's `{}` with {} and {}; compare runs on one data set",
            b.dataset, b.users, b.items, a.dataset, a.users, a.items
        );
        return Err(TrainError::format(second.dir(), reason));
    }
    let users = first.per_user()?;
    let others = second.per_user()?;
    let mut rows = users.names().map(|n| row(n, &users, &others)).collect::<Result<Vec<_>, _>>()?;
    let corrected = holm(&rows.iter().map(|r| r.p_t).collect::<Vec<_>>())?;
    rows.iter_mut().zip(corrected).for_each(|(row, p)| row.p_t_holm = p);
    Ok(Comparison { first: first.name(), second: second.name(), users: users.users.len(), rows })
}

fn row(metric: &str, users: &PerUser, others: &PerUser) -> Result<Row, EvalError> {
    let (a, b) = users.paired(others, metric)?;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len().max(1) as f64;
    let (first, second) = (mean(a), mean(b));
    Ok(Row {
        metric: metric.to_owned(),
        first,
        second,
        difference: second - first,
        relative: (first != 0.0).then(|| second / first - 1.0),
        p_t: paired_t(b, a)?.p_value,
        p_t_holm: f64::NAN,
        p_wilcoxon: wilcoxon_signed_rank(b, a)?.p_value,
    })
}
