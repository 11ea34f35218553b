//! Feature matrices from NumPy `.npy` files.
//!
//! float16, float32 and float64, little-endian, in row order or column ("Fortran") order, become
//! row-major `f32`; float16 in row order stay as they are, and take half the memory. The file is read in pieces
//! straight into the matrix: the peak is the matrix and one small buffer. Nothing is allocated before the size
//! claimed by the header has been compared with the size of the file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::npy_header::{self, DType, Header};
use crate::atomic::write_atomic;
use crate::error::DataError;
use crate::features::{FeatureError, Features};
use equipoise_kernels::features::SingleOrHalf;

/// Values converted at a time.
const PIECE: usize = 1 << 16;

/// Reads a matrix of features; the second value names the type in the file.
///
/// # Errors
/// [`DataError`] naming the byte for a damaged file, or row and column of the first value that
/// is not a finite `f32`.
pub fn read_npy(file: &Path) -> Result<(Features, &'static str), DataError> {
    let (mut input, header) = open(file)?;
    read_matrix(file, &mut input, &header)
}

/// Maps a float32 or float16 matrix in row order into memory without looking at its values; reads any other.
///
/// # Errors
/// As [`read_npy`]; values that are not finite are found only where the matrix was read, and are the caller's to look for.
pub(crate) fn map_npy(file: &Path) -> Result<(Features, &'static str), DataError> {
    let (mut input, header) = open(file)?;
    if header.dtype != DType::F64 && !header.fortran {
        let half = header.dtype == DType::F16;
        let mapped = Features::map(&input, header.data_start, header.rows, header.width, half);
        if let Some(features) = mapped.map_err(DataError::io(file))? {
            return Ok((features, header.dtype.name()));
        }
    }
    read_matrix(file, &mut input, &header)
}

/// The file at its first value, and its header, whose claims are true.
fn open(file: &Path) -> Result<(File, Header), DataError> {
    let mut input = File::open(file).map_err(DataError::io(file))?;
    let header = read_header(file, &mut input)?;
    check_length(file, &input, &header)?;
    Ok((input, header))
}

/// Reads the values that follow a header.
///
/// # Errors
/// As [`read_npy`].
pub(crate) fn read_matrix(
    file: &Path,
    input: &mut impl Read,
    header: &Header,
) -> Result<(Features, &'static str), DataError> {
    let (rows, width) = (header.rows, header.width);
    let features = if header.dtype == DType::F16 && !header.fortran {
        let read = Features::from_half(rows, width, read_halves(file, input, header)?);
        read.map_err(|error| feature_error(file, error))?
    } else {
        new_features(file, rows, width, read_values(file, input, header)?)?
    };
    Ok((features, header.dtype.name()))
}

/// Features from a file's values.
///
/// # Errors
/// What [`Features::new`] refuses, as a fault of the file.
pub(crate) fn new_features(
    file: &Path,
    rows: usize,
    width: usize,
    values: Vec<f32>,
) -> Result<Features, DataError> {
    Features::new(rows, width, values).map_err(|error| feature_error(file, error))
}

pub(crate) fn feature_error(file: &Path, error: FeatureError) -> DataError {
    match error {
        FeatureError::NotFinite { row, column, value, count } => {
            let file = file.to_owned();
            DataError::NotFinite { file, row, column, value, count }
        }
        other => npy_error(file, (0, other.to_string(), "write the file again")),
    }
}

/// Writes features as a float32 `.npy` in row order, atomically.
///
/// # Errors
/// [`DataError::Io`] if the file cannot be written.
pub fn write_npy(file: &Path, features: &Features) -> Result<(), DataError> {
    write_atomic(file, |out| {
        out.write_all(&float32_header(features.rows(), features.width()))?;
        let mut blocks = features.blocks();
        blocks.try_for_each(|(_, values)| values.iter().try_for_each(|v| out.write_all(&v.to_le_bytes())))
    })
    .map_err(DataError::io(file))
}

/// As [`write_npy`], but float16 stay float16.
///
/// # Errors
/// [`DataError::Io`] if the file cannot be written.
pub fn write_npy_as_stored(file: &Path, features: &Features) -> Result<(), DataError> {
    let SingleOrHalf::Half(values) = features.stored() else {
        return write_npy(file, features);
    };
    write_atomic(file, |out| {
        out.write_all(&matrix_header("<f2", features.rows(), features.width()))?;
        values.iter().try_for_each(|v| out.write_all(&v.to_le_bytes()))
    })
    .map_err(DataError::io(file))
}

/// What stands before the values of a float32 matrix in row order.
pub fn float32_header(rows: usize, width: usize) -> Vec<u8> {
    matrix_header("<f4", rows, width)
}

/// What stands before the values of a matrix of NumPy's type `descr` in row order.
pub fn matrix_header(descr: &str, rows: usize, width: usize) -> Vec<u8> {
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {width}), }}");
    // The values start at a multiple of 64; a newline ends the header.
    let padding = 63 - (10 + text.len()) % 64;
    text.extend(std::iter::repeat_n(' ', padding));
    text.push('\n');
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
}

pub(crate) fn npy_error(file: &Path, (byte, problem, remedy): npy_header::Fault) -> DataError {
    let file = file.to_owned();
    DataError::Npy { file, byte, problem, remedy }
}

fn read_header(file: &Path, input: &mut File) -> Result<Header, DataError> {
    let mut start = Vec::new();
    let limit = npy_header::needed() as u64;
    input.take(limit).read_to_end(&mut start).map_err(DataError::io(file))?;
    let header = npy_header::parse(&start).map_err(|fault| npy_error(file, fault))?;
    let seek = input.seek(SeekFrom::Start(header.data_start));
    seek.map_err(DataError::io(file))?;
    Ok(header)
}

/// The file must hold exactly the values that the header promises.
fn check_length(file: &Path, input: &File, header: &Header) -> Result<(), DataError> {
    let length = input.metadata().map_err(DataError::io(file))?.len();
    let bytes = (header.rows * header.width * header.dtype.size()) as u64;
    let expected = header.data_start.saturating_add(bytes);
    if length == expected {
        return Ok(());
    }
    let (rows, width, dtype) = (header.rows, header.width, header.dtype.name());
    let what = format!("{rows} x {width} {dtype} values end at byte {expected}");
    let (byte, problem) = if length < expected {
        (length, format!("the file is cut short: {what}, the file at {length}"))
    } else {
        (expected, format!("{} bytes too many: {what}, the file at {length}", length - expected))
    };
    Err(npy_error(file, (byte, problem, "copy the file again")))
}

/// A matrix full of `zero`, if there is memory for it.
fn room<T: Clone>(file: &Path, header: &Header, zero: T) -> Result<Vec<T>, DataError> {
    let (mut values, total) = (Vec::new(), header.rows * header.width);
    values.try_reserve_exact(total).map_err(|_| {
        let problem = format!("{total} values do not fit in memory");
        npy_error(file, (header.data_start, problem, "use a machine with more memory"))
    })?;
    values.resize(total, zero);
    Ok(values)
}

fn read_halves(file: &Path, input: &mut impl Read, header: &Header) -> Result<Vec<f16>, DataError> {
    let mut values = room(file, header, f16::ZERO)?;
    let mut bytes = vec![0; 2 * PIECE.min(values.len())];
    for piece in values.chunks_mut(PIECE) {
        let bytes = &mut bytes[..2 * piece.len()];
        input.read_exact(bytes).map_err(DataError::io(file))?;
        piece.iter_mut().zip(halves(bytes)).for_each(|(value, read)| *value = read);
    }
    Ok(values)
}

fn halves(bytes: &[u8]) -> impl Iterator<Item = f16> {
    bytes.as_chunks::<2>().0.iter().map(|&b| f16::from_le_bytes(b))
}

fn read_values(file: &Path, input: &mut impl Read, header: &Header) -> Result<Vec<f32>, DataError> {
    let mut values = room(file, header, 0.0)?;
    let mut source = Source::new(input, header.dtype);
    let read = if header.fortran {
        fill_by_columns(&mut source, header, &mut values)
    } else {
        values.chunks_mut(PIECE).try_for_each(|piece| source.fill(piece))
    };
    read.map_err(DataError::io(file))?;
    Ok(values)
}

/// Reads a panel of columns at a time, so that each row of the result is written in runs.
fn fill_by_columns(
    source: &mut Source<'_, impl Read>,
    header: &Header,
    values: &mut [f32],
) -> std::io::Result<()> {
    let (rows, width) = (header.rows, header.width);
    let panel = (4 * PIECE / rows).clamp(1, 64).min(width);
    let mut columns = vec![0f32; panel * rows];
    for first in (0..width).step_by(panel) {
        let count = panel.min(width - first);
        let columns = &mut columns[..count * rows];
        columns.chunks_mut(PIECE).try_for_each(|piece| source.fill(piece))?;
        for (row, out) in values.chunks_exact_mut(width).enumerate() {
            for (c, out) in out[first..first + count].iter_mut().enumerate() {
                *out = columns[c * rows + row];
            }
        }
    }
    Ok(())
}

/// Converts the values of a file to `f32`, in file order.
struct Source<'a, R> {
    input: &'a mut R,
    dtype: DType,
    bytes: Vec<u8>,
    halves: Vec<f16>,
}

impl<'a, R: Read> Source<'a, R> {
    fn new(input: &'a mut R, dtype: DType) -> Self {
        let (bytes, halves) = (Vec::new(), Vec::new());
        Source { input, dtype, bytes, halves }
    }

    fn fill(&mut self, out: &mut [f32]) -> std::io::Result<()> {
        self.bytes.resize(out.len() * self.dtype.size(), 0);
        self.input.read_exact(&mut self.bytes)?;
        match self.dtype {
            DType::F16 => {
                self.halves.clear();
                self.halves.extend(halves(&self.bytes));
                self.halves.convert_to_f32_slice(out);
            }
            DType::F32 => {
                let values = self.bytes.as_chunks::<4>().0.iter();
                out.iter_mut().zip(values).for_each(|(o, &b)| *o = f32::from_le_bytes(b));
            }
            DType::F64 => {
                let values = self.bytes.as_chunks::<8>().0.iter();
                out.iter_mut().zip(values).for_each(|(o, &b)| *o = f64::from_le_bytes(b) as f32);
            }
        }
        Ok(())
    }
}
