//! Features as a source gives them: rows, each with its id or in an order.

use std::collections::HashSet;
use std::path::Path;

use super::npy::new_features;
use crate::error::DataError;
use crate::features::Features;
use crate::quoted::quoted;

/// Features as they were found.
#[derive(Debug)]
pub(crate) struct FeatureRows {
    /// The raw id of each row; `None` for the order of the items.
    pub(crate) ids: Option<Vec<String>>,
    pub(crate) features: Features,
    /// Type in the file.
    pub(crate) dtype: &'static str,
    /// What was guessed, a sentence each.
    pub(crate) notes: Vec<String>,
}

impl FeatureRows {
    /// Rows of which nothing was guessed.
    pub(super) fn new(ids: Option<Vec<String>>, features: Features, dtype: &'static str) -> FeatureRows {
        FeatureRows { ids, features, dtype, notes: Vec::new() }
    }
}

/// Rows of one width, each with its id.
pub(super) struct Collector<'a> {
    path: &'a Path,
    ids: Vec<String>,
    seen: HashSet<String>,
    width: usize,
    values: Vec<f32>,
    /// Type in the file.
    pub(super) dtype: &'static str,
}

impl<'a> Collector<'a> {
    pub(super) fn new(path: &'a Path) -> Self {
        Collector {
            path,
            ids: Vec::new(),
            seen: HashSet::new(),
            width: 0,
            values: Vec::new(),
            dtype: "float32",
        }
    }

    /// Takes a row in.
    ///
    /// # Errors
    /// If it has another width than the first, or its id was there.
    pub(super) fn push(&mut self, id: String, row: &[f32]) -> Result<(), DataError> {
        if self.ids.is_empty() {
            self.width = row.len();
        }
        let problem = match (row.len() == self.width, self.seen.insert(id.clone())) {
            (true, true) => {
                self.ids.push(id);
                self.values.extend(row);
                return Ok(());
            }
            (false, _) => {
                format!("{} values, expected {} as the others have; encode it again", row.len(), self.width)
            }
            (_, false) => "the id occurs twice; remove one of them".into(),
        };
        Err(DataError::Entry { file: self.path.to_owned(), place: format!("item {}", quoted(&id)), problem })
    }

    /// The rows as one matrix.
    ///
    /// # Errors
    /// If there is none, or a value is not finite.
    pub(super) fn finish(self) -> Result<FeatureRows, DataError> {
        let features = new_features(self.path, self.ids.len(), self.width, self.values)?;
        Ok(FeatureRows::new(Some(self.ids), features, self.dtype))
    }
}
