//! What a search runs, and what comes back: no test number can be among it.

use super::point::Point;
use equipoise_jobs::{Fault, StopFlag};

/// How much a trial may spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrialBudget {
    /// Most epochs of the model itself, where fewer than its configuration allows; its teachers are trained in full.
    pub epochs: Option<usize>,
}

/// What a trial found out. The metric is measured on validation; nothing here was measured on test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The metric on validation: the larger, the better.
    pub value: f64,
    /// Epoch of the selected model.
    pub best_epoch: usize,
    /// Epochs done.
    pub epochs: usize,
    /// Wall time.
    pub seconds: f64,
    /// Whether training ended by itself within its budget, so that a larger one would change nothing.
    pub complete: bool,
}

/// Evaluates a point. Equal points and budgets must give equal values, on whatever thread.
pub trait Trial: Sync {
    /// Tries `point` within `budget`; ends soon after `stop` is raised.
    ///
    /// # Errors
    /// [`Fault::Own`] is recorded and the search continues. Any other fault is not recorded: after [`Fault::Interrupted`] the
    /// search stops, other faults end it, and the trial is run again when the search is taken up.
    fn run(&self, point: &Point, budget: TrialBudget, stop: &StopFlag) -> Result<Measured, Fault>;
}

/// An evaluation that a strategy asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Number of the trial, from 0.
    pub number: usize,
    /// How often this point was given a larger budget before (successive halving; 0 elsewhere).
    pub rung: usize,
    /// The settings.
    pub point: Point,
    /// What it may spend.
    pub budget: TrialBudget,
}

/// An evaluation that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What was asked for.
    pub proposal: Proposal,
    /// What came of it: the measurement, or why there is none.
    pub outcome: Result<Measured, String>,
}

impl Record {
    /// The metric on validation, if there is one.
    pub fn value(&self) -> Option<f64> {
        self.outcome.as_ref().ok().map(|m| m.value)
    }

    /// Its place in every list: by trial, then by rung.
    pub fn place(&self) -> (usize, usize) {
        (self.proposal.number, self.proposal.rung)
    }
}

/// The record of the largest value among those of the largest budget; the smaller trial number breaks ties.
pub fn best(records: &[Record]) -> Option<&Record> {
    let valued = records.iter().filter_map(|r| Some((r.proposal.rung, r.value()?, r)));
    let better = |a: &(usize, f64, &Record), b: &(usize, f64, &Record)| {
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(b.2.proposal.number.cmp(&a.2.proposal.number))
    };
    valued.max_by(better).map(|(_, _, record)| record)
}
