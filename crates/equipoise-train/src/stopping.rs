//! When training stops.

use crate::config::PatienceRule;
pub use equipoise_jobs::StopFlag;

/// Counts evaluations without improvement. An improvement is strict; the first value to beat is 0.
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    patience: usize,
    rule: PatienceRule,
    best: f64,
    best_epoch: usize,
    without: usize,
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
        EarlyStopping { patience, rule, best: 0.0, best_epoch: 0, without: 0 }
    }

    /// The best value and its epoch (0 when nothing was ever better than 0).
    pub fn best(&self) -> (f64, usize) {
        (self.best, self.best_epoch)
    }

    /// Takes the value of an evaluation.
    pub fn observe(&mut self, epoch: usize, value: f64) -> StoppingDecision {
        if value > self.best {
            (self.best, self.best_epoch, self.without) = (value, epoch, 0);
            return StoppingDecision::Improved;
        }
        self.without += 1;
        let stop = match self.rule {
            PatienceRule::Paper => self.without >= self.patience,
            PatienceRule::Released => self.without > self.patience,
        };
        if stop { StoppingDecision::Stop } else { StoppingDecision::Patient }
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
