//! The rows that one step touches, and where its triples stand among them.

use equipoise_data::Triples;
use equipoise_models::RowSet;
use equipoise_nn::RowWeights;
use std::sync::Arc;

/// One step's rows and triples.
pub struct StepBatch {
    /// Distinct users.
    pub users: RowSet,
    /// Distinct items.
    pub items: RowSet,
    /// BPR triples, then generic ones, as positions in `users` and `items`.
    pub triples: Arc<Triples>,
    /// How many of them are BPR triples.
    pub bpr: usize,
    /// How often each row occurs in the BPR triples (an item as positive or negative).
    pub counts: Arc<RowWeights>,
}

impl StepBatch {
    /// Collects the rows of BPR and generic triples.
    pub fn new(bpr: &Triples, generic: &Triples) -> StepBatch {
        let users = RowSet::distinct([&bpr.users[..], &generic.users].concat());
        let lists = [&bpr.positives[..], &bpr.negatives, &generic.positives, &generic.negatives];
        let items = RowSet::distinct(lists.concat());
        let mut triples = index(bpr, &users, &items);
        let counts = RowWeights {
            users: counts(users.len(), &[&triples.users]),
            items: counts(items.len(), &[&triples.positives, &triples.negatives]),
        };
        triples.extend(&index(generic, &users, &items));
        StepBatch { users, items, triples: Arc::new(triples), bpr: bpr.users.len(), counts: Arc::new(counts) }
    }
}

fn index(triples: &Triples, users: &RowSet, items: &RowSet) -> Triples {
    let place = |set: &RowSet, row: u32| set.position(row).expect("the set was made from these rows");
    triples.map(|user| place(users, user), |item| place(items, item))
}

fn counts(rows: usize, lists: &[&[u32]]) -> Vec<f32> {
    let mut counts = vec![0.0; rows];
    lists.iter().flat_map(|l| l.iter()).for_each(|&r| counts[r as usize] += 1.0);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_lead_back_to_the_rows_and_counts_see_bpr_only() {
        let bpr = Triples { users: vec![5, 2], positives: vec![9, 9], negatives: vec![1, 4] };
        let generic = Triples { users: vec![7], positives: vec![0], negatives: vec![4] };
        let batch = StepBatch::new(&bpr, &generic);
        assert_eq!(&batch.users.rows()[..], [2, 5, 7]);
        assert_eq!(&batch.items.rows()[..], [0, 1, 4, 9]);
        assert_eq!(batch.triples.users, [1, 0, 2]);
        assert_eq!(batch.triples.positives, [3, 3, 0]);
        assert_eq!(batch.triples.negatives, [1, 2, 2]);
        assert_eq!(batch.bpr, 2);
        assert_eq!(batch.counts.users, [1.0, 1.0, 0.0]);
        assert_eq!(batch.counts.items, [0.0, 1.0, 1.0, 2.0]);
    }
}
