//! Items, users and what they do.

use equipoise_data::{Seed, Stream};

use super::config::DemoConfig;
use super::normal::normal;

/// Number of latent factors.
pub(super) const LATENT: usize = 16;
/// Fewest and most items of a user.
pub(super) const MIN_ITEMS: usize = 5;
pub(super) const MAX_ITEMS: usize = 9;
/// Number of clusters of items: so many, with so short histories, that ids alone cannot learn them and content
/// matters.
pub(super) const CLUSTERS: usize = 300;
/// Spread of items around the centre of their cluster, whose coordinates have variance 1.
const SPREAD: f64 = 0.5;
/// How strongly taste decides, beside popularity.
const TASTE: f64 = 2.0;

/// One vector of latent factors.
pub(super) type Factors = [f64; LATENT];

/// The whole made-up world.
pub(super) struct World {
    /// Latent factors of each item.
    pub(super) items: Vec<Factors>,
    /// The cluster that each item comes from.
    pub(super) clusters: Vec<usize>,
    tastes: Vec<Factors>,
    /// Relative popularity of each item.
    popularity: Vec<f64>,
    seed: Seed,
}

impl World {
    pub(super) fn new(config: &DemoConfig) -> World {
        let seed = Seed(config.seed);
        let mut rng = seed.stream("demo/items");
        let centres: Vec<Factors> = (0..CLUSTERS).map(|_| gaussian(&mut rng, 1.0)).collect();
        let item = |_| {
            let cluster = pick(&mut rng);
            (cluster, near(&centres[cluster], &mut rng))
        };
        let (clusters, items) = (0..config.items).map(item).unzip();
        let mut rng = seed.stream("demo/users");
        let tastes = (0..config.users).map(|_| taste(&centres, &mut rng)).collect();
        let popularity = popularity(config.items, &mut seed.stream("demo/popularity"));
        World { items, clusters, tastes, popularity, seed }
    }

    /// Items of each user, in the order drawn: distinct, with probability proportional to
    /// popularity times `exp(taste . factors)`.
    pub(super) fn histories(&self) -> Vec<Vec<u32>> {
        let mut rng = self.seed.stream("demo/interactions");
        let tastes = self.tastes.iter();
        tastes.map(|taste| self.history(taste, &mut rng)).collect()
    }

    fn history(&self, taste: &Factors, rng: &mut Stream) -> Vec<u32> {
        // The square leans towards short histories.
        let share = rng.unit();
        let wanted = MIN_ITEMS + (share * share * (MAX_ITEMS - MIN_ITEMS + 1) as f64) as usize;
        let mut total = 0.0;
        let weights = self.items.iter().zip(&self.popularity).map(|(item, popularity)| {
            total += popularity * exp(TASTE * dot(taste, item));
            total
        });
        let cumulative: Vec<f64> = weights.collect();
        let mut chosen: Vec<u32> = Vec::with_capacity(wanted);
        while chosen.len() < wanted {
            let place = rng.unit() * total;
            let item = cumulative.partition_point(|&c| c <= place) as u32;
            if !chosen.contains(&item) && (item as usize) < self.items.len() {
                chosen.push(item);
            }
        }
        chosen
    }
}

fn gaussian(rng: &mut Stream, scale: f64) -> Factors {
    std::array::from_fn(|_| scale * normal(rng))
}

/// A cluster.
fn pick(rng: &mut Stream) -> usize {
    rng.below(CLUSTERS as u32) as usize
}

fn near(centre: &Factors, rng: &mut Stream) -> Factors {
    let offset = gaussian(rng, SPREAD);
    std::array::from_fn(|n| centre[n] + offset[n])
}

/// A unit vector between two clusters that the user likes.
fn taste(centres: &[Factors], rng: &mut Stream) -> Factors {
    let (first, second) = (&centres[pick(rng)], &centres[pick(rng)]);
    let offset = gaussian(rng, 0.5);
    let taste: Factors = std::array::from_fn(|n| first[n] + 0.7 * second[n] + offset[n]);
    let length = dot(&taste, &taste).sqrt();
    taste.map(|value| value / length)
}

/// A power law over ranks, `(rank + 1)^(-1/2)`, with ranks dealt at random.
fn popularity(items: usize, rng: &mut Stream) -> Vec<f64> {
    let mut ranks: Vec<usize> = (0..items).collect();
    for place in 0..items {
        let partner = place + rng.below((items - place) as u32) as usize;
        ranks.swap(place, partner);
    }
    let law = |rank: usize| 1.0 / ((rank + 1) as f64).sqrt();
    ranks.into_iter().map(law).collect()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `e^x` as `(1 + x / 2^20)^(2^20)`, by twenty squarings: within `x^2 / 2^21` of the truth, and
/// the same on every machine, unlike the one of the system library.
fn exp(x: f64) -> f64 {
    let steps = 20;
    let base = 1.0 + x / f64::from(1 << steps);
    (0..steps).fold(base, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_close_to_the_true_one() {
        for x in [-12.0, -1.0, 0.0, 0.3, 5.0, 12.0] {
            let relative = (exp(x) / f64::exp(x) - 1.0).abs();
            assert!(relative <= x * x / f64::from(1 << 21) + 1e-9, "exp({x}): {relative}");
        }
    }

    #[test]
    fn few_items_draw_much_of_the_attention() {
        let config = DemoConfig { users: 500, items: 1_000, seed: 3 };
        let mut counts = vec![0u32; config.items];
        for history in World::new(&config).histories() {
            assert!((MIN_ITEMS..=MAX_ITEMS).contains(&history.len()));
            history.iter().for_each(|&item| counts[item as usize] += 1);
        }
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let (head, all): (u32, u32) = (counts[..100].iter().sum(), counts.iter().sum());
        let share = f64::from(head) / f64::from(all);
        assert!(share > 0.25, "a tenth of the items draws {share} of the interactions");
    }
}
