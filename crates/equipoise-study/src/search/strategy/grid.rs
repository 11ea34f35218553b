//! Every combination.

use super::Strategy;
use crate::search::space::SPACE;
use crate::search::{Dimension, Proposal, Record, Space, TrialBudget, key_of};
use equipoise_data::FieldError;

/// All points of a finite space, in one batch.
pub struct Grid {
    space: Space,
    size: usize,
}

/// More points than any machine tries one after another.
const MOST: usize = 100_000;

impl Grid {
    /// The grid of a space.
    ///
    /// # Errors
    /// If a setting has a range of reals, or there are more than 100,000 points.
    pub fn new(space: Space) -> Result<Grid, FieldError> {
        let endless = space.dimensions().iter().find(|(_, d)| d.size().is_none());
        if let Some((key, Dimension::Range(range))) = endless {
            let expected = "a list of values, or a range with integer = true, as a grid needs a list";
            let error = FieldError::new(&key_of(key), range, expected);
            return Err(error.hint("or choose method = \"random\" or \"tpe\""));
        }
        match space.size() {
            Some(size) if size <= MOST => Ok(Grid { space, size }),
            _ => {
                let error = FieldError::missing(SPACE, format!("at most {MOST} combinations"));
                Err(error.hint("choose method = \"random\" or \"tpe\""))
            }
        }
    }
}

impl Strategy for Grid {
    fn next(&self, history: &[Record]) -> Vec<Proposal> {
        let all = if history.is_empty() { 0..self.size } else { 0..0 };
        let proposal = |number| Proposal {
            number,
            rung: 0,
            point: self.space.at(number),
            budget: TrialBudget::default(),
        };
        all.map(proposal).collect()
    }

    fn total(&self) -> usize {
        self.size
    }
}
