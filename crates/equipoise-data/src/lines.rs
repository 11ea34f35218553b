//! A reader of text files, plain or gzip, that holds one line at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::error::DataError;
use crate::inflated::Bounded;

/// Longest line in bytes. The longest of the Amazon files has some 100 KB. The bound limits the memory that a damaged
/// or hostile file can make the reader take.
const LONGEST: usize = 16 << 20;

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// Byte from 1 where it is known.
    pub byte: Option<usize>,
    /// What was expected, what was found, what to do.
    pub problem: String,
}

impl LineFault {
    /// A fault of the line as a whole.
    pub fn whole(problem: impl Into<String>) -> LineFault {
        LineFault { byte: None, problem: problem.into() }
    }
}

/// Reads a text file line by line and decompresses it on the way. Its memory is one line and the decoder's window.
pub struct Lines {
    file: PathBuf,
    input: Box<dyn BufRead>,
    gzip: bool,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Opens a file; gzip is recognised by its first two bytes, whatever the file is called.
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be read.
    pub fn open(file: &Path) -> Result<Lines, DataError> {
        let opened = File::open(file).map_err(DataError::io(file))?;
        let packed = opened.metadata().map_err(DataError::io(file))?.len();
        let mut plain = BufReader::with_capacity(1 << 16, opened);
        let gzip = plain.fill_buf().map_err(DataError::io(file))?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn BufRead> = if gzip {
            // Several members one after the other are one file, as for gunzip.
            Box::new(BufReader::with_capacity(1 << 16, Bounded::new(MultiGzDecoder::new(plain), packed)))
        } else {
            Box::new(plain)
        };
        Ok(Lines { file: file.to_owned(), input, gzip, line: Vec::new(), number: 0 })
    }

    /// Steps to the next line; `false` at the end.
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be read, [`DataError::Entry`] for a line of more than 16 MiB and for damaged
    /// gzip data.
    pub fn advance(&mut self) -> Result<bool, DataError> {
        self.line.clear();
        let limit = LONGEST as u64 + 1;
        let read = self.input.as_mut().take(limit).read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| self.unreadable(error))?;
        if read == 0 {
            return Ok(false);
        }
        self.number += 1;
        if read > LONGEST {
            let problem = format!("longer than {LONGEST} bytes, expected one object per line");
            return Err(self.fault(LineFault::whole(problem)));
        }
        while self.line.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            self.line.pop();
        }
        Ok(true)
    }

    /// The line, without its end.
    pub fn text(&self) -> &[u8] {
        &self.line
    }

    /// Number of the line, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether the line holds nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.line.iter().all(u8::is_ascii_whitespace)
    }

    /// The fault of this line as an error.
    pub fn fault(&self, fault: LineFault) -> DataError {
        let place = match fault.byte {
            Some(byte) => format!("line {}, byte {byte}", self.number),
            None => format!("line {}", self.number),
        };
        DataError::Entry { file: self.file.clone(), place, problem: fault.problem }
    }

    fn unreadable(&self, error: io::Error) -> DataError {
        let damaged = matches!(
            error.kind(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
        );
        if !(self.gzip && damaged) {
            return DataError::io(&self.file)(error);
        }
        let place = format!("after line {}", self.number);
        let problem = format!("the gzip data are damaged or cut short ({error}); download the file again");
        DataError::Entry { file: self.file.clone(), place, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn all(bytes: &[u8]) -> Result<Vec<Vec<u8>>, DataError> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("lines");
        std::fs::write(&file, bytes).expect("write");
        let (mut lines, mut found) = (Lines::open(&file)?, Vec::new());
        while lines.advance()? {
            found.push(lines.text().to_vec());
        }
        Ok(found)
    }

    #[test]
    fn plain_gzip_and_joined_gzip_give_the_same_lines() {
        let text = b"one\r\ntwo\n\nfour";
        let joined = [gzip(b"one\ntw"), gzip(b"o\n\nfour")].concat();
        let expected: Vec<&[u8]> = vec![b"one", b"two", b"", b"four"];
        for bytes in [text.to_vec(), gzip(text), joined] {
            assert_eq!(all(&bytes).expect("readable"), expected);
        }
        assert!(all(b"").expect("readable").is_empty());
    }

    #[test]
    fn a_damaged_or_shortened_gzip_file_is_said_to_be_so() {
        let text: Vec<u8> = (0..40_000u32).flat_map(|n| format!("{}\n", n * 7_919).into_bytes()).collect();
        let whole = gzip(&text);
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle..middle + 64].iter_mut().for_each(|b| *b ^= 0x5a);
        for bytes in [&whole[..whole.len() / 2], &flipped] {
            let message = all(bytes).expect_err("damaged").to_string();
            assert!(message.contains("after line") && message.contains("download"), "{message}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let message = all(&gzip(&vec![b'x'; LONGEST + 9])).expect_err("too long").to_string();
        assert!(message.contains("line 1") && message.contains("longer than"), "{message}");
    }
}
