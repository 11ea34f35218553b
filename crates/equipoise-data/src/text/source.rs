//! A file as a stream of UTF-8 without a byte order mark.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::decoder::{Decoded, Undecodable};
use super::encoding::TextEncoding;
use super::gzip::{MAGIC, Members};
use super::signature::not_text;
use crate::error::DataError;
use crate::inflated::{Bounded, TooMuch};

/// Bytes held of a file at a time.
const BUFFER: usize = 1 << 16;

/// Bytes by which an encoding is recognised.
const HEAD: usize = 1 << 10;

/// Text as it is read from a file.
pub(crate) struct TextSource {
    file: PathBuf,
    input: Box<dyn BufRead>,
    gzip: bool,
    encoding: &'static Encoding,
    /// How the encoding is known, unless it is UTF-8.
    known_by: Option<&'static str>,
}

impl TextSource {
    /// Opens a file, as the module describes. `encoding` is that of a file without a byte order mark.
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be read, [`DataError::Entry`] if it is damaged or no text.
    pub(crate) fn open(file: &Path, encoding: Option<TextEncoding>) -> Result<TextSource, DataError> {
        let opened = File::open(file).map_err(DataError::io(file))?;
        let size = opened.metadata().map_err(DataError::io(file))?.len();
        let mut packed = BufReader::with_capacity(BUFFER, opened);
        let gzip = packed.fill_buf().map_err(DataError::io(file))?.starts_with(&MAGIC);
        let mut input: Box<dyn BufRead> = if gzip {
            Box::new(BufReader::with_capacity(BUFFER, Bounded::new(Members::new(packed), size)))
        } else {
            Box::new(packed)
        };
        let mut head = Vec::new();
        let read = input.as_mut().take(HEAD as u64).read_to_end(&mut head);
        let fail = |error| unreadable(file, gzip, "after line 0".into(), error);
        read.map_err(fail)?;
        if let Some((what, remedy)) = not_text(&head) {
            return Err(DataError::whole(file, format!("{what}, expected text; {remedy}")));
        }
        let (encoding, mark, known_by) =
            recognised(&head, encoding).map_err(|problem| DataError::whole(file, problem))?;
        head.drain(..mark);
        let bytes = Cursor::new(head).chain(input);
        let input: Box<dyn BufRead> = if encoding == UTF_8 {
            Box::new(bytes)
        } else {
            Box::new(BufReader::with_capacity(BUFFER, Decoded::new(bytes, encoding)))
        };
        Ok(TextSource { file: file.to_owned(), input, gzip, encoding, known_by })
    }

    /// The text.
    pub(crate) fn text(&mut self) -> &mut dyn BufRead {
        &mut *self.input
    }

    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether the file is compressed, so that its size does not bound the text.
    pub(crate) fn is_compressed(&self) -> bool {
        self.gzip
    }

    /// The encoding and how it is known, where it is not UTF-8.
    pub(crate) fn said_encoding(&self) -> Option<String> {
        self.known_by.map(|known_by| format!("encoding {} ({known_by})", self.encoding.name()))
    }

    /// The error of reading as one of the file: damage is told from a failing disk.
    pub(crate) fn fault(&self, place: String, error: io::Error) -> DataError {
        unreadable(&self.file, self.gzip, place, error)
    }
}

/// The encoding, the length of its mark, and how it is known.
type Recognised = (&'static Encoding, usize, Option<&'static str>);

fn recognised(head: &[u8], given: Option<TextEncoding>) -> Result<Recognised, String> {
    if head.starts_with(&[0xff, 0xfe, 0, 0]) || head.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Err("UTF-32, expected UTF-8 or UTF-16; convert it to UTF-8".into());
    }
    if let Some((encoding, length)) = Encoding::for_bom(head) {
        let by_mark = (encoding != UTF_8).then_some("by its byte order mark");
        return Ok((encoding, length, by_mark));
    }
    if let Some(TextEncoding(encoding)) = given {
        return Ok((encoding, 0, (encoding != UTF_8).then_some("as told")));
    }
    let found = utf_16(head);
    Ok((found.unwrap_or(UTF_8), 0, found.map(|_| "by the zeros between its letters")))
}

/// UTF-16 without a mark: letters of the Latin alphabet have a zero on one side.
fn utf_16(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.as_chunks::<2>().0;
    let zeros = |side: usize| pairs.iter().filter(|pair| pair[side] == 0).count();
    // A few letters have a zero on the other side. One zero in ten pairs is what line ends make in Chinese.
    let many = |zeros: usize, others: usize| zeros > 1 && zeros * 10 > pairs.len() && zeros > 4 * others;
    match [zeros(0), zeros(1)] {
        [high, low] if many(low, high) => Some(UTF_16LE),
        [high, low] if many(high, low) => Some(UTF_16BE),
        _ => None,
    }
}

/// What a file is that is no text, by its first bytes, and what to do; `None` if it may be text or cannot be read.
pub(crate) fn foreign(file: &Path) -> Option<(&'static str, &'static str)> {
    let mut head = Vec::new();
    File::open(file).ok()?.take(HEAD as u64).read_to_end(&mut head).ok()?;
    not_text(&head)
}

fn unreadable(file: &Path, gzip: bool, place: String, error: io::Error) -> DataError {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    let undecodable = error.get_ref().and_then(|e| e.downcast_ref::<Undecodable>());
    let too_much = error.get_ref().and_then(|e| e.downcast_ref::<TooMuch>());
    let problem = match (undecodable, too_much) {
        (Some(bytes), _) => format!("{bytes}; repair the file, or name its encoding with --encoding"),
        (None, Some(too_much)) => too_much.to_string(),
        (None, None) if gzip && matches!(error.kind(), InvalidInput | InvalidData | UnexpectedEof) => {
            format!("the gzip data are damaged or cut short ({error}); download the file again")
        }
        (None, None) => return DataError::io(file)(error),
    };
    DataError::Entry { file: file.to_owned(), place, problem }
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

    fn read_as(bytes: &[u8], encoding: Option<&str>) -> Result<String, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("text");
        std::fs::write(&file, bytes).expect("written");
        let encoding = encoding.map(|label| label.parse().expect("an encoding"));
        let mut source = TextSource::open(&file, encoding).map_err(|e| e.to_string())?;
        let mut text = Vec::new();
        let read = source.text().read_to_end(&mut text);
        read.map_err(|error| source.fault("after line 0".into(), error).to_string())?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2], mark: bool) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_and_compression_gives_the_same_text() {
        let text = "id,text\n1,caf\u{e9} \u{6f22}\u{1f600}\n".repeat(9_000);
        let marked = ["\u{feff}".as_bytes(), text.as_bytes()].concat();
        let (le, be) = (u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes as fn(u16) -> [u8; 2]);
        let plain = [
            text.clone().into_bytes(),
            marked,
            utf16(&text, le, true),
            utf16(&text, be, true),
            utf16(&text, le, false),
            utf16(&text, be, false),
        ];
        for bytes in plain {
            let (one, two) = bytes.split_at(bytes.len() / 3);
            let joined = [gzip(one), gzip(two), vec![0; 1000]].concat();
            for file in [bytes.clone(), gzip(&bytes), joined] {
                assert_eq!(read_as(&file, None).as_ref(), Ok(&text));
            }
        }
    }

    #[test]
    fn an_encoding_that_is_told_is_decoded_and_a_mark_wins_over_it() {
        assert_eq!(read_as(b"caf\xe9", Some("latin1")).as_deref(), Ok("caf\u{e9}"));
        assert_eq!(read_as("\u{feff}caf\u{e9}".as_bytes(), Some("latin1")).as_deref(), Ok("caf\u{e9}"));
        let message = read_as(b"\xff\xfea\0\x00\xd8b\0", None).expect_err("half a pair");
        assert!(message.contains("no UTF-16LE"), "{message}");
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (bytes, says) in [
            (&b"PK\x03\x04rest"[..], "Excel"),
            (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
            (b"\0\0\xfe\xff\0\0\0a", "UTF-32"),
            (b" \n<!DOCTYPE html><p>", "HTML"),
            (b"\x28\xb5\x2f\xfd....", "zstd"),
            (&gzip(&gzip(b"a,b\n")), "gzip within gzip"),
            (&[gzip(b"a,b\n"), b"rest".to_vec()].concat(), "damaged"),
            (&gzip(b"a,b\n")[..9], "damaged"),
        ] {
            let message = read_as(bytes, None).expect_err(says);
            assert!(message.contains(says), "{says}: {message}");
        }
        assert_eq!(read_as(b"", None).as_deref(), Ok(""));
    }
}
