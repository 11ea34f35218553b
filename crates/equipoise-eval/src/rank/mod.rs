//! Exact full ranking: every item scored for every user asked for, the best k kept.
//!
//! Blocks of users go to the threads of the current rayon pool; each is multiplied with one block of
//! items after another, excluded items are struck out of the tile of scores, and what exceeds a
//! user's k-th best so far is kept. No users x items matrix exists at any time.

mod tile;
mod topk;

use equipoise_data::{Interactions, StopFlag};
use rayon::prelude::*;

use crate::embeddings::Embeddings;
use crate::error::{EvalError, Table};
use tile::{ITEM_BLOCK, ItemBlocks, USER_BLOCK};
use topk::TopK;

/// Products of a ranking of few users below which waking another thread takes longer than it saves.
const WORTH_SPLITTING: usize = 1 << 20;

/// Fills the places of [`Ranking::items`] for which there was no candidate.
pub const NO_ITEM: u32 = u32::MAX;

/// The best k items of each user, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The users, as asked for.
    pub users: Vec<u32>,
    /// `users.len() x k` items, row-major; [`NO_ITEM`] when a user has fewer than k candidates.
    pub items: Vec<u32>,
    /// The scores of `items`; negative infinity beside [`NO_ITEM`].
    pub scores: Vec<f32>,
    /// Places per user.
    pub k: usize,
}

impl Ranking {
    /// The ranked items of the user in `users[row]`, without padding.
    ///
    /// # Panics
    /// When `row` is not below `users.len()`.
    pub fn items_of_row(&self, row: usize) -> &[u32] {
        let items = &self.items[row * self.k..(row + 1) * self.k];
        let n = items.iter().position(|&i| i == NO_ITEM);
        &items[..n.unwrap_or(self.k)]
    }

    fn unfilled(users: &[u32], k: usize) -> Result<Self, EvalError> {
        let too_large = || EvalError::TooLarge { users: users.len(), k };
        let n = users.len().checked_mul(k).ok_or_else(too_large)?;
        let (mut items, mut scores) = (Vec::new(), Vec::new());
        items.try_reserve_exact(n).map_err(|_| too_large())?;
        scores.try_reserve_exact(n).map_err(|_| too_large())?;
        items.resize(n, NO_ITEM);
        scores.resize(n, f32::NEG_INFINITY);
        Ok(Ranking { users: users.to_vec(), items, scores, k })
    }
}

/// Ranks all items for each of `users` but those any of `exclude` holds for the user.
///
/// Order: descending score, then ascending item. The result, to the last bit of the scores, does not
/// depend on the number of threads nor on which other users are ranked in the same call.
/// `users` may come in any order and repeat.
///
/// # Errors
/// Those of [`Embeddings::new`]; [`EvalError::ZeroK`], [`EvalError::UserOutOfRange`],
/// [`EvalError::Universe`] when interactions have other numbers of users or items than the tables,
/// [`EvalError::NonFiniteScore`] when finite embeddings overflow, [`EvalError::TooLarge`].
pub fn rank(
    model: &Embeddings<'_>,
    users: &[u32],
    exclude: &[&Interactions],
    k: usize,
) -> Result<Ranking, EvalError> {
    rank_until(model, users, exclude, k, None)
}

/// [`rank`], given up where the flag is raised meanwhile.
///
/// # Errors
/// As [`rank`], and [`EvalError::Stopped`].
pub(crate) fn rank_until(
    model: &Embeddings<'_>,
    users: &[u32],
    exclude: &[&Interactions],
    k: usize,
    stop: Option<&StopFlag>,
) -> Result<Ranking, EvalError> {
    ItemIndex::checked(model.items, model.dim)?.rank_rows(model.users, users, None, exclude, k, stop)
}

/// An item table that is prepared once for many rankings.
///
/// Its rankings are those of [`rank`], to the last bit.
pub struct ItemIndex {
    blocks: ItemBlocks,
    dim: usize,
    n_items: usize,
    /// The largest Euclidean norm of a row.
    norm: f64,
}

impl ItemIndex {
    /// Prepares `items`, a row-major table of rows of `dim` values.
    ///
    /// # Errors
    /// Those of [`Embeddings::new`] that concern items.
    pub fn new(items: &[f32], dim: usize) -> Result<ItemIndex, EvalError> {
        ItemIndex::checked(items, dim)
    }

    fn checked(items: &[f32], dim: usize) -> Result<ItemIndex, EvalError> {
        let norm = Embeddings { users: &[], items, dim }.item_norm()?;
        Ok(ItemIndex { blocks: ItemBlocks::new(&[(items, dim)]), dim, n_items: items.len() / dim, norm })
    }

    /// Prepares tables side by side, each with its number of values per row, without a copy of all rows on the way.
    ///
    /// # Errors
    /// Those of [`Embeddings::new`] that concern items; [`EvalError::TableLength`] if a table has another number of rows than
    /// the first, [`EvalError::ZeroDim`] if there is none.
    pub fn joined(tables: &[(&[f32], usize)]) -> Result<ItemIndex, EvalError> {
        let norms = tables.iter().map(|&(items, dim)| Embeddings { users: &[], items, dim }.item_norm());
        let squares = norms.map(|norm| norm.map(|norm| norm * norm)).collect::<Result<Vec<f64>, _>>()?;
        let &(first, width) = tables.first().ok_or(EvalError::ZeroDim)?;
        let n_items = first.len() / width;
        if let Some(&(other, dim)) = tables.iter().find(|(table, dim)| table.len() / dim != n_items) {
            return Err(EvalError::TableLength { table: Table::Items, len: other.len(), dim });
        }
        let dim = tables.iter().map(|(_, dim)| dim).sum();
        // A row is at most as long as the longest of each table together.
        let norm = squares.iter().sum::<f64>().sqrt();
        Ok(ItemIndex { blocks: ItemBlocks::new(tables), dim, n_items, norm })
    }

    /// Values per row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of items.
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// Ranks all items for each row of `users`, a row-major table, but those that any of `exclude` holds for the row.
    ///
    /// # Errors
    /// As [`rank`].
    pub fn rank(&self, users: &[f32], exclude: &[&Interactions], k: usize) -> Result<Ranking, EvalError> {
        let rows: Vec<u32> = (0..(users.len() / self.dim) as u32).collect();
        self.rank_rows(users, &rows, None, exclude, k, None)
    }

    /// The same, where the row `r` of `users` is that of user `owners[r]` in `exclude`, which may hold any number of users.
    ///
    /// # Errors
    /// As [`rank`].
    ///
    /// # Panics
    /// If there is not one owner for each row.
    pub fn rank_for(
        &self,
        users: &[f32],
        owners: &[u32],
        exclude: &[&Interactions],
        k: usize,
    ) -> Result<Ranking, EvalError> {
        assert_eq!(users.len(), owners.len() * self.dim, "a row for each owner");
        let rows: Vec<u32> = (0..owners.len() as u32).collect();
        self.rank_rows(users, &rows, Some(owners), exclude, k, None)
    }

    /// The scores of all items for one row, with the bits that they have in a ranking.
    ///
    /// # Errors
    /// As [`rank`]; [`EvalError::TableLength`] if the row has another width.
    pub fn scores(&self, user: &[f32]) -> Result<Vec<f32>, EvalError> {
        let largest = Embeddings { users: user, items: &[], dim: self.dim }.user_norm()?;
        if user.len() != self.dim {
            return Err(EvalError::TableLength { table: Table::Users, len: user.len(), dim: self.dim });
        }
        let blocks: Vec<(usize, usize)> = self.blocks.iter().collect();
        let scored = blocks.par_iter().map(|&(first, n)| {
            let mut tile = vec![0.0; ITEM_BLOCK];
            self.blocks.score(user, first, &mut tile);
            tile.truncate(n);
            tile
        });
        let scores: Vec<f32> = scored.flatten_iter().collect();
        if largest * self.norm >= f64::from(f32::MAX) / 2.0 {
            check_scores(0, 0, &scores)?;
        }
        Ok(scores)
    }

    /// Ranks for the rows of a table of users that `rows` names, in any order.
    fn rank_rows(
        &self,
        users: &[f32],
        rows: &[u32],
        owners: Option<&[u32]>,
        exclude: &[&Interactions],
        k: usize,
        stop: Option<&StopFlag>,
    ) -> Result<Ranking, EvalError> {
        let dim = self.dim;
        let largest = Embeddings { users, items: &[], dim }.user_norm()?;
        match (owners, exclude.first()) {
            (Some(owners), Some(first)) => {
                check_request((first.n_users(), self.n_items), owners, exclude, k)?;
            }
            _ => check_request((users.len() / dim, self.n_items), rows, exclude, k)?,
        }
        let mut ranking = Ranking::unfilled(rows, k)?;
        let task = Task {
            users,
            index: self,
            owners,
            exclude,
            k,
            // The product of norms bounds scores and their partial sums (Cauchy-Schwarz). Half the range leaves room for
            // the rounding of a sum.
            may_overflow: largest * self.norm >= f64::from(f32::MAX) / 2.0,
            stop,
        };
        let threads = rayon::current_num_threads();
        let products = rows.len().saturating_mul(self.n_items).saturating_mul(dim);
        if rows.len() <= USER_BLOCK && threads > 1 && products >= WORTH_SPLITTING {
            task.rank_few(rows, threads, &mut ranking)?;
            return Ok(ranking);
        }
        let places = USER_BLOCK * k;
        let faults: Vec<Option<EvalError>> = rows
            .par_chunks(USER_BLOCK)
            .zip(ranking.items.par_chunks_mut(places))
            .zip(ranking.scores.par_chunks_mut(places))
            .map_init(
                || Scratch::new(&task, rows.len()),
                |scratch, ((users, items), scores)| task.rank_block(scratch, users, items, scores).err(),
            )
            .collect();
        // The first in the order of users, whichever thread was faster.
        match faults.into_iter().flatten().next() {
            Some(fault) => Err(fault),
            None => Ok(ranking),
        }
    }
}

/// Checks that interactions cover the users and items of the tables.
pub(crate) fn check_universe(
    expected: (usize, usize),
    name: impl FnOnce() -> String,
    interactions: &Interactions,
) -> Result<(), EvalError> {
    let found = (interactions.n_users(), interactions.n_items());
    if expected == found {
        return Ok(());
    }
    Err(EvalError::Universe {
        name: name(),
        n_users: expected.0,
        n_items: expected.1,
        found_users: found.0,
        found_items: found.1,
    })
}

fn check_request(
    universe: (usize, usize),
    users: &[u32],
    exclude: &[&Interactions],
    k: usize,
) -> Result<(), EvalError> {
    if k == 0 {
        return Err(EvalError::ZeroK);
    }
    for (number, interactions) in exclude.iter().enumerate() {
        check_universe(universe, || format!("exclude[{number}]"), interactions)?;
    }
    let n_users = universe.0;
    match users.iter().position(|&u| u as usize >= n_users) {
        Some(position) => Err(EvalError::UserOutOfRange { position, user: users[position], n_users }),
        None => Ok(()),
    }
}

/// What all blocks of users share.
struct Task<'a> {
    users: &'a [f32],
    index: &'a ItemIndex,
    /// Who the users are in `exclude`; the same if absent.
    owners: Option<&'a [u32]>,
    exclude: &'a [&'a Interactions],
    k: usize,
    may_overflow: bool,
    stop: Option<&'a StopFlag>,
}

/// The working memory of one thread.
struct Scratch {
    rows: Vec<f32>,
    tile: Vec<f32>,
    best: Vec<TopK>,
}

impl Scratch {
    /// Room for blocks of at most `users` users.
    fn new(task: &Task<'_>, users: usize) -> Self {
        let block = USER_BLOCK.min(users);
        Scratch {
            rows: vec![0.0; block * task.index.dim],
            tile: vec![0.0; block * ITEM_BLOCK],
            best: (0..block).map(|_| TopK::new(task.k, task.index.n_items)).collect(),
        }
    }
}

impl Task<'_> {
    /// Ranks at most `USER_BLOCK` users into their rows of `items` and `scores`.
    fn rank_block(
        &self,
        scratch: &mut Scratch,
        users: &[u32],
        items: &mut [u32],
        scores: &mut [f32],
    ) -> Result<(), EvalError> {
        self.scan(scratch, users, self.index.blocks.iter())?;
        self.finish(&mut scratch.best, items, scores);
        Ok(())
    }

    /// Ranks at most `USER_BLOCK` users with the items split among threads. The best of all are the best of the parts' best,
    /// so that the result is that of one part.
    fn rank_few(&self, users: &[u32], parts: usize, ranking: &mut Ranking) -> Result<(), EvalError> {
        let blocks: Vec<(usize, usize)> = self.index.blocks.iter().collect();
        let parts = blocks.par_chunks(blocks.len().div_ceil(parts));
        let scanned: Vec<Result<Vec<TopK>, EvalError>> = parts
            .map(|part| {
                let mut scratch = Scratch::new(self, users.len());
                self.scan(&mut scratch, users, part.iter().copied())?;
                Ok(scratch.best)
            })
            .collect();
        let mut scanned = scanned.into_iter();
        let mut best = scanned.next().expect("there are items")?;
        for part in scanned {
            best.iter_mut().zip(part?).for_each(|(best, other)| best.absorb(&other));
        }
        self.finish(&mut best, &mut ranking.items, &mut ranking.scores);
        Ok(())
    }

    /// Offers the items of some blocks, in their order, to the best of each user.
    fn scan(
        &self,
        scratch: &mut Scratch,
        users: &[u32],
        blocks: impl Iterator<Item = (usize, usize)>,
    ) -> Result<(), EvalError> {
        if self.stop.is_some_and(StopFlag::is_raised) {
            return Err(EvalError::Stopped);
        }
        let Scratch { rows, tile, best } = scratch;
        let rows = tile::gather(self.users, self.index.dim, users, rows);
        best.iter_mut().for_each(TopK::clear);
        for (first, n) in blocks {
            let stride = self.index.blocks.score(rows, first, tile);
            for ((&user, best), row) in users.iter().zip(&mut *best).zip(tile.chunks_exact_mut(stride)) {
                let row = &mut row[..n];
                if self.may_overflow {
                    check_scores(user, first, row)?;
                }
                let owner = self.owners.map_or(user, |owners| owners[user as usize]);
                self.strike_out(owner, first, row);
                best.scan(row, first as u32);
            }
        }
        Ok(())
    }

    /// Writes the best of each user in order.
    fn finish(&self, best: &mut [TopK], items: &mut [u32], scores: &mut [f32]) {
        let places = items.chunks_exact_mut(self.k).zip(scores.chunks_exact_mut(self.k));
        for (best, (items, scores)) in best.iter_mut().zip(places) {
            best.finish(items, scores);
        }
    }

    /// Gives the excluded items among `first..first + row.len()` a score nothing is below.
    fn strike_out(&self, user: u32, first: usize, row: &mut [f32]) {
        let end = first + row.len();
        for interactions in self.exclude {
            let items = interactions.items_of(user);
            let from = items.partition_point(|&i| (i as usize) < first);
            for &item in items[from..].iter().take_while(|&&i| (i as usize) < end) {
                row[item as usize - first] = f32::NEG_INFINITY;
            }
        }
    }
}

fn check_scores(user: u32, first: usize, row: &[f32]) -> Result<(), EvalError> {
    match row.iter().position(|s| !s.is_finite()) {
        Some(p) => Err(EvalError::NonFiniteScore { user, item: (first + p) as u32, value: row[p] }),
        None => Ok(()),
    }
}
