//! NumPy's `.npz` archives: a ZIP file of `.npy` members.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::bufread::DeflateDecoder;
use memmap2::Mmap;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive};

use super::npy::npy_error;
use super::npy_array::NpyArray;
use super::npy_header::Fault;
use crate::error::DataError;

/// No byte of a deflated stream stands for more than this many; an archive that claims more is no archive.
const MOST_PER_BYTE: u64 = 1032;

const AGAIN: &str = "write it again with numpy.savez or scipy.sparse.save_npz";

/// An archive that is open for reading.
pub(crate) struct Npz {
    file: PathBuf,
    archive: ZipSliceArchive<Mmap>,
    members: BTreeMap<String, (ZipArchiveEntryWayfinder, CompressionMethod)>,
}

impl Npz {
    /// Reads the directory of the archive.
    ///
    /// # Errors
    /// [`DataError::Npy`] if it is no ZIP file, or names an array twice.
    pub(crate) fn open(file: &Path) -> Result<Npz, DataError> {
        let input = File::open(file).map_err(DataError::io(file))?;
        // SAFETY: read only; a file that another program cuts short meanwhile ends the process, as with any
        // mapped file.
        let bytes = unsafe { Mmap::map(&input) }.map_err(DataError::io(file))?;
        let length = bytes.len();
        let broken = |problem: String| npy_error(file, (0, problem, AGAIN));
        let archive = ZipArchive::from_slice(bytes)
            .map_err(|error| broken(format!("no readable ZIP archive of {length} bytes: {error}")))?;
        let mut members = BTreeMap::new();
        let mut entries = archive.entries();
        while let Some(entry) = entries.next_entry().map_err(|e| broken(e.to_string()))? {
            let path = entry.file_path();
            let name = std::str::from_utf8(path.as_ref()).map_err(|e| broken(e.to_string()))?;
            let name = name.strip_suffix(".npy").unwrap_or(name).to_owned();
            if members.insert(name.clone(), (entry.wayfinder(), entry.compression_method())).is_some() {
                return Err(broken(format!("array {name:?} is there twice")));
            }
        }
        Ok(Npz { file: file.to_owned(), archive, members })
    }

    /// Names of the arrays, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    /// The bytes of the array called `name`, a whole `.npy` file.
    ///
    /// # Errors
    /// [`DataError::Npy`] if it is not there or damaged.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, DataError> {
        let broken = |byte: u64, problem: String| {
            npy_error(&self.file, (byte, format!("array {name:?}: {problem}"), AGAIN))
        };
        let Some(&(place, method)) = self.members.get(name) else {
            return Err(broken(0, format!("not there, only {}", self.names().join(", "))));
        };
        let entry = self.archive.get_entry(place).map_err(|e| broken(0, e.to_string()))?;
        let (start, end) = entry.compressed_data_range();
        let (size, packed) = (place.uncompressed_size_hint(), end - start);
        if size > packed.saturating_mul(MOST_PER_BYTE).saturating_add(MOST_PER_BYTE) {
            return Err(broken(start, format!("{packed} bytes cannot unpack to the {size} bytes claimed")));
        }
        // Grown while reading: what is claimed is not allocated before it has come.
        let mut bytes = Vec::new();
        let read = match method {
            CompressionMethod::STORE => {
                entry.verifying_reader(entry.data()).take(size + 1).read_to_end(&mut bytes)
            }
            CompressionMethod::DEFLATE => {
                let unpacked = DeflateDecoder::new(entry.data());
                entry.verifying_reader(unpacked).take(size + 1).read_to_end(&mut bytes)
            }
            other => {
                return Err(broken(
                    start,
                    format!("compressed by method {other:?}, expected deflate or none"),
                ));
            }
        };
        read.map_err(|error| broken(start, error.to_string()))?;
        if bytes.len() as u64 == size {
            Ok(bytes)
        } else {
            Err(broken(start, format!("{} bytes, expected {size}", bytes.len())))
        }
    }

    /// Reads one array with `read`.
    ///
    /// # Errors
    /// [`DataError::Npy`] if it is not there, damaged or not what `read` expects.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&NpyArray<'_>) -> Result<T, Fault>,
    ) -> Result<T, DataError> {
        let bytes = self.bytes(name)?;
        let value = NpyArray::parse(&bytes).and_then(|array| read(&array));
        value.map_err(|fault| self.fault(name, fault))
    }

    /// A fault within the array called `name`.
    pub(crate) fn fault(&self, name: &str, (byte, problem, remedy): Fault) -> DataError {
        npy_error(&self.file, (byte, format!("in array {name:?}: {problem}"), remedy))
    }
}
