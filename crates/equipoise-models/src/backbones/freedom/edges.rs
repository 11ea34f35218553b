//! A share of the interactions, drawn with a preference for those of the unpopular.

use equipoise_data::graph::{Bipartite, Normalisation};
use equipoise_data::{Interactions, Seed, Stream};
use equipoise_nn::Propagation;
use std::sync::{Arc, Mutex, PoisonError};

/// Draws `floor(T (1 - drop))` of `T` interactions without replacement, with probabilities proportional to
/// `1 / sqrt(deg_u deg_i)`, and normalises what is left by its own degrees.
///
/// One interaction after the other, each among those left, is the same as giving each a time that is
/// exponential with its weight as rate and taking the earliest (Efraimidis & Spirakis 2006).
pub struct EdgeSample {
    sizes: (usize, usize),
    pairs: Vec<(u32, u32)>,
    /// `sqrt(deg_u deg_i)` per interaction: the mean of its time.
    means: Vec<f64>,
    kept: usize,
    resample: u64,
    last: Mutex<Option<Drawn>>,
}

/// The draw of one seed and one span of steps.
struct Drawn {
    of: (Seed, u64),
    graph: Arc<Propagation>,
}

impl EdgeSample {
    /// Of the interactions of a graph, drawn anew after every `resample` steps.
    pub fn new(graph: &Bipartite, drop: f64, resample: u64) -> EdgeSample {
        let users = graph.n_users();
        let of_user = |u: usize| graph.neighbours(u).iter().map(move |&node| (u as u32, node - users as u32));
        let pairs: Vec<(u32, u32)> = (0..users).flat_map(of_user).collect();
        let mean = |&(u, i): &(u32, u32)| {
            let degrees = graph.degree(u as usize) * graph.degree(users + i as usize);
            (degrees as f64).sqrt()
        };
        let means = pairs.iter().map(mean).collect();
        // 10 * (1 - 0.8) is 2, not 1.9999999999999996.
        let kept = (pairs.len() as f64 * (1.0 - drop) + 1e-6) as usize;
        let sizes = (users, graph.n_items());
        EdgeSample { sizes, pairs, means, kept, resample, last: Mutex::new(None) }
    }

    /// The normalised adjacency of the interactions kept at this step: the same for all steps of a span.
    pub fn graph(&self, seed: Seed, step: u64) -> Arc<Propagation> {
        let of = (seed, step / self.resample);
        // A panic elsewhere leaves the last whole draw or none: sound either way.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(drawn) = last.as_ref().filter(|drawn| drawn.of == of) {
            return drawn.graph.clone();
        }
        let kept = self.draw(&mut seed.stream(&format!("dropout/{}/edges", of.1)));
        let (kept, _) = Interactions::from_pairs(self.sizes.0, self.sizes.1, &kept);
        let graph = Arc::new(Propagation::new(Bipartite::new(&kept).normalised(Normalisation::Sym)));
        *last = Some(Drawn { of, graph: graph.clone() });
        graph
    }

    /// The interactions kept.
    fn draw(&self, stream: &mut Stream) -> Vec<(u32, u32)> {
        let mut times: Vec<(f64, usize)> =
            self.means.iter().enumerate().map(|(e, mean)| (-(1.0 - stream.unit()).ln() * mean, e)).collect();
        if self.kept < times.len() {
            times.select_nth_unstable_by(self.kept, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        times[..self.kept].iter().map(|&(_, e)| self.pairs[e]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// User 0 has all four items, users 1 to 3 have item 0 alone.
    fn sample(drop: f64) -> EdgeSample {
        let pairs = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (2, 0), (3, 0)];
        EdgeSample::new(&Bipartite::new(&Interactions::from_pairs(4, 4, &pairs).0), drop, 10)
    }

    #[test]
    fn keeps_the_floor_of_the_share_each_once() {
        for (drop, kept) in [(0.0, 7), (0.1, 6), (0.5, 3), (6.0 / 7.0, 1), (0.99, 0)] {
            let mut pairs = sample(drop).draw(&mut Seed(1).stream("edges"));
            pairs.sort_unstable();
            pairs.dedup();
            assert_eq!(pairs.len(), kept, "{drop}");
        }
    }

    #[test]
    fn one_edge_is_drawn_in_proportion_to_its_weight() {
        let (sample, mut stream) = (sample(0.85), Seed(3).stream("edges"));
        let draws = 20_000;
        let mut found = [0.0; 7];
        for _ in 0..draws {
            let kept = sample.draw(&mut stream);
            let [pair] = kept[..] else { panic!("one edge of seven") };
            found[sample.pairs.iter().position(|p| *p == pair).expect("an edge")] += 1.0 / f64::from(draws);
        }
        // Degrees 4 and 4 of the first pair, 4 and 1 of the others.
        let (hub, other) = (0.25, 0.5);
        let total = hub + 6.0 * other;
        for (edge, share) in found.iter().enumerate() {
            let expected = if edge == 0 { hub } else { other } / total;
            assert!((share - expected).abs() < 0.012, "{edge}: {share}, expected {expected}");
        }
    }

    #[test]
    fn a_span_of_steps_shares_one_graph_and_the_next_has_another() {
        let sample = sample(0.5);
        let graph = |seed, step| sample.graph(Seed(seed), step);
        assert!(Arc::ptr_eq(&graph(1, 0), &graph(1, 9)));
        let (first, next, other) = (graph(1, 9), graph(1, 10), graph(2, 10));
        assert_ne!(first.matrix(), next.matrix());
        assert_ne!(next.matrix(), other.matrix());
        assert_eq!(first.matrix(), graph(1, 3).matrix(), "drawn again, the same");
    }

    #[test]
    fn what_is_left_is_normalised_by_its_own_degrees() {
        let graph = sample(6.0 / 7.0).graph(Seed(1), 0);
        assert_eq!(graph.matrix().values(), [1.0, 1.0], "one pair, once in each direction");
    }
}
