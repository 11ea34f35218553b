//! The tables of a model under one ablation, side by side.

use crate::Error;
use equipoise_data::Interactions;
use equipoise_eval::{Embeddings, NO_ITEM, rank};
use equipoise_models::Ablation;
use equipoise_train::FinalTables;
use equipoise_train::tables::FinalBlock;
use std::sync::OnceLock;

/// Users that are ranked at a time: what bounds the memory of a ranking of everyone.
const BATCH: usize = 8192;

/// The blocks of one view. Item rows are joined when first asked for: a sum over blocks is one product of joined rows.
pub(crate) struct Scores {
    tables: FinalTables,
    blocks: Vec<usize>,
    width: usize,
    items: OnceLock<Vec<f32>>,
    directions: OnceLock<Vec<f32>>,
}

/// Ranked items of one user with their scores, best first.
pub(crate) type Ranked = Vec<(u32, f32)>;

impl Scores {
    /// The scores under one ablation; `None` if the run does not measure it.
    pub(crate) fn new(tables: &FinalTables, ablation: Ablation) -> Option<Scores> {
        let blocks = tables.views().iter().find(|v| v.ablation == ablation)?.blocks.clone();
        let width = blocks.iter().map(|&b| tables.blocks()[b].width()).sum();
        let (items, directions) = (OnceLock::new(), OnceLock::new());
        Some(Scores { tables: tables.clone(), blocks, width, items, directions })
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The rows of these users side by side.
    pub(crate) fn users(&self, users: impl Iterator<Item = u32>) -> Vec<f32> {
        self.joined(users, FinalBlock::users)
    }

    /// The rows of all items.
    pub(crate) fn items(&self) -> &[f32] {
        match self.blocks[..] {
            [only] => self.tables.blocks()[only].items(),
            _ => self.items.get_or_init(|| {
                let all = 0..self.tables.n_items() as u32;
                self.joined(all, FinalBlock::items)
            }),
        }
    }

    /// The rows of all items at length 1; a row of zeros stays one.
    fn directions(&self) -> &[f32] {
        self.directions.get_or_init(|| {
            let mut rows = self.items().to_vec();
            for row in rows.chunks_exact_mut(self.width) {
                let square: f64 = row.iter().map(|&v| f64::from(v).powi(2)).sum();
                let scale = if square > 0.0 { square.sqrt().recip() } else { 0.0 };
                row.iter_mut().for_each(|v| *v = (f64::from(*v) * scale) as f32);
            }
            rows
        })
    }

    fn joined<'a>(
        &'a self,
        rows: impl Iterator<Item = u32>,
        side: fn(&'a FinalBlock) -> &'a [f32],
    ) -> Vec<f32> {
        let tables: Vec<(&[f32], usize)> =
            self.blocks.iter().map(|&b| &self.tables.blocks()[b]).map(|b| (side(b), b.width())).collect();
        let mut joined = Vec::with_capacity(rows.size_hint().0 * self.width);
        for row in rows.map(|row| row as usize) {
            tables.iter().for_each(|&(table, w)| joined.extend_from_slice(&table[row * w..(row + 1) * w]));
        }
        joined
    }

    /// The best `n` items of each user, without those that the user has met in train or validation if `unseen`.
    pub(crate) fn best(&self, users: &[u32], n: usize, unseen: bool) -> Result<Vec<Ranked>, Error> {
        let mut ranked = Vec::with_capacity(users.len());
        for users in users.chunks(BATCH) {
            let rows = self.users(users.iter().copied());
            let excluded = if unseen { self.seen(users) } else { Vec::new() };
            ranked.extend(self.ranked(&rows, self.items(), users.len(), &excluded, n)?);
        }
        Ok(ranked)
    }

    /// What these users have met, each user by its position among them.
    fn seen(&self, users: &[u32]) -> Vec<(u32, u32)> {
        let of = |&user: &u32| [self.tables.train(), self.tables.validation()].map(|set| set.items_of(user));
        let rows = users.iter().map(of).zip(0..);
        rows.flat_map(|(sets, row)| sets.into_iter().flatten().map(move |&item| (row, item))).collect()
    }

    /// The `n` items whose rows point most nearly where that of `item` does, with the cosine.
    pub(crate) fn nearest(&self, item: u32, n: usize) -> Result<Ranked, Error> {
        let directions = self.directions();
        let start = item as usize * self.width;
        let own = &directions[start..start + self.width];
        Ok(self.ranked(own, directions, 1, &[(0, item)], n)?.remove(0))
    }

    /// One score, with the bits that it has in a ranking.
    pub(crate) fn one(&self, user: u32, item: u32) -> Result<f32, Error> {
        let items = self.joined(std::iter::once(item), FinalBlock::items);
        let users = self.users(std::iter::once(user));
        Ok(rank(&Embeddings::new(&users, &items, self.width)?, &[0], &[], 1)?.scores[0])
    }

    fn ranked(
        &self,
        users: &[f32],
        items: &[f32],
        rows: usize,
        excluded: &[(u32, u32)],
        n: usize,
    ) -> Result<Vec<Ranked>, Error> {
        let (n_items, everyone) = (self.tables.n_items(), (0..rows as u32).collect::<Vec<_>>());
        let k = n.min(n_items);
        if k == 0 {
            return Ok(vec![Vec::new(); rows]);
        }
        let excluded = Interactions::from_pairs(rows, n_items, excluded).0;
        let ranking = rank(&Embeddings::new(users, items, self.width)?, &everyone, &[&excluded], k)?;
        let row = |(items, scores): (&[u32], &[f32])| {
            let pairs = items.iter().copied().zip(scores.iter().copied());
            pairs.take_while(|&(item, _)| item != NO_ITEM).collect()
        };
        Ok(ranking.items.chunks_exact(k).zip(ranking.scores.chunks_exact(k)).map(row).collect())
    }
}
