//! NumPy's `.npz` archives: a ZIP file of `.npy` members.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::bufread::DeflateDecoder;
use memmap2::Mmap;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive};

use super::npy::{npy_error, read_matrix};
use super::npy_array::{NpyArray, Promise};
use super::npy_header::{self, Fault};
use crate::error::DataError;
use crate::features::Features;
use crate::inflated::{most_unpacked, too_much};
use crate::quoted::{quoted, quoted_names};

const PLAIN: &str = "write it with numpy.savez, which does not compress";

/// An array of an archive whose header was read and found true.
struct Member<'a> {
    /// Byte of the archive at which it starts.
    start: u64,
    /// Bytes unpacked.
    size: u64,
    /// All of them.
    input: std::io::Take<Box<dyn Read + 'a>>,
    /// The first of them, with the whole header.
    head: Vec<u8>,
}

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
        let (mut members, mut unpacked) = (BTreeMap::new(), 0u64);
        let mut entries = archive.entries();
        while let Some(entry) = entries.next_entry().map_err(|e| broken(e.to_string()))? {
            let path = entry.file_path();
            let name = std::str::from_utf8(path.as_ref()).map_err(|e| broken(e.to_string()))?;
            unpacked = unpacked.saturating_add(entry.uncompressed_size_hint());
            let name = name.strip_suffix(".npy").unwrap_or(name).to_owned();
            if members.insert(name.clone(), (entry.wayfinder(), entry.compression_method())).is_some() {
                return Err(broken(format!("array {name:?} is there twice")));
            }
        }
        // Arrays are unpacked one after the other, and what is made of them is kept: their sum counts.
        if unpacked > most_unpacked(length as u64) {
            return Err(npy_error(file, (0, too_much(length as u64), PLAIN)));
        }
        Ok(Npz { file: file.to_owned(), archive, members })
    }

    /// Names of the arrays, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    /// The array called `name` before its values, once the size that its header promises is found to be the size of
    /// the member: nothing of that size is unpacked before.
    ///
    /// # Errors
    /// [`DataError::Npy`] if it is not there, damaged or promises what it does not hold.
    fn member(&self, name: &str) -> Result<Member<'_>, DataError> {
        let broken = |byte: u64, problem: String| self.broken(name, byte, problem);
        let Some(&(place, method)) = self.members.get(name) else {
            let names = self.names();
            let names = quoted_names(names.iter().map(|name| name.as_str()));
            return Err(broken(0, format!("not there, only {names}")));
        };
        let entry = self.archive.get_entry(place).map_err(|e| broken(0, e.to_string()))?;
        let (start, _) = entry.compressed_data_range();
        let size = place.uncompressed_size_hint();
        let unpacked = || -> Result<Box<dyn Read + '_>, DataError> {
            match method {
                CompressionMethod::STORE => Ok(Box::new(entry.verifying_reader(entry.data()))),
                CompressionMethod::DEFLATE => {
                    Ok(Box::new(entry.verifying_reader(DeflateDecoder::new(entry.data()))))
                }
                other => {
                    Err(broken(start, format!("compressed by method {other:?}, expected deflate or none")))
                }
            }
        };
        let mut head = Vec::new();
        let read = unpacked()?.take(npy_header::needed() as u64).read_to_end(&mut head);
        read.map_err(|error| broken(start, error.to_string()))?;
        let promise = Promise::read(&head).map_err(|fault| self.fault(name, fault))?;
        if promise.end() != Some(size) {
            let problem =
                format!("its header promises {}, the archive has {size} bytes of it", promise.words());
            return Err(broken(start, problem));
        }
        Ok(Member { start, size, input: unpacked()?.take(size + 1), head })
    }

    fn broken(&self, name: &str, byte: u64, problem: String) -> DataError {
        npy_error(&self.file, (byte, format!("array {}: {problem}", quoted(name)), AGAIN))
    }

    /// The bytes of the array called `name`, a whole `.npy` file.
    ///
    /// # Errors
    /// [`DataError::Npy`] if it is not there or damaged.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, DataError> {
        let Member { start, size, mut input, .. } = self.member(name)?;
        let mut bytes = Vec::new();
        let room = bytes.try_reserve_exact(size as usize + 1);
        room.map_err(|_| self.broken(name, start, format!("{size} bytes do not fit in memory")))?;
        input.read_to_end(&mut bytes).map_err(|error| self.broken(name, start, error.to_string()))?;
        if bytes.len() as u64 == size {
            Ok(bytes)
        } else {
            Err(self.broken(name, start, format!("{} bytes, expected {size}", bytes.len())))
        }
    }

    /// The array called `name` as a matrix of features, unpacked straight into it.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes); what is no matrix of finite floats.
    pub(crate) fn features(&self, name: &str) -> Result<(Features, &'static str), DataError> {
        let Member { head, mut input, start, .. } = self.member(name)?;
        let header = npy_header::parse(&head).map_err(|fault| self.fault(name, fault))?;
        let skipped = std::io::copy(&mut input.by_ref().take(header.data_start), &mut std::io::sink());
        skipped.map_err(|error| self.broken(name, start, error.to_string()))?;
        let found = read_matrix(&self.file, &mut input, &header)?;
        // What is left is read, so that the check sum of the archive is compared.
        match std::io::copy(&mut input, &mut std::io::sink()) {
            Ok(0) => Ok(found),
            Ok(_) => Err(self.broken(name, start, "more bytes than it promises".into())),
            Err(error) => Err(self.broken(name, start, error.to_string())),
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
        npy_error(&self.file, (byte, format!("in array {}: {problem}", quoted(name)), remedy))
    }
}
