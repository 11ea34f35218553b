//! When training stops.

use crate::config::PatienceRule;
pub use equipoise_jobs::StopFlag;
use serde::{Deserialize, Serialize};

/// What [`EarlyStopping`] has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counted {
    /// The best value.
    pub(crate) best: f64,
    /// Its epoch.
    pub(crate) best_epoch: usize,
    /// Evaluations since.
    pub(crate) without: usize,
}

/// Counts evaluations without improvement. An improvement is strict; the first value to beat is 0.
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    patience: usize,
    rule: PatienceRule,
    counted: Counted,
}

/// What an evaluation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppingDecision {
    /// The best so far: keep this model.
    Improved,
    /// Not better; go on.
    Patient,
    /// Not better for long enough: stop.
    Stop,
}

impl EarlyStopping {
    /// No evaluation yet.
    pub fn new(patience: usize, rule: PatienceRule) -> EarlyStopping {
        EarlyStopping { patience, rule, counted: Counted::default() }
    }

    /// The same, going on from what was counted before.
    pub(crate) fn going_on(self, counted: Counted) -> EarlyStopping {
        EarlyStopping { counted, ..self }
    }

    /// What it has counted so far.
    pub(crate) fn counted(&self) -> Counted {
        self.counted
    }

    /// The best value and its epoch (0 when nothing was ever better than 0).
    pub fn best(&self) -> (f64, usize) {
        (self.counted.best, self.counted.best_epoch)
    }

    /// Takes the value of an evaluation.
    pub fn observe(&mut self, epoch: usize, value: f64) -> StoppingDecision {
        if value > self.counted.best {
            self.counted = Counted { best: value, best_epoch: epoch, without: 0 };
            return StoppingDecision::Improved;
        }
        self.counted.without += 1;
        if self.is_over() { StoppingDecision::Stop } else { StoppingDecision::Patient }
    }

    /// Whether patience has ended.
    pub(crate) fn is_over(&self) -> bool {
        match self.rule {
            PatienceRule::Paper => self.counted.without >= self.patience,
            PatienceRule::Released => self.counted.without > self.patience,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stops_after(rule: PatienceRule) -> usize {
        let mut stopping = EarlyStopping::new(10, rule);
        assert_eq!(stopping.observe(1, 0.5), StoppingDecision::Improved);
        (2..).find(|&e| stopping.observe(e, 0.5) == StoppingDecision::Stop).unwrap() - 1
    }

    #[test]
    fn the_paper_stops_at_the_tenth_and_the_released_code_at_the_eleventh() {
        assert_eq!(stops_after(PatienceRule::Paper), 10);
        assert_eq!(stops_after(PatienceRule::Released), 11);
    }
}
