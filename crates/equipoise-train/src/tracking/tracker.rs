//! What a tracker is, and how the register knows it.

use crate::role::Role;
use std::io;
use std::path::Path;

/// Takes the numbers of models.
pub trait Tracker: Send {
    /// The series of a model begin, or go on: what they have of this step and later ones is replaced.
    ///
    /// # Errors
    /// If they cannot be written.
    fn begin(&mut self, role: &Role, step: usize) -> io::Result<()>;

    /// The numbers of a step by their names.
    ///
    /// # Errors
    /// If they cannot be written.
    fn numbers(&mut self, step: usize, numbers: &[(String, f64)]) -> io::Result<()>;
}

/// A kind of tracker.
pub struct TrackerEntry {
    /// Its name before the colon.
    pub name: &'static str,
    /// What the place behind the colon is, and what is written.
    pub describe: &'static str,
    /// Makes one.
    pub open: fn(&Path) -> io::Result<Box<dyn Tracker>>,
}
