//! What became of the rows of a table.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What became of the rows that were read (of a table), or of the entries (of matrices and lists):
/// `read = kept + merged + sum of left_out`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowCounts {
    /// Rows read.
    pub read: usize,
    /// Distinct interactions of the data set.
    pub kept: usize,
    /// Rows of a user and an item that an earlier row has too.
    pub merged: usize,
    /// Rows left out, by reason.
    pub left_out: BTreeMap<String, usize>,
}

impl RowCounts {
    /// Counts a row that is read and left out.
    pub(crate) fn leave_out(&mut self, reason: impl Into<String>, rows: usize) {
        if rows > 0 {
            self.read += rows;
            *self.left_out.entry(reason.into()).or_default() += rows;
        }
    }

    /// Whether every row is accounted for.
    pub fn is_whole(&self) -> bool {
        self.read == self.kept + self.merged + self.left_out.values().sum::<usize>()
    }
}

impl fmt::Display for RowCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RowCounts { read, kept, merged, left_out } = self;
        write!(f, "{read} read = {kept} kept + {merged} merged with an equal one")?;
        left_out.iter().try_for_each(|(reason, rows)| write!(f, " + {rows} left out ({reason})"))
    }
}
