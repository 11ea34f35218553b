//! How points are chosen. A strategy is a pure function of its settings and of what is known: it proposes a
//! batch, and the next one once every record of the first is there. The records of a batch come in the order
//! of trial numbers whatever finished first, so nothing depends on time, on the number of jobs, or on whether
//! the search was interrupted in between.

mod coordinate;
mod grid;
mod halving;
mod random;
mod tpe;

pub use coordinate::Coordinate;
pub use grid::Grid;
pub use halving::{ETA, Halving, Rungs};
pub use random::Random;
pub use tpe::{Tpe, TpeConfig};

use crate::search::{Proposal, Record};

/// Chooses what to try next.
pub trait Strategy: Sync {
    /// The next batch, given the records of all earlier ones, in the order in which they were proposed; nothing
    /// when the search is over. Equal histories give equal batches.
    fn next(&self, history: &[Record]) -> Vec<Proposal>;

    /// How many evaluations the search has in all.
    fn total(&self) -> usize;
}
