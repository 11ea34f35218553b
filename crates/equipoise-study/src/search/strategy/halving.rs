//! Successive halving.
//!
//! Jamieson and Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter Optimization*, AISTATS
//! 2016. With `n` random points, a first budget of `r` epochs and `eta`:
//!
//! ```text
//! rung 0          all n points, r epochs each
//! rung k + 1      the best max(1, floor(n_k / eta)) of rung k, r eta^(k+1) epochs each
//! last rung       as many epochs as the configuration allows; a lone survivor goes there at once
//! ```
//!
//! A survivor is trained from its start again: no optimiser state is kept between rungs, and the same seed
//! repeats the same first epochs. One that stopped early within its budget is not trained again.

use super::{Strategy, random};
use crate::search::{Proposal, Record, Space, TrialBudget};
use equipoise_data::FieldError;

/// One point in three survives, unless told otherwise.
pub const ETA: usize = 3;

/// The budgets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rungs {
    epochs: Vec<usize>,
    eta: usize,
}

impl Rungs {
    /// From `first` epochs by factors of `eta` to `most`.
    ///
    /// # Errors
    /// If `first` is not below `most`.
    pub fn new(first: usize, eta: usize, most: usize) -> Result<Rungs, FieldError> {
        if first >= most {
            let expected = format!("fewer than train.epochs = {most}");
            return Err(FieldError::new("sweep.min_epochs", first, expected));
        }
        let mut epochs = vec![first];
        while let Some(next) = epochs.last().and_then(|e| e.checked_mul(eta)).filter(|&e| e < most) {
            epochs.push(next);
        }
        epochs.push(most);
        Ok(Rungs { epochs, eta })
    }

    /// How many points each rung has, when `n` begin: rung and number.
    fn sizes(&self, n: usize) -> Vec<(usize, usize)> {
        let (mut sizes, mut rung, mut left) = (vec![(0, n)], 0, n);
        while let Some(next) = self.after(rung, left) {
            left = survivors(left, self.eta);
            sizes.push((next, left));
            rung = next;
        }
        sizes
    }

    /// The rung after one on which `points` were measured.
    fn after(&self, rung: usize, points: usize) -> Option<usize> {
        let last = self.epochs.len() - 1;
        let alone = survivors(points, self.eta) == 1;
        (rung < last && points > 0).then_some(if alone { last } else { rung + 1 })
    }
}

fn survivors(points: usize, eta: usize) -> usize {
    (points / eta).max(1)
}

/// Random points, of which ever fewer get ever more epochs.
pub struct Halving {
    space: Space,
    seed: u64,
    trials: usize,
    rungs: Rungs,
}

impl Halving {
    /// `trials` points; fewer if the space has fewer.
    pub fn new(space: Space, seed: u64, trials: usize, rungs: Rungs) -> Halving {
        let trials = trials.min(space.size().unwrap_or(trials));
        Halving { space, seed, trials, rungs }
    }

    fn budget(&self, rung: usize) -> TrialBudget {
        TrialBudget { epochs: Some(self.rungs.epochs[rung]) }
    }

    fn first(&self) -> Vec<Proposal> {
        let points = random::points(&self.space, self.seed, self.trials).into_iter().enumerate();
        points.map(|(number, point)| Proposal { number, rung: 0, point, budget: self.budget(0) }).collect()
    }
}

impl Strategy for Halving {
    fn next(&self, history: &[Record]) -> Vec<Proposal> {
        let Some(rung) = history.iter().map(|r| r.proposal.rung).max() else { return self.first() };
        let on = || history.iter().filter(|r| r.proposal.rung == rung);
        let Some(next) = self.rungs.after(rung, on().count()) else { return Vec::new() };
        // Failures never survive; ties go to the smaller number.
        let mut ranked: Vec<(f64, &Record)> = on().filter_map(|r| Some((r.value()?, r))).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.place().cmp(&b.1.place())));
        ranked.truncate(survivors(on().count(), self.rungs.eta));
        let mut batch: Vec<Proposal> = ranked
            .iter()
            .map(|(_, r)| Proposal { rung: next, budget: self.budget(next), ..r.proposal.clone() })
            .collect();
        batch.sort_by_key(|p| p.number);
        batch
    }

    fn total(&self) -> usize {
        self.rungs.sizes(self.trials).iter().map(|(_, size)| size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Dimension, Measured};

    fn halving(trials: usize, rungs: Rungs) -> Halving {
        let space = Space::new(vec![("x".into(), Dimension::range(0.0, 1.0))]).unwrap();
        Halving::new(space, 1, trials, rungs)
    }

    fn record(proposal: Proposal, value: Option<f64>) -> Record {
        let measured = |value| Measured { value, best_epoch: 1, epochs: 1, seconds: 0.0, complete: false };
        Record { proposal, outcome: value.map(measured).ok_or("diverged".into()) }
    }

    #[test]
    fn rungs_grow_by_eta_and_the_last_is_the_whole_budget() {
        assert_eq!(Rungs::new(10, 3, 100).unwrap().epochs, [10, 30, 90, 100]);
        assert_eq!(Rungs::new(1, 2, 2).unwrap().epochs, [1, 2]);
        assert!(Rungs::new(5, 3, 5).unwrap_err().to_string().contains("train.epochs = 5"));
    }

    #[test]
    fn the_best_third_survives_each_rung_and_failures_never() {
        let halving = halving(9, Rungs::new(1, 3, 9).unwrap());
        let value = |p: &Proposal| p.point.number("x");
        let mut history: Vec<Record> = Vec::new();
        let mut sizes = Vec::new();
        loop {
            let batch = halving.next(&history);
            if batch.is_empty() {
                break;
            }
            sizes.push((batch.len(), batch[0].budget.epochs.unwrap()));
            // The best of all fails at once, every other is worth its x.
            let best = batch.iter().filter_map(value).fold(0.0, f64::max);
            let failed = |p: &Proposal| history.is_empty() && value(p) == Some(best);
            let records: Vec<Record> =
                batch.iter().map(|p| record(p.clone(), value(p).filter(|_| !failed(p)))).collect();
            history.extend(records);
        }
        assert_eq!(sizes, [(9, 1), (3, 3), (1, 9)]);
        assert_eq!(history.len(), halving.total());
        let mut xs: Vec<f64> = history[..9].iter().filter_map(Record::value).collect();
        xs.sort_by(|a, b| b.total_cmp(a));
        assert_eq!(crate::search::best(&history).unwrap().value(), Some(xs[0]));
    }

    #[test]
    fn a_lone_survivor_goes_to_the_last_rung_at_once() {
        let halving = halving(3, Rungs::new(1, 3, 1000).unwrap());
        assert_eq!(halving.total(), 4);
        let history: Vec<Record> = halving.next(&[]).into_iter().map(|p| record(p, Some(0.5))).collect();
        let last = halving.next(&history);
        assert_eq!((last.len(), last[0].number, last[0].budget.epochs), (1, 0, Some(1000)));
    }
}
