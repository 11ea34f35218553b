//! Who reviewed what.

use equipoise_data::{Seed, Stream};

use super::config::RawAmazonConfig;

/// Exactly so many pairs of users and items, all different, at least five of each user and item; by item and then
/// by user, as the published files are sorted by item.
pub(super) fn reviews(config: &RawAmazonConfig) -> Vec<(usize, usize)> {
    let mut rng = Seed(config.seed).stream("made-up/graph");
    let RawAmazonConfig { users, items, reviews, .. } = *config;
    let of_users = degrees(users, reviews, items / 2, &mut rng);
    let of_items = degrees(items, reviews, users / 2, &mut rng);
    let mut slots: Vec<usize> = repeated(&of_items);
    shuffle(&mut slots, &mut rng);
    let owners: Vec<usize> = repeated(&of_users);
    let mut starts = vec![0; users + 1];
    for (user, degree) in of_users.iter().enumerate() {
        starts[user + 1] = starts[user] + degree;
    }
    part_equals(&mut slots, &owners, &starts, &mut rng);
    let mut pairs: Vec<(usize, usize)> = owners.into_iter().zip(slots).collect();
    pairs.sort_unstable_by_key(|&(user, item)| (item, user));
    pairs
}

/// Five each, and the rest leaning towards a few, none above `most`.
fn degrees(count: usize, total: usize, most: usize, rng: &mut Stream) -> Vec<usize> {
    let mut degrees = vec![5; count];
    let mut left = total - 5 * count;
    while left > 0 {
        let share = rng.unit();
        let place = (share * share * count as f64) as usize;
        if degrees[place] < most.max(5) {
            degrees[place] += 1;
            left -= 1;
        }
    }
    degrees
}

fn repeated(degrees: &[usize]) -> Vec<usize> {
    degrees.iter().enumerate().flat_map(|(n, &degree)| std::iter::repeat_n(n, degree)).collect()
}

fn shuffle(slots: &mut [usize], rng: &mut Stream) {
    for place in (1..slots.len()).rev() {
        slots.swap(place, rng.below(place as u32 + 1) as usize);
    }
}

/// Swaps items between users until no user has one twice; degrees stay what they are.
fn part_equals(slots: &mut [usize], owners: &[usize], starts: &[usize], rng: &mut Stream) {
    let has = |slots: &[usize], user: usize, item: usize, but: usize| {
        (starts[user]..starts[user + 1]).any(|place| place != but && slots[place] == item)
    };
    for place in 0..slots.len() {
        // At most half of everything is one user's or one item's, so that most draws fit.
        while has(slots, owners[place], slots[place], place) {
            let other = rng.below(slots.len() as u32) as usize;
            let fits = !has(slots, owners[place], slots[other], place)
                && !has(slots, owners[other], slots[place], other);
            if fits {
                slots.swap(place, other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn sizes_are_met_exactly(users in 20usize..60, items in 20usize..60, more in 0usize..50, seed: u64) {
            let reviews = (5 * users.max(items) + more).min(users * items / 4);
            let config = RawAmazonConfig { users, items, reviews, seed, ..RawAmazonConfig::default() };
            let pairs = super::reviews(&config);
            let distinct: BTreeSet<_> = pairs.iter().collect();
            prop_assert_eq!((pairs.len(), distinct.len()), (reviews, reviews));
            prop_assert!((0..users).all(|u| pairs.iter().filter(|p| p.0 == u).count() >= 5));
            prop_assert!((0..items).all(|i| pairs.iter().filter(|p| p.1 == i).count() >= 5));
        }
    }
}
