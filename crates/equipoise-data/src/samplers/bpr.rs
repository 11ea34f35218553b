//! Triples for pairwise ranking: a user, an item it likes, an item it has not been seen with.

use serde::{Deserialize, Serialize};

use super::SamplerError;
use super::distinct::Pool;
use crate::interactions::Interactions;
use crate::random::Stream;
use crate::triples::Triples;

/// What a batch is uniform over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BprSampling {
    /// Distinct users, then one positive each: busy users count no more than quiet ones.
    #[default]
    UserUniform,
    /// Distinct train interactions: busy users count in proportion.
    InteractionUniform,
}

/// Draws batches of `(user, positive, negative)`.
///
/// Users (or interactions) are distinct within a batch, unless the batch is larger than the
/// pool: then they are drawn with replacement. The negative is uniform over all items outside
/// the user's *train* list; validation and test items can therefore serve as negatives, as
/// a model must not know them.
#[derive(Clone, Debug)]
pub struct BprSampler {
    batch: usize,
    sampling: BprSampling,
    pool: Pool,
    /// Numbers drawn from the pool in the current call: users or interactions.
    drawn: Vec<u32>,
    /// User of each interaction; filled for [`BprSampling::InteractionUniform`] only.
    owners: Vec<u32>,
    shape: (usize, usize),
}

impl BprSampler {
    /// A sampler of batches of `batch` triples over `train`.
    ///
    /// # Errors
    /// [`SamplerError`] if `train` is empty, `batch` is 0, or a user has every item in train,
    /// so that no negative exists.
    pub fn new(
        train: &Interactions,
        batch: usize,
        sampling: BprSampling,
    ) -> Result<BprSampler, SamplerError> {
        if batch == 0 {
            return Err(SamplerError::Zero { field: "batch" });
        }
        if train.is_empty() {
            return Err(SamplerError::Empty);
        }
        let users = train.users_with_items();
        let items = train.n_items();
        if let Some(&user) = users.iter().find(|&&u| train.items_of(u).len() == items) {
            return Err(SamplerError::NoNegative { user, items });
        }
        let (pool, owners) = match sampling {
            BprSampling::UserUniform => (users, Vec::new()),
            BprSampling::InteractionUniform => {
                ((0..train.len() as u32).collect(), train.pairs().map(|(user, _)| user).collect())
            }
        };
        Ok(BprSampler {
            batch,
            sampling,
            pool: Pool::new(pool),
            drawn: Vec::with_capacity(batch),
            owners,
            shape: (train.len(), items),
        })
    }

    /// Batches per epoch: `floor(T / B) + 1` for `T` train interactions and batches of `B`.
    pub fn steps_per_epoch(&self) -> usize {
        self.shape.0 / self.batch + 1
    }

    /// Fills `out` with one batch.
    ///
    /// # Panics
    /// If `train` is not the set that the sampler was made for.
    pub fn sample(&mut self, train: &Interactions, rng: &mut Stream, out: &mut Triples) {
        let given = (train.len(), train.n_items());
        assert_eq!(given, self.shape, "a sampler serves the train set it was made for");
        out.clear();
        self.drawn.clear();
        self.pool.draw(self.batch, rng, &mut self.drawn);
        for &number in &self.drawn {
            let (user, positive) = match self.sampling {
                BprSampling::UserUniform => {
                    let items = train.items_of(number);
                    (number, items[rng.below(items.len() as u32) as usize])
                }
                BprSampling::InteractionUniform => {
                    let place = number as usize;
                    (self.owners[place], train.indices()[place])
                }
            };
            out.users.push(user);
            out.positives.push(positive);
            out.negatives.push(negative(train, user, rng));
        }
    }
}

/// A uniform item that `user` has not in train.
fn negative(train: &Interactions, user: u32, rng: &mut Stream) -> u32 {
    loop {
        let item = rng.below(train.n_items() as u32);
        if !train.contains(user, item) {
            return item;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use proptest::prelude::*;

    fn interactions() -> impl Strategy<Value = Interactions> {
        let pairs = prop::collection::vec((0u32..9, 0u32..8), 1..60);
        // Item 8 is in nobody's train list: a negative always exists.
        pairs.prop_map(|pairs| Interactions::from_pairs(9, 9, &pairs).0)
    }

    fn sampling() -> impl Strategy<Value = BprSampling> {
        prop_oneof![Just(BprSampling::UserUniform), Just(BprSampling::InteractionUniform)]
    }

    proptest! {
        #[test]
        fn positives_are_train_items_and_negatives_are_not(
            train in interactions(), mode in sampling(), batch in 1usize..40, seed: u64
        ) {
            let mut sampler = BprSampler::new(&train, batch, mode).expect("negatives exist");
            let (mut rng, mut out) = (Seed(seed).stream("batches"), Triples::default());
            sampler.sample(&train, &mut rng, &mut out);
            prop_assert_eq!(out.len(), batch);
            for n in 0..batch {
                prop_assert!(train.contains(out.users[n], out.positives[n]));
                prop_assert!(!train.contains(out.users[n], out.negatives[n]));
            }
            if mode == BprSampling::UserUniform && batch <= train.users_with_items().len() {
                let mut users = out.users.clone();
                users.sort_unstable();
                users.dedup();
                prop_assert_eq!(users.len(), batch);
            }
        }

        #[test]
        fn a_fresh_sampler_on_a_restored_stream_draws_the_same(
            train in interactions(), mode in sampling(), seed: u64
        ) {
            let mut sampler = BprSampler::new(&train, 5, mode).expect("negatives exist");
            let (mut rng, mut out) = (Seed(seed).stream("batches"), Triples::default());
            sampler.sample(&train, &mut rng, &mut out);
            let state = rng.state();
            sampler.sample(&train, &mut rng, &mut out);
            let mut resumed = Triples::default();
            let mut fresh = BprSampler::new(&train, 5, mode).expect("negatives exist");
            fresh.sample(&train, &mut Stream::restore(&state), &mut resumed);
            prop_assert_eq!(out, resumed);
        }
    }

    #[test]
    fn a_busy_user_counts_more_only_when_interactions_are_uniform() {
        let pairs: Vec<(u32, u32)> = (0..9).map(|i| (0, i)).chain([(1, 0)]).collect();
        let (train, _) = Interactions::from_pairs(2, 20, &pairs);
        let share = |mode| {
            let mut sampler = BprSampler::new(&train, 1, mode).expect("negatives exist");
            let (mut rng, mut out) = (Seed(5).stream("batches"), Triples::default());
            let mut busy = 0;
            for _ in 0..2_000 {
                sampler.sample(&train, &mut rng, &mut out);
                busy += usize::from(out.users[0] == 0);
            }
            busy as f64 / 2_000.0
        };
        assert!((share(BprSampling::UserUniform) - 0.5).abs() < 0.06);
        assert!((share(BprSampling::InteractionUniform) - 0.9).abs() < 0.04);
    }

    #[test]
    fn an_epoch_has_one_step_more_than_whole_batches() {
        let pairs: Vec<(u32, u32)> = (0..10).map(|u| (u, 0)).collect();
        let (train, _) = Interactions::from_pairs(10, 2, &pairs);
        let steps = |batch| {
            let sampler = BprSampler::new(&train, batch, BprSampling::UserUniform);
            sampler.expect("negatives exist").steps_per_epoch()
        };
        assert_eq!((steps(3), steps(5), steps(11)), (4, 3, 1));
    }

    #[test]
    fn a_user_with_the_whole_catalogue_is_refused_rather_than_looped_over() {
        let (train, _) = Interactions::from_pairs(2, 2, &[(1, 0), (1, 1)]);
        let refused = BprSampler::new(&train, 4, BprSampling::UserUniform);
        let expected = SamplerError::NoNegative { user: 1, items: 2 };
        assert_eq!(refused.expect_err("no negative for user 1"), expected);
        let (none, _) = Interactions::from_pairs(2, 2, &[]);
        let refused = BprSampler::new(&none, 4, BprSampling::UserUniform);
        assert_eq!(refused.expect_err("nothing to draw"), SamplerError::Empty);
    }
}
