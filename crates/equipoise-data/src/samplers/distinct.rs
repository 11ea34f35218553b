//! Distinct draws from a fixed pool.

use crate::random::Stream;

/// A pool from which each call draws anew; what a call yields depends on the stream alone,
/// not on earlier calls, so that a resumed run draws as an uninterrupted one.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    members: Vec<u32>,
    /// Partner of each exchange of the current draw, to take it back.
    exchanges: Vec<u32>,
}

impl Pool {
    pub(super) fn new(members: Vec<u32>) -> Pool {
        let exchanges = Vec::new();
        Pool { members, exchanges }
    }

    /// Appends `count` uniform members to `out`: distinct, or with replacement if the pool is
    /// smaller than `count`.
    pub(super) fn draw(&mut self, count: usize, rng: &mut Stream, out: &mut Vec<u32>) {
        let size = self.members.len() as u32;
        if count > self.members.len() {
            out.extend((0..count).map(|_| self.members[rng.below(size) as usize]));
            return;
        }
        self.exchanges.clear();
        for place in 0..count as u32 {
            let partner = place + rng.below(size - place);
            self.members.swap(place as usize, partner as usize);
            self.exchanges.push(partner);
        }
        out.extend_from_slice(&self.members[..count]);
        for (place, &partner) in self.exchanges.iter().enumerate().rev() {
            self.members.swap(place, partner as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn draws_are_distinct_members_and_leave_the_pool_as_it_was(
            size in 1u32..60, count in 0usize..60, seed: u64
        ) {
            let members: Vec<u32> = (0..size).map(|m| m * 3 + 1).collect();
            let mut pool = Pool::new(members.clone());
            let mut out = Vec::new();
            pool.draw(count, &mut Seed(seed).stream("draw"), &mut out);
            prop_assert_eq!(out.len(), count);
            prop_assert!(out.iter().all(|m| members.contains(m)));
            prop_assert_eq!(&pool.members, &members);
            out.sort_unstable();
            out.dedup();
            prop_assert!(count > size as usize || out.len() == count);
        }
    }

    #[test]
    fn every_member_is_equally_likely() {
        let mut pool = Pool::new((0..10).collect());
        let mut rng = Seed(1).stream("draw");
        let mut counts = [0u32; 10];
        let mut out = Vec::new();
        for _ in 0..20_000 {
            out.clear();
            pool.draw(3, &mut rng, &mut out);
            out.iter().for_each(|&m| counts[m as usize] += 1);
        }
        // Mean 6,000, standard deviation 65: five of them either side.
        assert!(counts.iter().all(|&c| (5_675..=6_325).contains(&c)), "{counts:?}");
    }
}
