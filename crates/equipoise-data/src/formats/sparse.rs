//! Sparse matrices as `scipy.sparse.save_npz` writes them: CSR, CSC and COO.

use std::path::Path;

use super::npy::npy_error;
use super::npy_header::Fault;
use super::npz::Npz;
use crate::error::DataError;
use crate::quoted::quoted;

/// The entries of a matrix that are positives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sparse {
    /// Rows: users.
    pub(crate) rows: u32,
    /// Columns: items.
    pub(crate) columns: u32,
    /// Row and column of every positive, in the order of the file.
    pub(crate) pairs: Vec<(u32, u32)>,
    /// Stored entries that are none.
    pub(crate) left_out: LeftOut,
}

/// Stored entries that are no positives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Entries of 0.
    pub(crate) zeros: usize,
    /// Entries of less than 0.
    pub(crate) negative: usize,
    /// Entries of more than 0, but less than the threshold.
    pub(crate) below: usize,
    /// Entries that are no number.
    pub(crate) nan: usize,
}

impl LeftOut {
    /// Whether a value is a positive: more than 0, or at least `least` if that is given.
    fn keeps(&mut self, value: f64, least: Option<f64>) -> bool {
        let positive = least.map_or(value > 0.0, |least| value >= least);
        if !positive {
            let count = match value {
                _ if value.is_nan() => &mut self.nan,
                0.0 => &mut self.zeros,
                _ if value < 0.0 => &mut self.negative,
                _ => &mut self.below,
            };
            *count += 1;
        }
        positive
    }
}

const AGAIN: &str = "write it again with scipy.sparse.save_npz";
const CONVERT: &str = "save matrix.tocsr() with scipy.sparse.save_npz";

/// Reads a matrix; `least` is the least value of a positive.
///
/// # Errors
/// [`DataError::Npy`] for anything that is no such archive, with the array and the byte.
pub(crate) fn read(file: &Path, least: Option<f64>) -> Result<Sparse, DataError> {
    let npz = Npz::open(file)?;
    let (rows, columns) = shape(&npz)?;
    let layout = npz.read("format", |array| array.texts())?;
    let entries = match layout.first().map(String::as_str) {
        Some("csr") => compressed(&npz, rows, columns)?,
        Some("csc") => compressed(&npz, columns, rows)?.into_iter().map(|(c, r)| (r, c)).collect(),
        Some("coo") => coordinates(&npz, rows, columns)?,
        other => {
            let found = other.unwrap_or("nothing");
            let problem = format!("expected format csr, csc or coo, found {}", quoted(found));
            return Err(npy_error(file, (0, problem, CONVERT)));
        }
    };
    let values = npz.read("data", |array| array.numbers())?;
    if values.len() != entries.len() {
        return Err(npz.fault("data", lengths(entries.len(), values.len())));
    }
    if let Some(place) = values.iter().position(|value| value.is_infinite()) {
        let problem = format!("value {place} is {}, expected finite numbers", values[place]);
        return Err(npz.fault("data", (0, problem, "correct it and save the matrix again")));
    }
    let mut left_out = LeftOut::default();
    let kept = entries.into_iter().zip(values).filter(|&(_, value)| left_out.keeps(value, least));
    let pairs = kept.map(|(pair, _)| pair).collect();
    Ok(Sparse { rows, columns, pairs, left_out })
}

fn shape(npz: &Npz) -> Result<(u32, u32), DataError> {
    let shape = npz.read("shape", |array| array.integers())?;
    let size = |n: i64| u32::try_from(n).ok().filter(|&n| n > 0);
    match shape[..] {
        [rows, columns] => size(rows).zip(size(columns)),
        _ => None,
    }
    .ok_or_else(|| {
        let problem = format!("expected users x items, both from 1 to {}, found {shape:?}", u32::MAX);
        npz.fault("shape", (0, problem, AGAIN))
    })
}

fn lengths(expected: usize, found: usize) -> Fault {
    (0, format!("{found} values, expected {expected} as the other arrays have"), AGAIN)
}

/// The entries of compressed rows as (row, index).
fn compressed(npz: &Npz, rows: u32, columns: u32) -> Result<Vec<(u32, u32)>, DataError> {
    let bounds = npz.read("indptr", |array| array.vector().and_then(|_| array.integers()))?;
    let indices = indices(npz, "indices", columns)?;
    let ends = (bounds.first(), bounds.last());
    let sound = bounds.len() as u64 == u64::from(rows) + 1
        && ends == (Some(&0), Some(&(indices.len() as i64)))
        && bounds.is_sorted();
    if !sound {
        let problem =
            format!("expected {} ascending bounds from 0 to {}", u64::from(rows) + 1, indices.len());
        return Err(npz.fault("indptr", (0, problem, AGAIN)));
    }
    let rows = bounds.windows(2).zip(0u32..);
    let entries = rows.flat_map(|(bound, row)| {
        indices[bound[0] as usize..bound[1] as usize].iter().map(move |&index| (row, index))
    });
    Ok(entries.collect())
}

fn coordinates(npz: &Npz, rows: u32, columns: u32) -> Result<Vec<(u32, u32)>, DataError> {
    let (row, column) = (indices(npz, "row", rows)?, indices(npz, "col", columns)?);
    if row.len() != column.len() {
        return Err(npz.fault("col", lengths(row.len(), column.len())));
    }
    Ok(row.into_iter().zip(column).collect())
}

/// Indices below `bound`.
fn indices(npz: &Npz, name: &str, bound: u32) -> Result<Vec<u32>, DataError> {
    let values = npz.read(name, |array| array.vector().and_then(|_| array.integers()))?;
    let index = |(n, value): (usize, i64)| {
        u32::try_from(value).ok().filter(|&v| v < bound).ok_or_else(|| {
            let problem = format!("entry {n} is {value}, expected 0..={}", bound - 1);
            npz.fault(name, (0, problem, AGAIN))
        })
    };
    values.into_iter().enumerate().map(index).collect()
}
