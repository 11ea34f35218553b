//! How strangers are folded in, chosen on validation.
//!
//! Up to [`JUDGES`] users with items in train and validation play strangers: each is folded in from its train items, and ranked
//! against its validation items. The linear map is fitted to other users. The setting with the best recall@20 is chosen; of
//! equal values the one that comes first: a start without steps is simpler than one with them, the mean simpler than the map.

use crate::error::RecommendError;
use crate::fold_in::{FoldIn, FoldInChoice, FoldInSettings, FoldInStart, LinearMap};
use crate::judged::{Judged, mean};
use crate::scorer::{JoinedItems, all_user_rows, unweighted};
use crate::weighting::blocks;
use equipoise_data::Seed;
use equipoise_models::Ablation;
use equipoise_train::FinalTables;
use rayon::prelude::*;

/// Users that settings are chosen on.
pub const JUDGES: usize = 500;
/// Users that the map is fitted to.
const FITTED: usize = 20_000;
/// Penalties of the ridge regression, in units of the mean variance of a column.
const RIDGES: [f64; 3] = [0.01, 0.1, 1.0];
/// Penalties towards the start.
const LAMBDAS: [f64; 5] = [0.001, 0.01, 0.1, 1.0, 10.0];
/// Length of the lists that are judged.
const K: usize = 20;

/// Chooses how strangers are folded into these tables; `None` if no user has items in train and validation.
///
/// # Errors
/// If the tables lack the whole model, or a score is not finite.
pub(crate) fn choose(
    tables: &FinalTables,
) -> Result<Option<(FoldInChoice, Option<LinearMap>)>, RecommendError> {
    let (judges, others) = sides(tables);
    if judges.is_empty() {
        return Ok(None);
    }
    let full = blocks(tables, Ablation::FULL)?.to_vec();
    let users = all_user_rows(tables, &unweighted(&full));
    let width = users.len() / tables.n_users();
    let joined = JoinedItems::new(tables, &full, None)?;
    let court = Court { judged: Judged::new(tables, judges, K), joined: &joined };
    let baskets: Vec<Vec<(u32, f64)>> = others.iter().map(|&user| basket(tables, user)).collect();
    let targets: Vec<&[f32]> = others.iter().map(|&user| &users[user as usize * width..][..width]).collect();
    let mut fold = FoldIn::new(tables, &full, None);
    let mut best: Option<(f64, FoldInSettings, Option<LinearMap>)> = None;
    let mut try_all = |fold: &FoldIn, start, map: &Option<LinearMap>| -> Result<(), RecommendError> {
        for lambda in [None].into_iter().chain(LAMBDAS.map(Some)) {
            let settings = FoldInSettings { start, lambda };
            let recall = court.recall(|user| fold.row(&basket(tables, user), settings))?;
            if best.as_ref().is_none_or(|(least, ..)| recall > *least) {
                best = Some((recall, settings, map.clone()));
            }
        }
        Ok(())
    };
    try_all(&fold, FoldInStart::Mean, &None)?;
    for ridge in RIDGES {
        let map = fold.fit(&baskets, &targets, ridge);
        if map.is_some() {
            fold = fold.with_map(map.clone());
            try_all(&fold, FoldInStart::Map, &map)?;
        }
    }
    let (recall, settings, map) = best.expect("the mean was tried");
    let trained_recall = court.recall(|user| users[user as usize * width..][..width].to_vec())?;
    let judges = court.judged.users().len();
    Ok(Some((FoldInChoice { settings, users: judges, recall, trained_recall }, map)))
}

/// Users that settings are chosen on, and users that the map is fitted to.
fn sides(tables: &FinalTables) -> (Vec<u32>, Vec<u32>) {
    let (train, validation) = (tables.train(), tables.validation());
    let mut able: Vec<u32> = validation.users_with_items();
    able.retain(|&user| !train.items_of(user).is_empty());
    let mut stream = Seed(0).stream("fold-in/judges");
    let judges = drawn(&mut stream, &able, JUDGES.min(able.len().div_ceil(2)));
    let mut others: Vec<u32> = train.users_with_items();
    others.retain(|user| judges.binary_search(user).is_err());
    let others = drawn(&mut stream, &others, FITTED);
    (judges, others)
}

/// At most `n` of them, drawn without repetition, ascending.
fn drawn(stream: &mut equipoise_data::Stream, from: &[u32], n: usize) -> Vec<u32> {
    let mut pool = from.to_vec();
    for place in 0..n.min(pool.len()) {
        let other = place + stream.below((pool.len() - place) as u32) as usize;
        pool.swap(place, other);
    }
    pool.truncate(n);
    pool.sort_unstable();
    pool
}

fn basket(tables: &FinalTables, user: u32) -> Vec<(u32, f64)> {
    tables.train().items_of(user).iter().map(|&item| (item, 1.0)).collect()
}

/// Judges rows for users.
struct Court<'a> {
    judged: Judged<'a>,
    joined: &'a JoinedItems,
}

impl Court<'_> {
    /// Mean recall@20 on validation with these rows; train items are no candidates.
    fn recall(&self, row: impl Fn(u32) -> Vec<f32> + Sync) -> Result<f64, RecommendError> {
        let rows = |users: &[u32]| {
            let each: Vec<Vec<f32>> = users.par_iter().map(|&user| row(user)).collect();
            each.concat()
        };
        Ok(mean(&self.judged.of(self.joined, rows)?))
    }
}
