//! Fixed triples for measuring a loss: some of a split's pairs, each with one negative.

use super::distinct::Pool;
use crate::interactions::Interactions;
use crate::random::Stream;
use crate::triples::Triples;

/// `count` distinct pairs of `pairs`, uniform, each with an item that its user has in none of `known`, uniform.
/// Users who have every item there are left out, so there can be fewer triples.
pub fn paired_triples(
    pairs: &Interactions,
    known: &[&Interactions],
    count: usize,
    stream: &mut Stream,
) -> Triples {
    let knows = |user, item| known.iter().any(|split| split.contains(user, item));
    let items = pairs.n_items() as u32;
    let served = |user: u32| (0..items).any(|item| !knows(user, item));
    let all: Vec<(u32, u32)> = pairs.pairs().collect();
    let mut drawn = Vec::new();
    Pool::new((0..all.len() as u32).collect()).draw(count.min(all.len()), stream, &mut drawn);
    let mut out = Triples::default();
    for (user, item) in drawn.into_iter().map(|place| all[place as usize]).filter(|&(user, _)| served(user)) {
        out.users.push(user);
        out.positives.push(item);
        out.negatives.push(unknown(user, items, &knows, stream));
    }
    out
}

fn unknown(user: u32, items: u32, knows: &impl Fn(u32, u32) -> bool, stream: &mut Stream) -> u32 {
    loop {
        let item = stream.below(items);
        if !knows(user, item) {
            return item;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn split() -> impl Strategy<Value = Interactions> {
        let pairs = prop::collection::vec((0u32..7, 0u32..6), 0..40);
        pairs.prop_map(|pairs| Interactions::from_pairs(7, 6, &pairs).0)
    }

    proptest! {
        #[test]
        fn pairs_are_distinct_ones_of_the_split_and_negatives_are_known_nowhere(
            a in split(), b in split(), count in 0usize..50, seed: u64
        ) {
            let t = paired_triples(&a, &[&a, &b], count, &mut Seed(seed).stream("losses"));
            let all = |u: u32| (0..6).all(|i| a.contains(u, i) || b.contains(u, i));
            let refused = a.pairs().filter(|&(u, _)| all(u)).count();
            prop_assert!(t.len() <= count.min(a.len()) && t.len() + refused >= count.min(a.len()));
            for n in 0..t.len() {
                prop_assert!(a.contains(t.users[n], t.positives[n]));
                prop_assert!(!a.contains(t.users[n], t.negatives[n]) && !b.contains(t.users[n], t.negatives[n]));
            }
            let pairs: BTreeSet<(u32, u32)> = t.users.iter().copied().zip(t.positives.iter().copied()).collect();
            prop_assert_eq!(pairs.len(), t.len());
        }
    }
}
