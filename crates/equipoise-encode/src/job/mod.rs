//! Encoding the items of a data set: batches in a fixed order, on every thread, kept as they are done.

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
pub(crate) use run::{Job, Prepared, run};
pub(crate) use store::Store;

/// What turns the content of items into rows of features.
pub(crate) trait Encoder: Sync {
    /// The content of one item, ready to be encoded: token ids, the path of a picture.
    type Input: Sync;

    /// Columns of the features.
    fn width(&self) -> usize;

    /// Encodes a batch on the calling thread: row `k` of `out` (`batch.len() x width`) for input `k`. The result of a
    /// batch depends on the batch alone. Inputs that cannot be read are returned, and their rows are not looked at.
    fn encode(&self, batch: &[Self::Input], out: &mut [f32]) -> Vec<Broken>;
}

/// An input that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Broken {
    /// Its place in the batch.
    pub(crate) place: usize,
    /// What is wrong with it.
    pub(crate) reason: String,
}
