//! Metrics of a ranking against held-out interactions.

use std::collections::BTreeMap;

use equipoise_data::{Interactions, StopFlag};
use rayon::prelude::*;
use serde::Serialize;

use crate::candidates::Candidates;
use crate::config::EvalConfig;
use crate::embeddings::Embeddings;
use crate::error::EvalError;
use crate::metrics::Metric;
use crate::per_user::PerUser;
use crate::rank::{Ranking, check_universe, rank_until};

/// The metrics of a model on held-out interactions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Arithmetic means over the evaluated users, by `metric@k`.
    pub metrics: BTreeMap<String, f64>,
    /// The values of each user.
    #[serde(skip)]
    pub per_user: PerUser,
    /// Users with held-out items.
    pub evaluated_users: usize,
    /// Users without held-out items, who do not enter the means.
    pub skipped_users: usize,
    /// Held-out interactions whose item is excluded for their user: they count as held out and can
    /// only be missed. 0 when splits are disjoint.
    pub unreachable: usize,
    /// What each metric, and the ranking itself, means.
    pub definitions: BTreeMap<String, String>,
}

impl Evaluation {
    /// The mean of `metric@k`, such as `recall@20`.
    ///
    /// # Errors
    /// [`EvalError::UnknownMetric`] when it was not computed.
    pub fn metric(&self, name: &str) -> Result<f64, EvalError> {
        self.metrics.get(name).copied().ok_or_else(|| {
            let names: Vec<&str> = self.per_user.names().collect();
            EvalError::UnknownMetric { name: name.to_owned(), available: names.join(", ") }
        })
    }
}

/// Ranks every item for every user with held-out items and averages the metrics.
///
/// `exclude` holds what is no candidate: the training items, see also
/// [`EvalConfig::excluded_at_test`].
///
/// # Errors
/// Those of [`EvalConfig::check`] and [`rank`](crate::rank()), [`EvalError::Universe`] when `held_out` has other
/// users or items than the tables, [`EvalError::NoHeldOut`] when it is empty.
pub fn evaluate(
    model: &Embeddings<'_>,
    held_out: &Interactions,
    exclude: &[&Interactions],
    config: &EvalConfig,
) -> Result<Evaluation, EvalError> {
    evaluate_until(model, held_out, exclude, config, None)
}

/// [`evaluate`], given up within a second or so where the flag is raised meanwhile.
///
/// # Errors
/// As [`evaluate`], and [`EvalError::Stopped`].
pub fn evaluate_until(
    model: &Embeddings<'_>,
    held_out: &Interactions,
    exclude: &[&Interactions],
    config: &EvalConfig,
    stop: Option<&StopFlag>,
) -> Result<Evaluation, EvalError> {
    config.check()?;
    model.check()?;
    check_universe((model.n_users(), model.n_items()), || "held-out interactions".to_owned(), held_out)?;
    let n_users = held_out.n_users();
    let everyone = 0..n_users as u32;
    let users: Vec<u32> = everyone.filter(|&u| !held_out.items_of(u).is_empty()).collect();
    if users.is_empty() {
        return Err(EvalError::NoHeldOut { n_users });
    }
    // No list is longer than the catalogue; ranks beyond its end are no hits.
    let k = config.largest_k().min(model.n_items());
    let ranking = rank_until(model, &users, exclude, k, stop)?;
    let metrics = config.metrics();
    let per_user = per_user(&ranking, held_out, &metrics, &config.ks);
    Ok(Evaluation {
        metrics: per_user.means(),
        evaluated_users: users.len(),
        skipped_users: n_users - users.len(),
        unreachable: unreachable(&users, held_out, exclude),
        definitions: definitions(&metrics, config, exclude.len(), &Candidates::of(held_out, exclude)),
        per_user,
    })
}

fn per_user(
    ranking: &Ranking,
    held_out: &Interactions,
    metrics: &[Box<dyn Metric>],
    ks: &[usize],
) -> PerUser {
    let pairs: Vec<(&dyn Metric, usize)> =
        metrics.iter().flat_map(|m| ks.iter().map(move |&k| (&**m, k))).collect();
    let values: Vec<f64> = (0..ranking.users.len())
        .into_par_iter()
        .map(|row| (hits(ranking, held_out, row), held_out.items_of(ranking.users[row]).len()))
        .flat_map_iter(|(hits, relevant)| {
            pairs.iter().map(move |(metric, k)| metric.value(&hits, relevant, *k))
        })
        .collect();
    let column = |c: usize| values.iter().skip(c).step_by(pairs.len()).copied().collect();
    let name = |(metric, k): &(&dyn Metric, usize)| format!("{}@{k}", metric.name());
    PerUser {
        users: ranking.users.clone(),
        columns: pairs.iter().enumerate().map(|(c, pair)| (name(pair), column(c))).collect(),
    }
}

/// Which ranks of a row hold held-out items.
fn hits(ranking: &Ranking, held_out: &Interactions, row: usize) -> Vec<bool> {
    let relevant = held_out.items_of(ranking.users[row]);
    let items = ranking.items_of_row(row).iter();
    items.map(|item| relevant.binary_search(item).is_ok()).collect()
}

fn unreachable(users: &[u32], held_out: &Interactions, exclude: &[&Interactions]) -> usize {
    let excluded =
        |user: u32, item: &u32| exclude.iter().any(|e| e.items_of(user).binary_search(item).is_ok());
    let of_user = |&user: &u32| held_out.items_of(user).iter().filter(|&i| excluded(user, i)).count();
    users.iter().map(of_user).sum()
}

fn definitions(
    metrics: &[Box<dyn Metric>],
    config: &EvalConfig,
    excluded: usize,
    counts: &Candidates,
) -> BTreeMap<String, String> {
    let mut definitions: BTreeMap<String, String> =
        metrics.iter().map(|m| (m.name().to_owned(), m.definition())).collect();
    let candidates = match excluded {
        0 => "all items".to_owned(),
        1 => "all items but those of the user in the excluded split".to_owned(),
        n => format!("all items but those of the user in the {n} excluded splits"),
    };
    definitions.insert("candidates".to_owned(), candidates);
    definitions.insert("order".to_owned(), "descending score, then ascending item index".to_owned());
    if let Some(text) = exhausted(metrics, &config.ks, counts) {
        definitions.insert(SAYS_NOTHING.to_owned(), text);
    }
    definitions.insert("mean".to_owned(), "arithmetic mean over users with held-out items".to_owned());
    definitions
}

/// The term under which [`Evaluation::definitions`] names the metrics that are the same for every model, because the lists
/// hold every candidate of at least half of the users.
pub const SAYS_NOTHING: &str = "says nothing";

/// Which metrics do not depend on the model, if there are any.
fn exhausted(metrics: &[Box<dyn Metric>], ks: &[usize], counts: &Candidates) -> Option<String> {
    let mut ks: Vec<usize> = ks.iter().copied().filter(|&k| counts.exhausted_by(k)).collect();
    ks.sort_unstable();
    let smallest = *ks.first()?;
    let blind = metrics.iter().filter(|metric| !metric.reads_order()).map(|metric| metric.name());
    let named: Vec<String> =
        ks.iter().flat_map(|k| blind.clone().map(move |name| format!("{name}@{k}"))).collect();
    let (users, all, items) = (counts.users_with_at_most(smallest), counts.users(), counts.items());
    (!named.is_empty()).then(|| {
        format!(
            "{}: {users} of {all} users have at most {smallest} candidates (of {items} items), all of which are in the \
             list, whatever the model",
            named.join(", ")
        )
    })
}
