//! The lines of a text file, one at a time, or the elements of a JSON array.

use std::path::Path;

use memchr::memchr2;

use super::encoding::TextEncoding;
use super::source::TextSource;
use crate::error::DataError;

/// Longest line in bytes. The longest of the Amazon files has some 100 KB. The bound limits the memory that a damaged
/// or hostile file can make the reader take.
const LONGEST: usize = 16 << 20;

/// UTF-8's byte order mark. Files that were joined have one inside.
const MARK: &[u8] = "\u{feff}".as_bytes();

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

/// How a file is divided.
enum Shape {
    /// At the ends of its lines.
    Lines,
    /// It is one JSON array, divided into its elements.
    Elements { state: Place, count: u64 },
}

/// Where in an array the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the bracket that opens it.
    Outside,
    /// Before an element or, if there was none yet, the bracket that closes it.
    Before { first: bool },
    /// After an element.
    After,
    /// After the bracket that closes it.
    Closed,
}

/// Reads a text file line by line and decompresses and decodes it on the way. Its memory is one line and the decoder's
/// window. LF, CRLF and CR end a line.
pub struct Lines {
    source: TextSource,
    shape: Shape,
    line: Vec<u8>,
    /// Number of the line, or of the line on which the element starts.
    number: u64,
    /// Line ends that were passed.
    passed: u64,
    /// Whether a line feed at the next byte belongs to the line end before it.
    after_return: bool,
}

impl Lines {
    /// Opens a file. Gzip, byte order marks and UTF-16 are recognised by their bytes, whatever the file is called.
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be read, [`DataError::Entry`] if it is damaged or no text.
    pub fn open(file: &Path) -> Result<Lines, DataError> {
        Lines::open_as(file, None)
    }

    /// Opens a file that has this encoding unless it has a byte order mark.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_as(file: &Path, encoding: Option<TextEncoding>) -> Result<Lines, DataError> {
        let source = TextSource::open(file, encoding)?;
        let shape = Shape::Lines;
        Ok(Lines { source, shape, line: Vec::new(), number: 0, passed: 0, after_return: false })
    }

    /// Opens a file of objects: one in each line, or all of them in one JSON array, whose elements are then given as
    /// lines are.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_objects(file: &Path, encoding: Option<TextEncoding>) -> Result<Lines, DataError> {
        let mut lines = Lines::open_as(file, encoding)?;
        let start = lines.source.text().fill_buf();
        let array = start.map(|bytes| bytes.trim_ascii_start().starts_with(b"["));
        if array.map_err(|error| lines.unreadable(error))? {
            lines.shape = Shape::Elements { state: Place::Outside, count: 0 };
        }
        Ok(lines)
    }

    /// Steps to the next line; `false` at the end.
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be read, [`DataError::Entry`] for a line of more than 16 MiB and for damaged
    /// data.
    pub fn advance(&mut self) -> Result<bool, DataError> {
        self.line.clear();
        match self.shape {
            Shape::Lines => self.next_line(),
            Shape::Elements { state, count } => self.next_element(state, count),
        }
    }

    fn next_line(&mut self) -> Result<bool, DataError> {
        let mut begun = false;
        loop {
            if self.next_byte()?.is_none() {
                if !begun {
                    return Ok(false);
                }
                break;
            }
            begun = true;
            let bytes = match self.source.text().fill_buf() {
                Ok(bytes) => bytes,
                Err(error) => return Err(self.unreadable(error)),
            };
            let end = memchr2(b'\n', b'\r', bytes);
            self.line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            self.after_return = end.is_some_and(|end| bytes[end] == b'\r');
            let taken = end.map_or(bytes.len(), |end| end + 1);
            self.source.text().consume(taken);
            if end.is_some() || self.line.len() > LONGEST {
                break;
            }
        }
        self.number += 1;
        self.bounded("a line")?;
        if self.line.starts_with(MARK) {
            self.line.drain(..MARK.len());
        }
        Ok(true)
    }

    /// The next byte, which is not taken; `None` at the end.
    fn next_byte(&mut self) -> Result<Option<u8>, DataError> {
        loop {
            let next = match self.source.text().fill_buf() {
                Ok(bytes) => bytes.first().copied(),
                Err(error) => return Err(self.unreadable(error)),
            };
            if !(std::mem::take(&mut self.after_return) && next == Some(b'\n')) {
                return Ok(next);
            }
            self.source.text().consume(1);
        }
    }

    fn bounded(&self, what: &str) -> Result<(), DataError> {
        if self.line.len() <= LONGEST {
            return Ok(());
        }
        let problem =
            format!("{what} longer than {LONGEST} bytes, expected one row or object in each; divide it");
        Err(self.fault(LineFault::whole(problem)))
    }

    /// The line, without its end.
    pub fn text(&self) -> &[u8] {
        &self.line
    }

    /// The line as text.
    ///
    /// # Errors
    /// The byte that is no UTF-8, or zero, which no text has.
    pub fn utf8(&self) -> Result<&str, LineFault> {
        let text = std::str::from_utf8(&self.line).map_err(|error| LineFault {
            byte: Some(error.valid_up_to() + 1),
            problem:
                "no UTF-8; name the file's encoding (--encoding windows-1252 for Western European Excel), or \
                      convert the file"
                    .into(),
        })?;
        match memchr::memchr(0, &self.line) {
            None => Ok(text),
            Some(byte) => {
                let problem =
                    "a zero byte, which no text has; restore the file, or name its encoding with --encoding";
                Err(LineFault { byte: Some(byte + 1), problem: problem.into() })
            }
        }
    }

    /// Number of the line, from 1; of an element, that of the line on which it starts.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether the line holds nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.line.iter().all(u8::is_ascii_whitespace)
    }

    /// The encoding and how it is known, where it is not UTF-8.
    pub fn said_encoding(&self) -> Option<String> {
        self.source.said_encoding()
    }

    /// Whether the file is one JSON array.
    pub fn is_array(&self) -> bool {
        matches!(self.shape, Shape::Elements { .. })
    }

    /// The line or the element, for a message.
    pub fn place(&self) -> String {
        match self.shape {
            Shape::Lines => format!("line {}", self.number),
            Shape::Elements { count, .. } => format!("element {count} (line {})", self.number),
        }
    }

    /// The fault of this line as an error.
    pub fn fault(&self, fault: LineFault) -> DataError {
        let line = self.place();
        let place = match fault.byte {
            Some(byte) => format!("{line}, byte {byte}"),
            None => line,
        };
        DataError::Entry { file: self.source.file().to_owned(), place, problem: fault.problem }
    }

    fn unreadable(&self, error: std::io::Error) -> DataError {
        self.source.fault(format!("after line {}", self.number.max(self.passed)), error)
    }
}

/// The elements of a JSON array. Only brackets and strings are understood here; what an element means, its reader says.
impl Lines {
    fn next_element(&mut self, mut state: Place, count: u64) -> Result<bool, DataError> {
        loop {
            let Some(byte) = self.after_space()? else {
                return self.at_end(state);
            };
            state = match (state, byte) {
                (Place::Outside, _) => Place::Before { first: true },
                (Place::Before { first: true } | Place::After, b']') => Place::Closed,
                (Place::After, b',') => Place::Before { first: false },
                (Place::Before { .. }, _) if byte != b',' && byte != b']' => {
                    (self.number, self.shape) =
                        (self.passed + 1, Shape::Elements { state: Place::After, count: count + 1 });
                    self.element()?;
                    return Ok(true);
                }
                (Place::Before { .. }, _) => return Err(self.misplaced(byte, "an object")),
                (Place::After, _) => return Err(self.misplaced(byte, "a comma or the end of the array")),
                (Place::Closed, _) => return Err(self.misplaced(byte, "nothing after the array")),
            };
            self.source.text().consume(1);
        }
    }

    fn at_end(&mut self, state: Place) -> Result<bool, DataError> {
        if state == Place::Closed {
            self.shape = match self.shape {
                Shape::Elements { count, .. } => Shape::Elements { state, count },
                Shape::Lines => Shape::Lines,
            };
            return Ok(false);
        }
        self.number = self.passed + 1;
        let problem = "the JSON array is never closed: the file is cut short; export or download it again";
        Err(self.fault(LineFault::whole(problem)))
    }

    fn misplaced(&mut self, found: u8, expected: &str) -> DataError {
        self.number = self.passed + 1;
        let found = char::from(found).escape_default();
        let problem =
            format!("in the JSON array, expected {expected}, found '{found}'; export the file again");
        self.fault(LineFault::whole(problem))
    }

    /// Steps over white space to the next byte, which is not taken.
    fn after_space(&mut self) -> Result<Option<u8>, DataError> {
        loop {
            let bytes = match self.source.text().fill_buf() {
                Ok(bytes) => bytes,
                Err(error) => return Err(self.unreadable(error)),
            };
            let space = bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
            let ends = bytes[..space].iter().filter(|b| **b == b'\n').count() as u64;
            let (next, end) = (bytes.get(space).copied(), bytes.is_empty());
            self.passed += ends;
            self.source.text().consume(space);
            if next.is_some() || end {
                return Ok(next);
            }
        }
    }

    /// Takes the element in: up to the bracket that closes it, or up to what ends a bare value.
    fn element(&mut self) -> Result<(), DataError> {
        let (mut depth, mut quote, mut escaped) = (0usize, None, false);
        loop {
            let bytes = match self.source.text().fill_buf() {
                Ok(bytes) => bytes,
                Err(error) => return Err(self.unreadable(error)),
            };
            let (mut taken, mut done) = (0, false);
            for &byte in bytes {
                match (quote, byte) {
                    (Some(_), _) if escaped => escaped = false,
                    (Some(_), b'\\') => escaped = true,
                    (Some(open), _) => quote = Some(open).filter(|open| *open != byte),
                    (None, b'"' | b'\'') => quote = Some(byte),
                    (None, b'{' | b'[') => depth += 1,
                    (None, b'}' | b']') if depth > 0 => (depth, done) = (depth - 1, depth == 1),
                    (None, b',' | b']') if depth == 0 => break,
                    (None, _) => {}
                }
                self.passed += u64::from(byte == b'\n');
                let end = quote.is_none() && matches!(byte, b'\n' | b'\r');
                self.line.push(if end { b' ' } else { byte });
                taken += 1;
                if done {
                    break;
                }
            }
            let (ended, more) = (done || taken < bytes.len(), !bytes.is_empty());
            self.source.text().consume(taken);
            self.bounded("an element")?;
            if ended {
                return Ok(());
            }
            if !more {
                let problem =
                    "the file ends within the element: it is cut short; export or download it again";
                return Err(self.fault(LineFault::whole(problem)));
            }
        }
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
        of(bytes, Lines::open)
    }

    fn objects(bytes: &[u8]) -> Result<Vec<Vec<u8>>, DataError> {
        of(bytes, |file| Lines::open_objects(file, None))
    }

    fn of(
        bytes: &[u8],
        open: impl FnOnce(&Path) -> Result<Lines, DataError>,
    ) -> Result<Vec<Vec<u8>>, DataError> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("lines");
        std::fs::write(&file, bytes).expect("write");
        let (mut lines, mut found) = (open(&file)?, Vec::new());
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

    #[test]
    fn every_line_end_ends_one_line_and_marks_inside_are_passed_over() {
        let expected: Vec<&[u8]> = vec![b"one", b"", b"three", b"four"];
        for end in ["\n", "\r\n", "\r"] {
            let text = ["\u{feff}one", "", "\u{feff}three", "four", ""].join(end);
            assert_eq!(all(text.as_bytes()).expect("readable"), expected, "{end:?}");
        }
        // A line end on the boundary of two buffers.
        let long = "x".repeat((1 << 16) - 1);
        let found = all(format!("{long}\r\ntwo\r").as_bytes()).expect("readable");
        assert_eq!(found, [long.as_bytes(), b"two"]);
    }

    #[test]
    fn lines_that_are_no_text_are_named_with_the_byte() {
        for (bytes, byte, says) in [(&b"ab\xe9c"[..], 3, "--encoding"), (b"a\0b", 2, "zero byte")] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let file = dir.path().join("lines");
            std::fs::write(&file, [b"sound\n", bytes].concat()).expect("write");
            let mut lines = Lines::open(&file).expect("opened");
            assert!(lines.advance().expect("a line") && lines.utf8() == Ok("sound"));
            assert!(lines.advance().expect("a line"));
            let fault = lines.utf8().expect_err("no text");
            assert_eq!(fault.byte, Some(byte));
            assert!(lines.fault(fault).to_string().contains(says));
        }
    }

    #[test]
    fn the_elements_of_an_array_are_given_as_lines_are() {
        let expected: Vec<&[u8]> =
            vec![br#"{"a": [1, {"b": "]}\""}]}"#, br#"{'c': 'it"s'}"#, b"3", br#""x,y""#, b"{  }"];
        let compact = [&b"["[..], &expected.join(&b","[..]), b"]"].concat();
        let spaced = [&b"\xef\xbb\xbf \n[\n  "[..], &expected.join(&b"\n ,\n "[..]), b"\n]\n\n"].concat();
        let trim = |found: Vec<Vec<u8>>| found.iter().map(|e| e.trim_ascii().to_vec()).collect::<Vec<_>>();
        for text in [compact, spaced] {
            assert_eq!(trim(objects(&text).expect("sound")), expected, "{}", text.escape_ascii());
        }
        assert!(objects(b"[ ]").expect("sound").is_empty());
        let lines: Vec<&[u8]> = vec![b"{}", b"[1]"];
        assert_eq!(objects(b"{}\n[1]").expect("lines"), lines);
    }

    #[test]
    fn a_damaged_array_is_refused_with_its_place() {
        for (text, place, says) in [
            ("[{}\n{}]", "element 1 (line 2)", "comma"),
            ("[{},\n\n,{}]", "element 1 (line 3)", "an object"),
            ("[{},\n{\"a\": 1", "element 2 (line 2)", "cut short"),
            ("[{},{}", "line 1", "never closed"),
            ("[{}]\n{}", "line 2", "nothing after"),
            ("[{},]", "line 1", "an object"),
        ] {
            let message = objects(text.as_bytes()).expect_err(text).to_string();
            assert!(message.contains(place) && message.contains(says), "{text}: {message}");
        }
        let message = objects(&[&b"["[..], &vec![b'1'; LONGEST + 9]].concat()).expect_err("long").to_string();
        assert!(message.contains("longer than"), "{message}");
    }
}
