//! Points drawn at random.
//!
//! Bergstra and Bengio, *Random Search for Hyper-Parameter Optimization*, JMLR 2012: where few settings
//! matter, random points try more values of each than a grid of the same size.

use super::Strategy;
use crate::search::{Point, Proposal, Record, Space, TrialBudget};
use equipoise_data::Seed;

/// Different points of the space, in one batch.
pub struct Random {
    space: Space,
    seed: u64,
    trials: usize,
}

impl Random {
    /// `trials` points; fewer if the space has fewer.
    pub fn new(space: Space, seed: u64, trials: usize) -> Random {
        let trials = trials.min(space.size().unwrap_or(trials));
        Random { space, seed, trials }
    }
}

/// The first `trials` points of a seed's sequence: more trials only add to the end of it.
pub(super) fn points(space: &Space, seed: u64, trials: usize) -> Vec<Point> {
    let mut points = Vec::with_capacity(trials);
    for number in 0..trials {
        let mut stream = Seed(seed).stream(&format!("sweep/random/{number}"));
        match space.fresh(&points, || space.draw(&mut stream)) {
            Some(point) => points.push(point),
            None => break,
        }
    }
    points
}

impl Strategy for Random {
    fn next(&self, history: &[Record]) -> Vec<Proposal> {
        if !history.is_empty() {
            return Vec::new();
        }
        let points = points(&self.space, self.seed, self.trials).into_iter().enumerate();
        points
            .map(|(number, point)| Proposal { number, rung: 0, point, budget: TrialBudget::default() })
            .collect()
    }

    fn total(&self) -> usize {
        self.trials
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Dimension;

    fn space() -> Space {
        let lr = Dimension::range(1e-4, 1e-1).log();
        Space::new(vec![("b".into(), Dimension::List(vec![1.into(), 2.into()])), ("lr".into(), lr)]).unwrap()
    }

    #[test]
    fn a_seed_means_one_sequence_and_more_trials_continue_it() {
        let (few, more) = (points(&space(), 3, 5), points(&space(), 3, 20));
        assert_eq!(few, more[..5]);
        assert_ne!(few, points(&space(), 4, 5));
    }

    #[test]
    fn a_space_of_few_points_is_used_up_without_repetition() {
        let space = Space::new(vec![("n".into(), Dimension::range(1.0, 7.0).whole())]).unwrap();
        let random = Random::new(space, 1, 50);
        assert_eq!((random.total(), random.next(&[]).len()), (7, 7));
        let mut texts: Vec<String> = random.next(&[]).iter().map(|p| p.point.to_string()).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 7);
    }
}
