//! What is asked for.

use super::cells::Cell;
use super::facts::DataFacts;
use super::paper::{PaperAxis, PaperSearch, TableSpec};
use crate::search::Point;
use std::num::NonZero;
use std::path::PathBuf;

/// The first seed of every search: none of those that are reported.
pub const SEARCH_SEED: u64 = 100;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct ReproductionPlan<'p> {
    /// Which table.
    pub table: &'p TableSpec,
    /// Its cells.
    pub cells: Vec<Cell>,
    /// The data sets.
    pub data: Vec<DataFacts>,
    /// Seeds 1 to this.
    pub seeds: u64,
    /// A point of a search is measured by so many seeds, from [`SEARCH_SEED`] on: its value is their mean.
    pub search_seeds: NonZero<u64>,
    /// How far settings are searched.
    pub budget: &'p PaperSearch,
    /// Settings of the user's own, for every run; what they set is not searched.
    pub user: Point,
    /// Where everything goes.
    pub out: PathBuf,
}

impl<'p> ReproductionPlan<'p> {
    /// What is searched for a method, after the search before: what the budget has and the user has not set.
    pub fn axes(&self, method: &str) -> impl Iterator<Item = &'p PaperAxis> {
        let axes = self.budget.axes.get(method).into_iter().flatten();
        axes.filter(|axis| self.user.get(&axis.key).is_none())
    }

    /// The seeds that measure a point of a search.
    pub fn seeds_of_search(&self) -> Vec<u64> {
        (SEARCH_SEED..SEARCH_SEED + self.search_seeds.get()).collect()
    }
}
