//! NumPy's `.npz` archives: a ZIP file of `.npy` members.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::npy::npy_error;
use super::npy_array::NpyArray;
use super::npy_header::Fault;
use crate::error::DataError;

/// No byte of a deflated stream stands for more than this many; an archive that claims more is no archive.
const MOST_PER_BYTE: u64 = 1032;

/// An archive that is open for reading.
pub(crate) struct Npz {
    file: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl Npz {
    /// Reads the directory of the archive.
    ///
    /// # Errors
    /// [`DataError::Npy`] if it is no ZIP file.
    pub(crate) fn open(file: &Path) -> Result<Npz, DataError> {
        let input = File::open(file).map_err(DataError::io(file))?;
        let length = input.metadata().map_err(DataError::io(file))?.len();
        let archive = ZipArchive::new(BufReader::new(input)).map_err(|error| {
            let problem = format!("no readable ZIP archive of {length} bytes: {error}");
            npy_error(file, (0, problem, "write it again with numpy.savez or scipy.sparse.save_npz"))
        })?;
        Ok(Npz { file: file.to_owned(), archive })
    }

    /// Names of the arrays, in the order of the archive.
    ///
    /// # Errors
    /// [`DataError::Npy`] if one is no text.
    pub(crate) fn names(&self) -> Result<Vec<String>, DataError> {
        let name = |name: Result<std::borrow::Cow<'_, str>, _>| {
            name.map(|n| n.strip_suffix(".npy").unwrap_or(&n).to_owned())
        };
        let names: Result<_, zip::result::ZipError> = self.archive.file_names().map(name).collect();
        names.map_err(|error| {
            let problem = format!("the name of an array: {error}");
            npy_error(&self.file, (0, problem, "write the archive again"))
        })
    }

    /// The bytes of the array called `name`, a whole `.npy` file.
    ///
    /// # Errors
    /// [`DataError::Npy`] if it is not there or damaged.
    pub(crate) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, DataError> {
        let member = format!("{name}.npy");
        let broken = |byte: u64, problem: String| {
            npy_error(&self.file, (byte, format!("array {name:?}: {problem}"), "write the archive again"))
        };
        let entry = self.archive.by_name(&member).map_err(|e| broken(0, e.to_string()))?;
        let (start, size, packed) = (entry.header_start(), entry.size(), entry.compressed_size());
        if size > packed.saturating_mul(MOST_PER_BYTE).saturating_add(MOST_PER_BYTE) {
            return Err(broken(start, format!("{packed} bytes cannot unpack to the {size} bytes claimed")));
        }
        let mut bytes = Vec::new();
        // Grown while reading: what is claimed is not allocated before it has come.
        entry.take(size + 1).read_to_end(&mut bytes).map_err(|e| broken(start, e.to_string()))?;
        if bytes.len() as u64 != size {
            return Err(broken(start, format!("{} bytes, expected {size}", bytes.len())));
        }
        Ok(bytes)
    }

    /// Reads one array with `read`.
    ///
    /// # Errors
    /// [`DataError::Npy`] if it is not there, damaged or not what `read` expects.
    pub(crate) fn read<T>(
        &mut self,
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
