//! How well rows rank some items among each other, for users who took them in training.

use crate::error::RecommendError;
use equipoise_data::{Interactions, Seed, Stream};
use equipoise_eval::{ItemIndex, NO_ITEM};
use equipoise_train::FinalTables;
use std::collections::HashMap;

/// Most items that are ranked.
const ITEMS: usize = 1000;
/// Most users for whom they are ranked.
const USERS: usize = 2000;
/// Length of the lists.
const K: usize = 20;

/// Items that are ranked among each other, and users who took some of them.
pub(super) struct Judge {
    /// The items, ascending.
    pub(super) items: Vec<u32>,
    /// The users, ascending, each with the places of the items that they took.
    users: Vec<(u32, Vec<u32>)>,
}

impl Judge {
    /// Draws a tenth of the items that somebody took, at most [`ITEMS`].
    pub(super) fn new(train: &Interactions, taken: &[u32]) -> Judge {
        let mut stream = Seed(0).stream("new-items/judges");
        let mut items = drawn(&mut stream, taken, ITEMS.min(taken.len() / 10));
        items.sort_unstable();
        let places: HashMap<u32, u32> = items.iter().copied().zip(0..).collect();
        let all: Vec<u32> = (0..train.n_users() as u32).collect();
        let own = |user: u32| -> Vec<u32> {
            train.items_of(user).iter().filter_map(|item| places.get(item).copied()).collect()
        };
        let takers: Vec<u32> = all.into_iter().filter(|&user| !own(user).is_empty()).collect();
        let mut takers = drawn(&mut stream, &takers, USERS);
        takers.sort_unstable();
        Judge { users: takers.into_iter().map(|user| (user, own(user))).collect(), items }
    }

    /// Number of users.
    pub(super) fn users(&self) -> usize {
        self.users.len()
    }

    /// recall@20 among the items, whose rows in these blocks are given block by block.
    pub(super) fn recall(
        &self,
        tables: &FinalTables,
        blocks: &[usize],
        rows: &[Vec<f32>],
    ) -> Result<f64, RecommendError> {
        if self.users.is_empty() {
            return Ok(0.0);
        }
        let widths: Vec<usize> = blocks.iter().map(|&b| tables.blocks()[b].width()).collect();
        let width: usize = widths.iter().sum();
        let item = |place: usize| {
            rows.iter().zip(&widths).flat_map(move |(rows, &w)| &rows[place * w..(place + 1) * w]).copied()
        };
        let items: Vec<f32> = (0..self.items.len()).flat_map(item).collect();
        let user = |&(user, _): &(u32, Vec<u32>)| {
            blocks.iter().flat_map(move |&b| {
                let block = &tables.blocks()[b];
                block.users()[user as usize * block.width()..][..block.width()].iter().copied()
            })
        };
        let asked: Vec<f32> = self.users.iter().flat_map(user).collect();
        let k = K.min(self.items.len());
        let ranking = ItemIndex::new(&items, width)?.rank(&asked, &[], k)?;
        let lists = ranking.items.chunks_exact(k).zip(&self.users);
        let recalls = lists.map(|(list, (_, wanted))| {
            let hits = list.iter().filter(|&&item| item != NO_ITEM && wanted.contains(&item)).count();
            hits as f64 / wanted.len() as f64
        });
        Ok(recalls.sum::<f64>() / self.users.len() as f64)
    }
}

/// At most `n` of them, drawn without repetition.
fn drawn(stream: &mut Stream, from: &[u32], n: usize) -> Vec<u32> {
    let mut pool = from.to_vec();
    for place in 0..n.min(pool.len()) {
        let other = place + stream.below((pool.len() - place) as u32) as usize;
        pool.swap(place, other);
    }
    pool.truncate(n);
    pool
}
