//! Feature matrices, one row per item.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

mod mapped;

use crate::attached::Attached;
use crate::missing::Missing;
use mapped::Mapped;

/// Why a matrix of features was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FeatureError {
    /// The number of values is not rows x width.
    #[error(
        "a matrix of {rows} rows x {width} columns holds {} values, found {found}",
        rows.saturating_mul(*width)
    )]
    Length {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        width: usize,
        /// Values given.
        found: usize,
    },
    /// No rows or no columns.
    #[error("a feature matrix needs at least one row and one column, found {rows} x {width}")]
    Empty {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        width: usize,
    },
    /// NaN or infinity among the values.
    #[error("row {row}, column {column} is {value}; {count} values in all are not finite")]
    NotFinite {
        /// First row with such a value.
        row: usize,
        /// Its column.
        column: usize,
        /// The value.
        value: f32,
        /// Number of such values.
        count: usize,
    },
}

/// A row-major `rows` x `width` matrix of finite `f32`, one row per item. Cloning is cheap.
///
/// The values lie in memory or in a file that is mapped into memory, of which the system reads what is looked
/// at. Either way they are one slice.
#[derive(Clone)]
pub struct Features {
    rows: usize,
    width: usize,
    values: Store,
    attached: Arc<Attached>,
}

/// Where the values are.
#[derive(Clone)]
enum Store {
    Owned(Arc<Vec<f32>>),
    Mapped(Arc<Mapped>),
}

impl Features {
    /// Takes over row-major values.
    ///
    /// # Errors
    /// [`FeatureError`] if the length is not `rows * width`, a dimension is 0 or a value is not finite.
    pub fn new(rows: usize, width: usize, values: Vec<f32>) -> Result<Features, FeatureError> {
        if rows.checked_mul(width) != Some(values.len()) {
            let found = values.len();
            return Err(FeatureError::Length { rows, width, found });
        }
        if values.is_empty() {
            return Err(FeatureError::Empty { rows, width });
        }
        check_finite(width, &values)?;
        let values = Store::Owned(Arc::new(values));
        Ok(Features { rows, width, values, attached: Arc::default() })
    }

    /// Maps the `rows * width` little-endian `f32` that start at byte `start` of `file`; `None` where this
    /// machine cannot use them in place (big-endian, or `start` is no multiple of 4).
    ///
    /// The values are not looked at: whoever wrote the file has seen to it that they are finite, and
    /// [`check_finite`](Self::check_finite) looks. The file must be replaced by renaming, never written in
    /// place, as long as the program runs.
    ///
    /// # Errors
    /// What the system reports, also if the file is too short.
    pub(crate) fn map(
        file: &File,
        start: u64,
        rows: usize,
        width: usize,
    ) -> std::io::Result<Option<Features>> {
        let length = rows.checked_mul(width).ok_or(std::io::ErrorKind::InvalidData)?;
        let mapped = Mapped::new(file, start, length)?;
        let of = |values| Features { rows, width, values, attached: Arc::default() };
        Ok(mapped.map(|values| of(Store::Mapped(Arc::new(values)))))
    }

    /// Looks at every value.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`] with the place of the first that is not finite.
    pub fn check_finite(&self) -> Result<(), FeatureError> {
        check_finite(self.width, self.values())
    }

    /// Whether the values lie in a mapped file.
    pub fn is_mapped(&self) -> bool {
        matches!(self.values, Store::Mapped(_))
    }

    /// Number of items.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of values per item.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Features of item `i`.
    ///
    /// # Panics
    /// If `i` is not below [`rows`](Self::rows).
    #[inline]
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values()[i * self.width..(i + 1) * self.width]
    }

    /// All values, row after row.
    #[inline]
    pub fn values(&self) -> &[f32] {
        match &self.values {
            Store::Owned(values) => values,
            Store::Mapped(values) => values.as_slice(),
        }
    }

    /// What is kept with the matrix; its clones share it.
    pub fn attached(&self) -> &Attached {
        &self.attached
    }

    /// Mean row over the catalogue, length [`width`](Self::width): what an ablated item is given.
    ///
    /// Summed in `f64` in the order of the rows, hence the same on every machine.
    pub fn mean(&self) -> Vec<f32> {
        let mut sums = vec![0f64; self.width];
        for row in self.values().chunks_exact(self.width) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += f64::from(value);
            }
        }
        let rows = self.rows as f64;
        sums.into_iter().map(|sum| (sum / rows) as f32).collect()
    }

    /// Number of rows that are zero throughout: items that most likely lack this modality.
    pub fn zero_rows(&self) -> usize {
        let rows = self.values().chunks_exact(self.width);
        rows.filter(|row| is_zero(row)).count()
    }

    /// Number of rows equal to an earlier row, zero rows left out: items that share a picture
    /// or a text, or that were filled in.
    pub fn duplicate_rows(&self) -> usize {
        let mut seen: HashMap<[u8; 32], ()> = HashMap::with_capacity(self.rows);
        let mut bytes = Vec::with_capacity(self.width * 4);
        let mut repeats = 0;
        for row in self.values().chunks_exact(self.width).filter(|r| !is_zero(r)) {
            bytes.clear();
            // Adding 0 turns -0 into +0: equal rows have equal bytes.
            bytes.extend(row.iter().flat_map(|v| (v + 0.0).to_le_bytes()));
            let hash = *blake3::hash(&bytes).as_bytes();
            repeats += usize::from(seen.insert(hash, ()).is_some());
        }
        repeats
    }

    /// Smallest and largest value.
    pub fn range(&self) -> (f32, f32) {
        let start = (f32::INFINITY, f32::NEG_INFINITY);
        let values = self.values().iter();
        values.fold(start, |(low, high), &v| (low.min(v), high.max(v)))
    }
}

impl PartialEq for Features {
    fn eq(&self, other: &Self) -> bool {
        (self.rows, self.width) == (other.rows, other.width) && self.values() == other.values()
    }
}

impl std::fmt::Debug for Features {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Features({} x {})", self.rows, self.width)
    }
}

/// A named kind of content, e.g. `image` or `text`, with the features of every item.
#[derive(Clone, Debug, PartialEq)]
pub struct Modality {
    /// Name, as in the file: `image_feat.npy` gives `image`.
    pub name: String,
    /// One row per item.
    pub features: Features,
    /// The items that lack it, if that is known: `image_missing.json`.
    pub missing: Option<Missing>,
}

impl Modality {
    /// A modality of which nothing is known to be missing.
    pub fn new(name: impl Into<String>, features: Features) -> Modality {
        Modality { name: name.into(), features, missing: None }
    }
}

fn is_zero(row: &[f32]) -> bool {
    row.iter().all(|&v| v == 0.0)
}

fn check_finite(width: usize, values: &[f32]) -> Result<(), FeatureError> {
    let Some(first) = values.iter().position(|v| !v.is_finite()) else {
        return Ok(());
    };
    Err(FeatureError::NotFinite {
        row: first / width,
        column: first % width,
        value: values[first],
        count: values[first..].iter().filter(|v| !v.is_finite()).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_value_is_located_and_all_are_counted() {
        let values = vec![0.0, 1.0, 2.0, 3.0, f32::NAN, f32::INFINITY];
        let error = Features::new(3, 2, values).expect_err("two values are not finite");
        let message = error.to_string();
        assert!(message.contains("row 2, column 0 is NaN; 2 values"), "{message}");
    }

    #[test]
    fn lengths_and_empty_shapes_are_refused() {
        assert!(matches!(Features::new(2, 3, vec![0.0; 5]), Err(FeatureError::Length { .. })));
        assert!(matches!(Features::new(0, 3, vec![]), Err(FeatureError::Empty { .. })));
        let huge = Features::new(usize::MAX, 2, vec![0.0]);
        assert!(huge.expect_err("no such matrix").to_string().contains("found 1"));
    }

    #[test]
    fn zero_rows_and_repeated_rows_are_counted_apart() {
        let values = vec![0., 0., 1., 2., 0., -0., 1., 2., 1., 2., 2., 1.];
        let features = Features::new(6, 2, values).expect("finite");
        assert_eq!(features.zero_rows(), 2);
        assert_eq!(features.duplicate_rows(), 2);
    }

    #[test]
    fn the_mean_is_summed_in_double_precision() {
        // In f32, 2^24 + 1 is 2^24: a naive sum would lose every one of the small rows.
        let mut values = vec![16_777_216.0];
        values.extend([1.0; 7]);
        let features = Features::new(8, 1, values).expect("finite");
        assert_eq!(features.mean(), [(16_777_223.0f64 / 8.0) as f32]);
    }
}
