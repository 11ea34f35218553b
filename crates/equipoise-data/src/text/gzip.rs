//! Gzip files: members one after the other, and zeros that fill up a block at the end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use crate::error::DataError;
use crate::inflated::Bounded;

/// First bytes of a gzip file.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks every member; what they hold is one text, as for `gunzip`. Zeros after the last one are padding, as tapes and
/// archives write it.
pub(super) struct Members<R> {
    /// `None` at the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(input: R) -> Members<R> {
        Members { member: Some(GzDecoder::new(input)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            let rest = self.member.take().map(GzDecoder::into_inner);
            if let Some(mut rest) = rest
                && more_than_zeros(&mut rest)?
            {
                self.member = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// Opens a file of any contents that is compressed; `None` if it is not.
///
/// # Errors
/// [`DataError::Io`] if the file cannot be read.
pub fn unpacked(file: &Path) -> Result<Option<impl Read>, DataError> {
    let opened = File::open(file).map_err(DataError::io(file))?;
    let size = opened.metadata().map_err(DataError::io(file))?.len();
    let mut input = BufReader::new(opened);
    let gzip = input.fill_buf().map_err(DataError::io(file))?.starts_with(&MAGIC);
    Ok(gzip.then(|| Bounded::new(Members::new(input), size)))
}

/// Steps over zeros; whether anything comes after them.
fn more_than_zeros(input: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = input.fill_buf()?;
        let zeros = bytes.iter().take_while(|b| **b == 0).count();
        let (all, end) = (zeros == bytes.len(), bytes.is_empty());
        input.consume(zeros);
        if !all || end {
            return Ok(!end);
        }
    }
}
