//! The footer of a Parquet file, before it is decoded: lists that promise more than there is, and fields of another type than
//! Parquet's, would keep the decoder busy for minutes.
//!
//! ```text
//! ... | footer, a structure of Thrift | its length (u32, little-endian) | PAR1
//! ```

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::parquet_shapes::FOOTER;
use super::thrift::Thrift;

/// Bytes behind the footer.
const TAIL: u64 = 8;
const MAGIC: &[u8] = b"PAR1";

/// Values within each other: lists of row groups, of columns, of statistics.
const DEEPEST: u32 = 32;

/// Checks the footer of a file of `length` bytes. Where there is none the decoder says so.
///
/// # Errors
/// What is wrong with it; what the system says when it is read.
pub(super) fn check(mut file: &File, length: u64) -> io::Result<()> {
    let Some(before) = length.checked_sub(TAIL) else { return Ok(()) };
    file.seek(SeekFrom::Start(before))?;
    let mut tail = [0; TAIL as usize];
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    let size = u64::from(u32::from_le_bytes([a, b, c, d]));
    let Some(start) = before.checked_sub(size).filter(|_| magic == *MAGIC) else { return Ok(()) };
    file.seek(SeekFrom::Start(start))?;
    let mut input = BufReader::new(file);
    let mut footer = Thrift::new(&mut input, size, "the footer");
    footer.structure(FOOTER, |input, _, kind, shape| input.pass(kind, shape, DEEPEST))
}
