//! Feature matrices, one row per item.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

mod mapped;

pub use half::f16;

use crate::device_cache::DeviceCache;
use crate::mean_row::MeanRow;
use crate::missing::Missing;
use equipoise_kernels::features::{FeatureRows, FeatureValues, SingleOrHalf};
use half::slice::HalfFloatSliceExt;
use mapped::{Mapped, Plain};

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

/// A row-major `rows` x `width` matrix of finite numbers, one row per item. Cloning is cheap.
///
/// The values lie in memory or in a file that is mapped into memory, of which the system reads what is looked
/// at; as float32, or as float16 where they came so, which takes half the memory. A float16 is an `f32` exactly:
/// how a matrix is stored changes no result.
#[derive(Clone)]
pub struct Features {
    rows: usize,
    width: usize,
    values: SingleOrHalf<Storage<f32>, Storage<f16>>,
    origin: Option<blake3::Hash>,
    device_cache: Arc<DeviceCache>,
}

/// Where the values are: in memory, or in a mapped file.
enum Storage<T> {
    Owned(Arc<Vec<T>>),
    Mapped(Arc<Mapped<T>>),
}

impl<T> Clone for Storage<T> {
    fn clone(&self) -> Self {
        match self {
            Storage::Owned(values) => Storage::Owned(values.clone()),
            Storage::Mapped(values) => Storage::Mapped(values.clone()),
        }
    }
}

impl<T: Plain> Storage<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Storage::Owned(values) => values,
            Storage::Mapped(values) => values.as_slice(),
        }
    }
}

/// Rows that are converted at a time where all are looked at.
const BLOCK: usize = 256;

impl Features {
    /// Takes over row-major values.
    ///
    /// # Errors
    /// [`FeatureError`] if the length is not `rows * width`, a dimension is 0 or a value is not finite.
    pub fn new(rows: usize, width: usize, values: Vec<f32>) -> Result<Features, FeatureError> {
        check_shape(rows, width, values.len())?;
        Features::checked(rows, width, SingleOrHalf::Single(Storage::Owned(Arc::new(values))))
    }

    /// Takes over row-major values of half the size, and keeps them so.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_half(rows: usize, width: usize, values: Vec<f16>) -> Result<Features, FeatureError> {
        check_shape(rows, width, values.len())?;
        Features::checked(rows, width, SingleOrHalf::Half(Storage::Owned(Arc::new(values))))
    }

    fn checked(
        rows: usize,
        width: usize,
        values: SingleOrHalf<Storage<f32>, Storage<f16>>,
    ) -> Result<Features, FeatureError> {
        let features = Features { rows, width, values, origin: None, device_cache: Arc::default() };
        features.check_finite()?;
        Ok(features)
    }

    /// Maps the `rows * width` little-endian `f32` that start at byte `start` of `file`, or as many `f16`;
    /// `None` where this machine cannot use them in place (big-endian, or `start` is no multiple of their size).
    ///
    /// The values are not looked at, and may be no numbers: [`check_finite`](Self::check_finite) looks. The file must be replaced by renaming, never written in
    /// place, as long as the program runs.
    ///
    /// # Errors
    /// What the system reports, also if the file is too short.
    pub(crate) fn map(
        file: &File,
        start: u64,
        rows: usize,
        width: usize,
        half: bool,
    ) -> std::io::Result<Option<Features>> {
        let length = rows.checked_mul(width).ok_or(std::io::ErrorKind::InvalidData)?;
        let values = if half {
            mapped(file, start, length)?.map(SingleOrHalf::Half)
        } else {
            mapped(file, start, length)?.map(SingleOrHalf::Single)
        };
        Ok(values.map(|values| Features { rows, width, values, origin: None, device_cache: Arc::default() }))
    }

    /// These features, known by what they were computed from: `source` at the scale of this name. Their last bits depend on the
    /// kind of processor, and a run that is moved has to find its data again.
    pub(crate) fn computed_from(self, source: &Features, scale: &str) -> Features {
        let mut hasher = blake3::Hasher::new();
        hasher.update(scale.as_bytes());
        source.hash_into(&mut hasher);
        Features { origin: Some(hasher.finalize()), ..self }
    }

    /// Adds what these features are known by: their shape, and their values or what they were computed from.
    pub(crate) fn hash_into(&self, hasher: &mut blake3::Hasher) {
        for n in [self.rows, self.width] {
            hasher.update(&(n as u64).to_le_bytes());
        }
        match self.origin {
            Some(origin) => drop(hasher.update(origin.as_bytes())),
            None => self.blocks().for_each(|(_, values)| hash_values(hasher, &values)),
        }
    }

    /// These features, known by their values: as they are when they are read from a file.
    pub fn by_value(self) -> Features {
        Features { origin: None, ..self }
    }

    /// Looks at every value.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`] with the place of the first that is not finite.
    pub fn check_finite(&self) -> Result<(), FeatureError> {
        let sound = match self.stored() {
            SingleOrHalf::Single(values) => values.chunks(BLOCK).all(all_finite),
            SingleOrHalf::Half(values) => values.chunks(BLOCK).all(all_finite),
        };
        if sound { Ok(()) } else { self.first_not_finite() }
    }

    fn first_not_finite(&self) -> Result<(), FeatureError> {
        let (mut first, mut count) = (None, 0);
        for (start, values) in self.blocks() {
            for (place, &value) in values.iter().enumerate().filter(|(_, v)| !v.is_finite()) {
                first.get_or_insert((start + place / self.width, place % self.width, value));
                count += 1;
            }
        }
        match first {
            Some((row, column, value)) => Err(FeatureError::NotFinite { row, column, value, count }),
            None => Ok(()),
        }
    }

    /// Whether the values lie in a mapped file.
    pub fn is_mapped(&self) -> bool {
        matches!(
            self.values,
            SingleOrHalf::Single(Storage::Mapped(_)) | SingleOrHalf::Half(Storage::Mapped(_))
        )
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
    pub fn row(&self, i: usize) -> Cow<'_, [f32]> {
        self.rows_in(i..i + 1)
    }

    /// Features of the items in `range`, row after row: where they lie, or converted from float16.
    ///
    /// # Panics
    /// If the range does not lie within the [`rows`](Self::rows).
    pub fn rows_in(&self, range: Range<usize>) -> Cow<'_, [f32]> {
        let range = range.start * self.width..range.end * self.width;
        match self.stored() {
            SingleOrHalf::Single(values) => Cow::Borrowed(&values[range]),
            SingleOrHalf::Half(values) => Cow::Owned(values[range].to_f32_vec()),
        }
    }

    /// Calls `look` with every row in order.
    pub fn each_row(&self, mut look: impl FnMut(&[f32])) {
        self.blocks().for_each(|(_, values)| values.chunks_exact(self.width).for_each(&mut look));
    }

    /// Blocks of rows in order, each after the number of its first row: never much is converted at a time.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (usize, Cow<'_, [f32]>)> {
        let starts = (0..self.rows).step_by(BLOCK);
        starts.map(|start| (start, self.rows_in(start..self.rows.min(start + BLOCK))))
    }

    /// All values, row after row: where they lie, or a copy converted from float16.
    #[inline]
    pub fn values(&self) -> Cow<'_, [f32]> {
        self.rows_in(0..self.rows)
    }

    /// All values, row after row, where they are stored as float32.
    pub fn single(&self) -> Option<&[f32]> {
        match &self.values {
            SingleOrHalf::Single(values) => Some(values.as_slice()),
            SingleOrHalf::Half(_) => None,
        }
    }

    /// All values as they are stored.
    #[inline]
    pub fn stored(&self) -> FeatureValues<'_> {
        match &self.values {
            SingleOrHalf::Single(values) => SingleOrHalf::Single(values.as_slice()),
            SingleOrHalf::Half(values) => SingleOrHalf::Half(values.as_slice()),
        }
    }

    /// The matrix as the kernels read it.
    #[inline]
    pub fn as_rows(&self) -> FeatureRows<'_> {
        FeatureRows { values: self.stored(), width: self.width }
    }

    /// Copies of the matrix on devices; clones of the matrix share them.
    pub fn device_cache(&self) -> &DeviceCache {
        &self.device_cache
    }

    /// Mean row over the catalogue, length [`width`](Self::width): what an ablated item is given.
    ///
    /// Summed in `f64` in the order of the rows, hence the same on every machine.
    pub fn mean(&self) -> Vec<f32> {
        let mut mean = MeanRow::new(self.width);
        self.each_row(|row| mean.add(row));
        mean.mean().expect("features have at least one row")
    }

    /// Number of rows that are zero throughout: items that most likely lack this modality.
    pub fn zero_rows(&self) -> usize {
        let mut count = 0;
        self.each_row(|row| count += usize::from(is_zero(row)));
        count
    }

    /// Number of rows equal to an earlier row, zero rows left out: items that share a picture
    /// or a text, or that were filled in.
    pub fn duplicate_rows(&self) -> usize {
        let mut seen: HashMap<[u8; 32], ()> = HashMap::with_capacity(self.rows);
        let mut bytes = Vec::with_capacity(self.width * 4);
        let mut repeats = 0;
        self.each_row(|row| {
            if is_zero(row) {
                return;
            }
            bytes.clear();
            // Adding 0 turns -0 into +0: equal rows have equal bytes.
            bytes.extend(row.iter().flat_map(|v| (v + 0.0).to_le_bytes()));
            let hash = *blake3::hash(&bytes).as_bytes();
            repeats += usize::from(seen.insert(hash, ()).is_some());
        });
        repeats
    }

    /// Whether several rows are all the same: such features tell no item from another.
    pub fn tell_nothing_apart(&self) -> bool {
        let first = self.row(0);
        self.rows > 1 && (1..self.rows).all(|row| self.row(row) == first)
    }

    /// Smallest and largest value.
    pub fn range(&self) -> (f32, f32) {
        let mut range = (f32::INFINITY, f32::NEG_INFINITY);
        self.each_row(|row| range = row.iter().fold(range, |(low, high), &v| (low.min(v), high.max(v))));
        range
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

/// Maps `length` numbers of `file`, if this machine can read them in place.
fn mapped<T: Plain>(file: &File, start: u64, length: usize) -> std::io::Result<Option<Storage<T>>> {
    Ok(Mapped::new(file, start, length)?.map(|values| Storage::Mapped(Arc::new(values))))
}

/// Whether every value is finite; without a branch, so that it runs as fast as memory is read.
fn all_finite<T: Plain>(values: &[T]) -> bool {
    values.iter().fold(true, |finite, &value| finite & value.is_number())
}

fn hash_values(hasher: &mut blake3::Hasher, values: &[f32]) {
    let mut bytes = Vec::with_capacity(4 << 14);
    for piece in values.chunks(1 << 14) {
        bytes.clear();
        bytes.extend(piece.iter().flat_map(|v| v.to_le_bytes()));
        hasher.update(&bytes);
    }
}

fn is_zero(row: &[f32]) -> bool {
    row.iter().all(|&v| v == 0.0)
}

fn check_shape(rows: usize, width: usize, found: usize) -> Result<(), FeatureError> {
    if rows.checked_mul(width) != Some(found) {
        Err(FeatureError::Length { rows, width, found })
    } else if found == 0 {
        Err(FeatureError::Empty { rows, width })
    } else {
        Ok(())
    }
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
    fn rows_that_are_all_the_same_tell_nothing_apart() {
        let told = |rows, values: &[f32]| {
            Features::new(rows, 2, values.to_vec()).expect("finite").tell_nothing_apart()
        };
        assert!(told(3, &[1.0, 2.0, 1.0, 2.0, 1.0, 2.0]) && told(2, &[0.0, -0.0, 0.0, 0.0]));
        assert!(!told(3, &[1.0, 2.0, 1.0, 2.0, 1.0, 2.5]) && !told(1, &[1.0, 2.0]));
    }

    #[test]
    fn the_mean_is_summed_in_double_precision() {
        // In f32, 2^24 + 1 is 2^24: a naive sum would lose every one of the small rows.
        let mut values = vec![16_777_216.0];
        values.extend([1.0; 7]);
        let features = Features::new(8, 1, values).expect("finite");
        assert_eq!(features.mean(), [(16_777_223.0f64 / 8.0) as f32]);
    }

    #[test]
    fn half_precision_changes_the_memory_and_nothing_else() {
        let values: Vec<f32> = (0..600 * 3).map(|k| (k as f32 - 700.0) / 16.0).collect();
        let halves = values.iter().map(|&v| f16::from_f32(v)).collect();
        let (single, half) = (
            Features::new(600, 3, values).expect("finite"),
            Features::from_half(600, 3, halves).expect("finite"),
        );
        assert!(matches!(half.stored(), SingleOrHalf::Half(stored) if stored.len() == 1800));
        assert_eq!(single, half);
        assert_eq!((single.mean(), single.range()), (half.mean(), half.range()));
        assert_eq!(single.rows_in(255..258), half.rows_in(255..258));
        let broken = [f16::ONE, f16::NAN, f16::INFINITY].to_vec();
        let message = Features::from_half(3, 1, broken).expect_err("not finite").to_string();
        assert!(message.contains("row 1, column 0 is NaN; 2 values"), "{message}");
    }
}
