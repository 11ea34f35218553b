//! Recall of users on held-out interactions, under one setting after another.

use crate::error::RecommendError;
use crate::scorer::JoinedItems;
use equipoise_data::Interactions;
use equipoise_train::FinalTables;

/// Users that are ranked at a time, which bounds the memory of their rows.
const BATCH: usize = 8192;

/// Users whose lists are held against what they have in validation. What they have met in training is no candidate.
pub(crate) struct Judged<'a> {
    tables: &'a FinalTables,
    users: Vec<u32>,
    /// The train items of each batch of users, each user by its position in the batch.
    met: Vec<Interactions>,
    k: usize,
}

impl Judged<'_> {
    /// These users, and lists of `k` items.
    pub(crate) fn new(tables: &FinalTables, users: Vec<u32>, k: usize) -> Judged<'_> {
        let of_batch = |batch: &[u32]| {
            let row =
                |(&user, row): (&u32, u32)| tables.train().items_of(user).iter().map(move |&i| (row, i));
            let pairs: Vec<(u32, u32)> = batch.iter().zip(0..).flat_map(row).collect();
            Interactions::from_pairs(batch.len(), tables.n_items(), &pairs).0
        };
        let met = users.chunks(BATCH).map(of_batch).collect();
        Judged { tables, users, met, k }
    }

    /// The users.
    pub(crate) fn users(&self) -> &[u32] {
        &self.users
    }

    /// Recall@k of each user with the rows that these coefficients give.
    pub(crate) fn of_tables(
        &self,
        joined: &JoinedItems,
        coefficients: &[(usize, f32)],
    ) -> Result<Vec<f64>, RecommendError> {
        self.of(joined, |users| joined.user_rows(self.tables, coefficients, users))
    }

    /// Recall@k of each user with the rows that `rows` gives to a batch of users.
    pub(crate) fn of(
        &self,
        joined: &JoinedItems,
        rows: impl Fn(&[u32]) -> Vec<f32>,
    ) -> Result<Vec<f64>, RecommendError> {
        let mut recalls = Vec::with_capacity(self.users.len());
        for (users, met) in self.users.chunks(BATCH).zip(&self.met) {
            let ranking = joined.rank(&rows(users), met, self.k)?;
            recalls.extend(users.iter().enumerate().map(|(row, &user)| {
                let wanted = self.tables.validation().items_of(user);
                let hits = ranking.items_of_row(row).iter().filter(|item| wanted.binary_search(item).is_ok());
                hits.count() as f64 / wanted.len() as f64
            }));
        }
        Ok(recalls)
    }
}

/// The mean; 0 of nobody.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
