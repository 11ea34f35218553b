//! The per-user random split of the LATTICE pipeline.

use crate::random::Stream;

/// One user's items, divided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdout {
    /// Items to learn from.
    pub train: Vec<u32>,
    /// Items to select by.
    pub validation: Vec<u32>,
    /// Items to test on.
    pub test: Vec<u32>,
}

/// Divides the `n` items of a user at random:
///
/// ```text
/// n < 3         all train: a user needs something in each part
/// 3 <= n < 10   1 test, 1 validation, n - 2 train
/// n >= 10       k = floor(0.2 n) held out: floor(k / 2) test, the other ceil(k / 2) validation
/// ```
///
/// The middle and last line are the rule of Zhang et al., *Mining Latent Structures for
/// Multimedia Recommendation* (2021). Train items keep their order.
pub fn split_per_user(items: &[u32], rng: &mut Stream) -> Holdout {
    let n = items.len();
    let (validation, test) = sizes(n);
    let mut places: Vec<usize> = (0..n).collect();
    for place in 0..test + validation {
        let partner = place + rng.below((n - place) as u32) as usize;
        places.swap(place, partner);
    }
    let (held, kept) = places.split_at_mut(test + validation);
    kept.sort_unstable();
    let pick = |places: &[usize]| places.iter().map(|&p| items[p]).collect();
    Holdout { train: pick(kept), validation: pick(&held[test..]), test: pick(&held[..test]) }
}

/// Validation and test items of a user with `n`.
pub(super) fn sizes(n: usize) -> (usize, usize) {
    match n {
        0..3 => (0, 0),
        3..10 => (1, 1),
        _ => (n / 5 - n / 5 / 2, n / 5 / 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use proptest::prelude::*;

    #[test]
    fn sizes_follow_the_published_rule() {
        // (n, train, validation, test)
        let cases = [(2, 2, 0, 0), (5, 3, 1, 1), (9, 7, 1, 1), (10, 8, 1, 1), (14, 12, 1, 1)];
        let larger = [(15, 12, 2, 1), (20, 16, 2, 2), (30, 24, 3, 3)];
        for (n, train, validation, test) in cases.into_iter().chain(larger) {
            let items: Vec<u32> = (0..n).collect();
            let parts = split_per_user(&items, &mut Seed(1).stream("split"));
            let sizes = (parts.train.len(), parts.validation.len(), parts.test.len());
            assert_eq!(sizes, (train, validation, test), "{n} items");
        }
    }

    proptest! {
        #[test]
        fn every_item_lands_in_one_part(n in 0u32..60, seed: u64) {
            let items: Vec<u32> = (0..n).map(|i| i * 7).collect();
            let parts = split_per_user(&items, &mut Seed(seed).stream("split"));
            let mut all = [parts.train, parts.validation, parts.test].concat();
            all.sort_unstable();
            prop_assert_eq!(all, items);
        }
    }
}
