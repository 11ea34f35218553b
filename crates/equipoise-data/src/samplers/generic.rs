//! Generic triples: a user and two arbitrary items, on which a student imitates its teachers.

use super::SamplerError;
use super::distinct::Pool;
use crate::interactions::Interactions;
use crate::random::Stream;
use crate::triples::Triples;

/// Draws `(user, item, item)` with both items uniform over the whole catalogue, independently
/// and with replacement: they may be train items of the user and they may coincide.
///
/// Users are distinct, uniform over those with a train item; with replacement if fewer than
/// the number of triples.
///
/// With [`with_items_per_step`](GenericSampler::with_items_per_step) the items of one call come
/// from that many distinct ones, drawn anew each call: every item is still as likely as any
/// other in every place, and a step touches fewer of them.
#[derive(Clone, Debug)]
pub struct GenericSampler {
    triples: usize,
    pool: Pool,
    items: u32,
    some: Option<(usize, Pool)>,
    drawn: Vec<u32>,
}

impl GenericSampler {
    /// The number of triples per step in the released configuration.
    pub const DEFAULT_TRIPLES: usize = 5_000;

    /// A sampler of `triples` triples per step over the users of `train`.
    ///
    /// # Errors
    /// [`SamplerError`] if `train` is empty or `triples` is 0.
    pub fn new(train: &Interactions, triples: usize) -> Result<GenericSampler, SamplerError> {
        if triples == 0 {
            return Err(SamplerError::Zero { field: "triples" });
        }
        if train.is_empty() {
            return Err(SamplerError::Empty);
        }
        Ok(GenericSampler {
            triples,
            pool: Pool::new(train.users_with_items()),
            items: train.n_items() as u32,
            some: None,
            drawn: Vec::new(),
        })
    }

    /// Draws the items of each call from `count` distinct ones; from all if there are no more.
    ///
    /// # Errors
    /// [`SamplerError`] if `count` is 0.
    pub fn with_items_per_step(mut self, count: usize) -> Result<GenericSampler, SamplerError> {
        if count == 0 {
            return Err(SamplerError::Zero { field: "generic_items" });
        }
        if count < self.items as usize {
            self.some = Some((count, Pool::new((0..self.items).collect())));
        }
        Ok(self)
    }

    /// Number of triples per step.
    pub fn triples(&self) -> usize {
        self.triples
    }

    /// Fills `out` with new triples.
    ///
    /// # Panics
    /// If `train` is not of the catalogue that the sampler was made for.
    pub fn sample(&mut self, train: &Interactions, rng: &mut Stream, out: &mut Triples) {
        assert_eq!(train.n_items(), self.items as usize, "a sampler serves the train set it was made for");
        out.clear();
        self.pool.draw(self.triples, rng, &mut out.users);
        let Some((count, all)) = &mut self.some else {
            for _ in 0..self.triples {
                out.positives.push(rng.below(self.items));
                out.negatives.push(rng.below(self.items));
            }
            return;
        };
        self.drawn.clear();
        all.draw(*count, rng, &mut self.drawn);
        let mut item = || self.drawn[rng.below(*count as u32) as usize];
        for _ in 0..self.triples {
            out.positives.push(item());
            out.negatives.push(item());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn users_have_train_items_and_item_pairs_cover_the_catalogue() {
        let (train, _) = Interactions::from_pairs(6, 4, &[(1, 0), (3, 1), (5, 0)]);
        let mut sampler = GenericSampler::new(&train, 2_000).expect("not empty");
        let mut out = Triples::default();
        sampler.sample(&train, &mut Seed(2).stream("generic"), &mut out);
        assert_eq!(out.len(), 2_000);
        assert!(out.users.iter().all(|u| [1, 3, 5].contains(u)));
        let mut pairs = [0u32; 16];
        for (&a, &b) in out.positives.iter().zip(&out.negatives) {
            pairs[(a * 4 + b) as usize] += 1;
        }
        // Mean 125 each, standard deviation 10.8: equal pairs and train items are not rejected.
        assert!(pairs.iter().all(|&count| (70..=180).contains(&count)), "{pairs:?}");
    }

    #[test]
    fn users_are_distinct_while_there_are_enough() {
        let pairs: Vec<(u32, u32)> = (0..50).map(|u| (u, 0)).collect();
        let (train, _) = Interactions::from_pairs(50, 3, &pairs);
        let mut sampler = GenericSampler::new(&train, 50).expect("not empty");
        let mut out = Triples::default();
        sampler.sample(&train, &mut Seed(2).stream("generic"), &mut out);
        out.users.sort_unstable();
        assert_eq!(out.users, (0..50).collect::<Vec<u32>>());
    }

    #[test]
    fn items_of_a_call_come_from_a_few_and_over_calls_from_all_alike() {
        let (train, _) = Interactions::from_pairs(6, 12, &[(1, 0), (3, 1), (5, 0)]);
        let sampler = GenericSampler::new(&train, 40).expect("not empty");
        let mut sampler = sampler.with_items_per_step(3).expect("more than none");
        let (mut out, mut rng, mut counts) = (Triples::default(), Seed(4).stream("generic"), [0u32; 12]);
        for _ in 0..300 {
            sampler.sample(&train, &mut rng, &mut out);
            let mut seen: Vec<u32> = out.positives.iter().chain(&out.negatives).copied().collect();
            seen.iter().for_each(|&item| counts[item as usize] += 1);
            seen.sort_unstable();
            seen.dedup();
            assert!(seen.len() <= 3, "{seen:?}");
        }
        // Mean 2000 each; calls of 80 items with the same three make the standard deviation about 210.
        assert!(counts.iter().all(|count| (1_200..2_800).contains(count)), "{counts:?}");
        let zero = GenericSampler::new(&train, 3).expect("not empty").with_items_per_step(0);
        assert_eq!(zero.err(), Some(SamplerError::Zero { field: "generic_items" }));
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        let (none, _) = Interactions::from_pairs(2, 2, &[]);
        assert_eq!(GenericSampler::new(&none, 3).err(), Some(SamplerError::Empty));
        let (one, _) = Interactions::from_pairs(2, 2, &[(0, 0)]);
        let zero = SamplerError::Zero { field: "triples" };
        assert_eq!(GenericSampler::new(&one, 0).err(), Some(zero));
    }
}
