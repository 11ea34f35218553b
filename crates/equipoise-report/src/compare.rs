//! Two runs side by side, with paired tests over users.

use equipoise_eval::{EvalError, PerUser, holm, paired_t, wilcoxon_signed_rank};
use equipoise_train::{Run, TrainError};
use serde::Serialize;
use std::path::Path;

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
    /// The same as it counts: alone for the metric that was chosen beforehand, corrected after Holm for all others, which are
    /// a family of their own. Metrics of one pair of rankings depend on each other, and to correct the chosen one for them
    /// would hide what it shows.
    pub p_t_holm: f64,
    /// Two-sided p-value of Wilcoxon's signed-rank test over users.
    pub p_wilcoxon: f64,
}

/// A comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The first run's name, with as much of its path as tells it from the second.
    pub first: String,
    /// The second run's name, likewise.
    pub second: String,
    /// Users compared.
    pub users: usize,
    /// The metric that both runs were selected by, which is tested alone; absent if they were selected by different ones.
    pub primary: Option<String>,
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
    let primary = first.config()?.train.metric.clone();
    let shared = primary == second.config()?.train.metric && users.names().any(|name| name == primary);
    let primary = shared.then_some(primary);
    correct(&mut rows, primary.as_deref())?;
    let (first, second) = told_apart(first.dir(), second.dir());
    Ok(Comparison { first, second, users: users.users.len(), primary, rows })
}

/// Leaves the metric that was chosen beforehand as it is, and corrects the others as a family.
fn correct(rows: &mut [Row], primary: Option<&str>) -> Result<(), EvalError> {
    let mut family = Vec::new();
    for row in rows {
        row.p_t_holm = row.p_t;
        if primary != Some(row.metric.as_str()) {
            family.push(row);
        }
    }
    let corrected = holm(&family.iter().map(|r| r.p_t).collect::<Vec<_>>())?;
    family.into_iter().zip(corrected).for_each(|(row, p)| row.p_t_holm = p);
    Ok(())
}

/// Names of two directories: their last components, with as many before as tell them apart; `(first)` and `(second)` of one
/// directory.
fn told_apart(first: &Path, second: &Path) -> (String, String) {
    let parts = |dir: &Path| -> Vec<String> {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        dir.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (a, b) = (parts(first), parts(second));
    let last = |parts: &[String], n: usize| parts[parts.len().saturating_sub(n)..].join("/");
    let apart = (1..=a.len().max(b.len())).find(|&n| last(&a, n) != last(&b, n));
    match apart {
        Some(n) => (last(&a, n), last(&b, n)),
        None => (format!("{} (first)", last(&a, 1)), format!("{} (second)", last(&b, 1))),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(metric: &str, p_t: f64) -> Row {
        let name = metric.to_owned();
        Row {
            metric: name,
            first: 0.1,
            second: 0.2,
            difference: 0.1,
            relative: None,
            p_t,
            p_t_holm: f64::NAN,
            p_wilcoxon: 1.0,
        }
    }

    #[test]
    fn the_metric_chosen_beforehand_is_tested_alone_and_the_others_are_a_family() {
        let rows = || vec![row("ndcg@20", 0.04), row("recall@20", 0.107), row("hit@20", 0.02)];
        let corrected = |primary| {
            let mut rows = rows();
            correct(&mut rows, primary).unwrap();
            rows.iter().map(|r| r.p_t_holm).collect::<Vec<_>>()
        };
        assert_eq!(corrected(Some("recall@20")), [0.04, 0.107, 0.04]);
        assert_eq!(corrected(None), [0.08, 0.107, 0.06]);
    }

    #[test]
    fn runs_of_one_name_are_told_apart_by_their_folders() {
        let of = |a: &str, b: &str| told_apart(Path::new(a), Path::new(b));
        let both = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of("/none/seed42", "/none/seed43"), both("seed42", "seed43"));
        assert_eq!(of("/none/seed42", "/none/ckd/seed42"), both("none/seed42", "ckd/seed42"));
        assert_eq!(of("/none/x/seed42", "/none/y/x/seed42"), both("none/x/seed42", "y/x/seed42"));
        assert_eq!(of("/none/seed42", "/none/seed42"), both("seed42 (first)", "seed42 (second)"));
    }
}
