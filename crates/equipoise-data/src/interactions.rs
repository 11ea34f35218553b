//! Who interacted with what, in compressed rows.

use std::sync::Arc;

use crate::csr::CsrPattern;

/// A set of (user, item) pairs as compressed sparse rows: per user, ascending distinct items.
///
/// Cloning is cheap; the arrays are shared.
#[derive(Clone, PartialEq, Eq)]
pub struct Interactions {
    rows: Arc<CsrPattern>,
}

impl Interactions {
    /// Sorts pairs into rows and merges repeats; returns the set and the number of pairs merged.
    ///
    /// # Panics
    /// If a pair lies outside `n_users` x `n_items`: readers check ids before this point.
    pub fn from_pairs(n_users: usize, n_items: usize, pairs: &[(u32, u32)]) -> (Interactions, usize) {
        let mut bounds = vec![0usize; n_users + 1];
        for &(user, item) in pairs {
            assert!(
                (user as usize) < n_users && (item as usize) < n_items,
                "pair ({user}, {item}) lies outside {n_users} users x {n_items} items"
            );
            bounds[user as usize + 1] += 1;
        }
        for user in 0..n_users {
            bounds[user + 1] += bounds[user];
        }
        let mut next = bounds.clone();
        let mut rows = vec![0u32; pairs.len()];
        for &(user, item) in pairs {
            rows[next[user as usize]] = item;
            next[user as usize] += 1;
        }
        let distinct = sort_and_merge(n_items, &bounds, &mut rows);
        let merged = pairs.len() - distinct.nnz();
        (Interactions { rows: Arc::new(distinct) }, merged)
    }

    /// Number of users, those without items included.
    pub fn n_users(&self) -> usize {
        self.rows.n_rows()
    }

    /// Number of items in the catalogue, those never seen included.
    pub fn n_items(&self) -> usize {
        self.rows.n_columns()
    }

    /// Number of distinct pairs.
    pub fn len(&self) -> usize {
        self.rows.nnz()
    }

    /// Whether there is no pair at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Items of `user`, ascending and distinct.
    ///
    /// # Panics
    /// If `user` is not below [`n_users`](Self::n_users).
    #[inline]
    pub fn items_of(&self, user: u32) -> &[u32] {
        self.rows.row(user as usize)
    }

    /// Whether `user` interacted with `item`; binary search.
    ///
    /// # Panics
    /// If `user` is not below [`n_users`](Self::n_users).
    #[inline]
    pub fn contains(&self, user: u32, item: u32) -> bool {
        self.items_of(user).binary_search(&item).is_ok()
    }

    /// Users with at least one item, ascending.
    pub fn users_with_items(&self) -> Vec<u32> {
        let users = 0..self.n_users() as u32;
        users.filter(|&u| !self.items_of(u).is_empty()).collect()
    }

    /// All pairs, by user and then by item.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let users = 0..self.n_users() as u32;
        users.flat_map(|user| self.items_of(user).iter().map(move |&item| (user, item)))
    }

    /// The pairs of the items for which `keep` holds; users and items stay numbered as they are.
    #[must_use]
    pub fn of_items(&self, keep: impl Fn(u32) -> bool) -> Interactions {
        let pairs: Vec<_> = self.pairs().filter(|&(_, item)| keep(item)).collect();
        Interactions::from_pairs(self.n_users(), self.n_items(), &pairs).0
    }

    /// Number of users per item: its popularity. Length [`n_items`](Self::n_items).
    pub fn item_counts(&self) -> Vec<u32> {
        self.rows.column_counts()
    }

    /// Row bounds: the items of user `u` are `indices[indptr[u]..indptr[u + 1]]`.
    pub fn indptr(&self) -> &[usize] {
        self.rows.indptr()
    }

    /// Items of all users, one row after the other.
    pub fn indices(&self) -> &[u32] {
        self.rows.indices()
    }

    /// One row per user, whose columns are items.
    pub(crate) fn rows(&self) -> &CsrPattern {
        &self.rows
    }
}

impl std::fmt::Debug for Interactions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interactions")
            .field("n_users", &self.n_users())
            .field("n_items", &self.n_items())
            .field("len", &self.len())
            .finish()
    }
}

/// Sorts every row and copies out its distinct items.
fn sort_and_merge(n_items: usize, bounds: &[usize], items: &mut [u32]) -> CsrPattern {
    let mut rows = CsrPattern::with_capacity(bounds.len() - 1, n_items, items.len());
    for bound in bounds.windows(2) {
        let row = &mut items[bound[0]..bound[1]];
        row.sort_unstable();
        for (place, &item) in row.iter().enumerate() {
            if place == 0 || row[place - 1] != item {
                rows.push(item);
            }
        }
        rows.end_row();
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_same_item_at_a_row_boundary_is_kept_for_both_users() {
        let (set, merged) = Interactions::from_pairs(2, 3, &[(0, 2), (1, 2)]);
        assert_eq!((set.len(), merged), (2, 0));
    }

    #[test]
    #[should_panic(expected = "outside 2 users x 3 items")]
    fn a_pair_outside_the_shape_is_a_programming_error() {
        let _ = Interactions::from_pairs(2, 3, &[(0, 3)]);
    }

    proptest! {
        #[test]
        fn rows_equal_a_sorted_set(pairs in prop::collection::vec((0u32..7, 0u32..9), 0..80)) {
            let (set, merged) = Interactions::from_pairs(7, 9, &pairs);
            let naive: BTreeSet<(u32, u32)> = pairs.iter().copied().collect();
            prop_assert_eq!(merged, pairs.len() - naive.len());
            prop_assert_eq!(set.pairs().collect::<Vec<_>>(), naive.iter().copied().collect::<Vec<_>>());
            for u in 0..7 {
                prop_assert_eq!(set.users_with_items().contains(&u), naive.iter().any(|p| p.0 == u));
                for i in 0..9 {
                    prop_assert_eq!(set.contains(u, i), naive.contains(&(u, i)));
                }
            }
            for (i, &count) in set.item_counts().iter().enumerate() {
                prop_assert_eq!(count as usize, naive.iter().filter(|p| p.1 as usize == i).count());
            }
        }
    }
}
