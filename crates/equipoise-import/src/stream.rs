//! Files written piece by piece, whose errors name the file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use equipoise_data::DataError;

/// A file that is written piece by piece. It lies in a directory that appears only when everything in it is written,
/// which is why the file itself is not renamed into place.
pub(crate) struct Stream {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Stream {
    /// Creates the file.
    pub(crate) fn create(path: PathBuf) -> Result<Stream, DataError> {
        let file = File::create(&path).map_err(DataError::io(&path))?;
        Ok(Stream { path, out: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Appends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.out.write_all(bytes).map_err(DataError::io(&self.path))
    }

    /// Flushes the file to disk.
    pub(crate) fn finish(mut self) -> Result<(), DataError> {
        let flushed: io::Result<()> = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        flushed.map_err(DataError::io(&self.path))
    }
}
