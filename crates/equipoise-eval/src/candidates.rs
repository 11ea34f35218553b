//! How many items can be ranked for a user.

use equipoise_data::Interactions;

/// The number of candidates of every user with held-out items: items of the catalogue that are not excluded.
///
/// A list as long as the candidates holds all of them. What looks only at who is in it is then the same for every model:
/// recall and hit rate are 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// Ascending.
    counts: Vec<usize>,
    items: usize,
}

impl Candidates {
    /// Those of the users of `held_out`, when the items of `exclude` are none.
    pub fn of(held_out: &Interactions, exclude: &[&Interactions]) -> Candidates {
        let items = held_out.n_items();
        let count = |user: u32| match exclude {
            [one] => items - one.items_of(user).len(),
            several => {
                let mut own: Vec<u32> = several.iter().flat_map(|e| e.items_of(user)).copied().collect();
                own.sort_unstable();
                own.dedup();
                items - own.len()
            }
        };
        let mut counts: Vec<usize> = held_out.users_with_items().into_iter().map(count).collect();
        counts.sort_unstable();
        Candidates { counts, items }
    }

    /// Items of the catalogue.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Users with held-out items.
    pub fn users(&self) -> usize {
        self.counts.len()
    }

    /// Users with at most `k` candidates.
    pub fn users_with_at_most(&self, k: usize) -> usize {
        self.counts.partition_point(|&count| count <= k)
    }

    /// The median over the users, the lower one of two; 0 without users.
    pub fn median(&self) -> usize {
        self.counts.get(self.counts.len().saturating_sub(1) / 2).copied().unwrap_or(0)
    }

    /// Whether a list of `k` holds every candidate of at least half of the users.
    pub fn exhausted_by(&self, k: usize) -> bool {
        !self.counts.is_empty() && self.median() <= k
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_the_items_that_are_not_excluded_of_users_with_held_out_items() {
        let of = |pairs: &[(u32, u32)]| Interactions::from_pairs(4, 5, pairs).0;
        let (train, validation) = (of(&[(0, 0), (0, 1), (1, 0), (3, 0)]), of(&[(0, 1), (0, 2)]));
        let test = of(&[(0, 3), (1, 1), (2, 4)]);
        let one = Candidates::of(&test, &[&train]);
        assert_eq!((one.users(), one.median(), one.items()), (3, 4, 5));
        assert_eq!([2, 3, 4, 5].map(|k| one.users_with_at_most(k)), [0, 1, 2, 3]);
        assert_eq!([3, 4].map(|k| one.exhausted_by(k)), [false, true]);
        // An item that two splits exclude is excluded once.
        assert_eq!(Candidates::of(&test, &[&train, &validation]).users_with_at_most(2), 1);
        let nobody = Candidates::of(&of(&[]), &[&train]);
        assert!(!nobody.exhausted_by(9) && nobody.median() == 0);
    }
}
