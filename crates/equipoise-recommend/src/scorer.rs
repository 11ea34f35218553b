//! Scores under one weighting: which blocks count, joined item rows, and the rows that ask.

use crate::error::RecommendError;
use equipoise_data::Interactions;
use equipoise_eval::{ItemIndex, NO_ITEM, Ranking};
use equipoise_train::FinalTables;
use rayon::prelude::*;

/// Rows that are ranked at a time, which bounds the memory of a ranking of many.
const BATCH: usize = 8192;

/// Ranked items of one row with their scores, best first.
pub(crate) type Ranked = Vec<(u32, f32)>;

/// The rows of one user in each block; a block that no weighting in use counts may be absent.
pub(crate) type UserRows = Vec<Option<Vec<f32>>>;

/// The item rows of some blocks side by side, prepared for rankings.
pub(crate) struct JoinedItems {
    /// Its blocks with their widths.
    blocks: Vec<(usize, usize)>,
    width: usize,
    index: ItemIndex,
}

impl JoinedItems {
    /// The rows of these items, or of all, in the blocks.
    pub(crate) fn new(
        tables: &FinalTables,
        wanted: &[usize],
        items: Option<&[u32]>,
    ) -> Result<JoinedItems, RecommendError> {
        let blocks: Vec<(usize, usize)> = wanted.iter().map(|&b| (b, tables.blocks()[b].width())).collect();
        let width = blocks.iter().map(|(_, width)| width).sum();
        let index = match items {
            None => {
                let block = |&(b, width): &(usize, usize)| (tables.blocks()[b].items(), width);
                ItemIndex::joined(&blocks.iter().map(block).collect::<Vec<_>>())?
            }
            Some(_) => ItemIndex::new(&item_rows(tables, wanted, items), width)?,
        };
        Ok(JoinedItems { blocks, width, index })
    }

    /// Adds the row that ranks for someone: their rows in its blocks, each times its coefficient, and zeros in blocks that do
    /// not count.
    pub(crate) fn weighted(&self, own: &UserRows, coefficients: &[(usize, f32)], rows: &mut Vec<f32>) {
        for (&(b, width), (_, by)) in self.blocks.iter().zip(self.spread(coefficients)) {
            match &own[b] {
                Some(row) => rows.extend(row.iter().map(|v| v * by)),
                None => {
                    debug_assert!(by == 0.0, "every block that counts was filled");
                    rows.resize(rows.len() + width, 0.0);
                }
            }
        }
    }

    /// The coefficient of each of its blocks.
    fn spread(&self, coefficients: &[(usize, f32)]) -> Vec<(usize, f32)> {
        let by = |b: usize| coefficients.iter().find(|(other, _)| *other == b).map_or(0.0, |&(_, by)| by);
        self.blocks.iter().map(|&(b, _)| (b, by(b))).collect()
    }

    /// The scores of all items for one row.
    pub(crate) fn scores(&self, row: &[f32]) -> Result<Vec<f32>, RecommendError> {
        Ok(self.index.scores(row)?)
    }

    /// The best `k` items of each row but the excluded, which are pairs of row and position among the items.
    pub(crate) fn best(
        &self,
        rows: &[f32],
        excluded: &[(u32, u32)],
        k: usize,
    ) -> Result<Vec<Ranked>, RecommendError> {
        let n = rows.len() / self.width;
        let k = k.min(self.index.n_items());
        if k == 0 {
            return Ok(vec![Vec::new(); n]);
        }
        let excluded = Interactions::from_pairs(n, self.index.n_items(), excluded).0;
        Ok(ranked(&self.rank(rows, &excluded, k)?).collect())
    }

    /// The best items of each row but the excluded, at most `k`.
    pub(crate) fn rank(
        &self,
        rows: &[f32],
        excluded: &Interactions,
        k: usize,
    ) -> Result<Ranking, RecommendError> {
        Ok(self.index.rank(rows, &[excluded], k.min(self.index.n_items()))?)
    }

    /// The best items of users of the tables, at most `k`, without those that they have met if `unseen`.
    pub(crate) fn rank_users(
        &self,
        tables: &FinalTables,
        coefficients: &[(usize, f32)],
        users: &[u32],
        unseen: bool,
        k: usize,
    ) -> Result<Ranking, RecommendError> {
        let rows = self.user_rows(tables, coefficients, users);
        let met = [tables.train(), tables.validation()];
        let excluded: &[&Interactions] = if unseen { &met } else { &[] };
        Ok(self.index.rank_for(&rows, users, excluded, k.min(self.index.n_items()))?)
    }

    /// The rows of users of the tables in its blocks, each times its coefficient.
    pub(crate) fn user_rows(
        &self,
        tables: &FinalTables,
        coefficients: &[(usize, f32)],
        users: &[u32],
    ) -> Vec<f32> {
        user_rows(tables, &self.spread(coefficients), users)
    }

    /// The best `k` items of many users of the tables, without those that they have met if `unseen`.
    pub(crate) fn best_of_users(
        &self,
        tables: &FinalTables,
        coefficients: &[(usize, f32)],
        users: &[u32],
        unseen: bool,
        k: usize,
    ) -> Result<Vec<Ranked>, RecommendError> {
        let mut lists = Vec::with_capacity(users.len());
        for users in users.chunks(BATCH) {
            match k {
                0 => lists.extend(users.iter().map(|_| Vec::new())),
                _ => lists.extend(ranked(&self.rank_users(tables, coefficients, users, unseen, k)?)),
            }
        }
        Ok(lists)
    }
}

/// The lists of a ranking.
fn ranked(ranking: &Ranking) -> impl Iterator<Item = Ranked> + '_ {
    let list = |(items, scores): (&[u32], &[f32])| -> Ranked {
        let pairs = items.iter().copied().zip(scores.iter().copied());
        pairs.take_while(|&(item, _)| item != NO_ITEM).collect()
    };
    ranking.items.chunks_exact(ranking.k).zip(ranking.scores.chunks_exact(ranking.k)).map(list)
}

/// The rows of items in these blocks side by side.
pub(crate) fn item_rows(tables: &FinalTables, blocks: &[usize], items: Option<&[u32]>) -> Vec<f32> {
    let parts: Vec<(&[f32], usize)> =
        blocks.iter().map(|&b| (tables.blocks()[b].items(), tables.blocks()[b].width())).collect();
    let width: usize = parts.iter().map(|(_, w)| w).sum();
    let n = items.map_or(tables.n_items(), <[u32]>::len);
    let mut rows = vec![0.0; n * width];
    rows.par_chunks_mut(width.max(1)).enumerate().for_each(|(place, row)| {
        let item = items.map_or(place, |items| items[place] as usize);
        let mut start = 0;
        for (table, w) in &parts {
            row[start..start + w].copy_from_slice(&table[item * w..(item + 1) * w]);
            start += w;
        }
    });
    rows
}

/// The rows of users in these blocks side by side, each block times its coefficient.
pub(crate) fn user_rows(tables: &FinalTables, coefficients: &[(usize, f32)], users: &[u32]) -> Vec<f32> {
    let parts: Vec<(&[f32], usize, f32)> = coefficients
        .iter()
        .map(|&(b, by)| (tables.blocks()[b].users(), tables.blocks()[b].width(), by))
        .collect();
    let width: usize = parts.iter().map(|(_, w, _)| w).sum();
    let mut rows = vec![0.0; users.len() * width];
    rows.par_chunks_mut(width.max(1)).zip(users).for_each(|(row, &user)| {
        let mut start = 0;
        for &(table, w, by) in &parts {
            let of_user = &table[user as usize * w..][..w];
            row[start..start + w].iter_mut().zip(of_user).for_each(|(to, v)| *to = v * by);
            start += w;
        }
    });
    rows
}

/// The rows of every user, as [`user_rows`] gives them.
pub(crate) fn all_user_rows(tables: &FinalTables, coefficients: &[(usize, f32)]) -> Vec<f32> {
    user_rows(tables, coefficients, &(0..tables.n_users() as u32).collect::<Vec<_>>())
}

/// The blocks that coefficients count.
pub(crate) fn counted(coefficients: &[(usize, f32)]) -> Vec<usize> {
    coefficients.iter().map(|&(b, _)| b).collect()
}

/// Coefficients that leave these blocks as they are.
pub(crate) fn unweighted(blocks: &[usize]) -> Vec<(usize, f32)> {
    blocks.iter().map(|&b| (b, 1.0)).collect()
}

/// Rows at length 1; a row of zeros stays one.
pub(crate) fn directions(mut rows: Vec<f32>, width: usize) -> Vec<f32> {
    rows.par_chunks_mut(width.max(1)).for_each(|row| {
        let square: f64 = row.iter().map(|&v| f64::from(v).powi(2)).sum();
        let scale = if square > 0.0 { square.sqrt().recip() } else { 0.0 };
        row.iter_mut().for_each(|v| *v = (f64::from(*v) * scale) as f32);
    });
    rows
}

/// The inner product of two rows, summed in double precision.
pub(crate) fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}
