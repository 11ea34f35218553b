//! Triples of a user and two items: what pairwise losses are taken over.

use equipoise_kernels::triples::TriplesRef;

/// Parallel lists of user, item, item, of one length: ids, or rows of the tables of one step.
///
/// From [`BprSampler`](crate::BprSampler): a user, a train item, an item that is not a train item. From
/// [`GenericSampler`](crate::GenericSampler): a user and any two items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Triples {
    /// Users.
    pub users: Vec<u32>,
    /// Positive (or first) items.
    pub positives: Vec<u32>,
    /// Negative (or second) items.
    pub negatives: Vec<u32>,
}

impl Triples {
    /// Number of triples.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The triples as the kernels read them.
    pub fn view(&self) -> TriplesRef<'_> {
        TriplesRef { users: &self.users, positives: &self.positives, negatives: &self.negatives }
    }

    /// Other numbers for the same triples: `user` and `item` give the new number of each.
    pub fn map(&self, user: impl Fn(u32) -> u32, item: impl Fn(u32) -> u32) -> Triples {
        let items = |old: &[u32]| old.iter().map(|&i| item(i)).collect();
        Triples {
            users: self.users.iter().map(|&u| user(u)).collect(),
            positives: items(&self.positives),
            negatives: items(&self.negatives),
        }
    }

    /// Appends other triples.
    pub fn extend(&mut self, more: &Triples) {
        self.users.extend(&more.users);
        self.positives.extend(&more.positives);
        self.negatives.extend(&more.negatives);
    }

    pub(crate) fn clear(&mut self) {
        self.users.clear();
        self.positives.clear();
        self.negatives.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_triples_have_other_numbers_in_the_same_order() {
        let mut triples = Triples { users: vec![4, 5], positives: vec![1, 2], negatives: vec![3, 1] };
        let more = triples.map(|user| user - 4, |item| 10 * item);
        assert_eq!(more, Triples { users: vec![0, 1], positives: vec![10, 20], negatives: vec![30, 10] });
        triples.extend(&more);
        assert_eq!(triples.len(), 4);
        assert_eq!(triples.view().positives, [1, 2, 10, 20]);
    }
}
