//! Encoding the items of a data set: batches in a fixed order, on every thread, kept as they are done.

use std::fmt::Display;
use std::path::Path;

use serde::{Deserialize, Serialize};

mod output;
mod plan;
mod report;
mod run;
mod store;

pub(crate) use output::{Memory, Place};
pub(crate) use plan::{batches, key};
pub(crate) use report::VERSION;
pub use report::{BrokenItem, EncodeProgress, EncodeReport, HashedFile};
pub(crate) use run::{Job, Prepared, run, there_already};
pub(crate) use store::Store;

/// What turns the content of items into rows of features.
pub(crate) trait Encoder: Sync {
    /// The content of one item, ready to be encoded: token ids, the path of a picture.
    type Input: Sync;

    /// Columns of the features.
    fn width(&self) -> usize;

    /// Encodes a batch on the calling thread: row `k` of `out` (`batch.len() x width`) for input `k`. The result of a
    /// batch depends on the batch alone. What must be said of inputs is returned; the rows of broken ones are not looked at.
    fn encode(&self, batch: &[Self::Input], out: &mut [f32]) -> Vec<Remark>;
}

/// What must be said of an input, by its place in the batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Remark {
    /// It could not be read.
    Broken { place: usize, reason: String },
    /// Its row is of its beginning alone.
    Cut { place: usize },
}

impl Remark {
    /// A file that could not be read.
    pub(crate) fn broken_file(place: usize, path: &Path, fault: impl Display) -> Remark {
        Remark::Broken { place, reason: format!("{}: {fault}", path.display()) }
    }
}
