//! The header of a NumPy `.npy` file (format versions 1.0 to 3.0).
//!
//! ```text
//! 0  6  magic "\x93NUMPY"      6  2  version major, minor
//! 8  2  header length, little-endian (4 bytes from version 2.0 on)
//! .. Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (7050, 256), }
//! ```
//!
//! Parsed by hand: a hostile header must end in an error that names the byte, before anything
//! of the size it claims is allocated.

/// A header may not be longer than this; NumPy's own limit for safe reading is 10,000.
const LONGEST: usize = 10_000;

/// How one value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DType {
    F16,
    F32,
    F64,
}

impl DType {
    /// Bytes per value.
    pub(crate) fn size(self) -> usize {
        match self {
            DType::F16 => 2,
            DType::F32 => 4,
            DType::F64 => 8,
        }
    }

    /// The type that NumPy calls `descr`.
    pub(crate) fn named(descr: &str) -> Option<DType> {
        match descr {
            "<f2" => Some(DType::F16),
            "<f4" => Some(DType::F32),
            "<f8" => Some(DType::F64),
            _ => None,
        }
    }

    /// `float16`, `float32` or `float64`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            DType::F16 => "float16",
            DType::F32 => "float32",
            DType::F64 => "float64",
        }
    }
}

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) dtype: DType,
    /// Columns are contiguous, not rows.
    pub(crate) fortran: bool,
    pub(crate) rows: usize,
    pub(crate) width: usize,
    /// First byte of the values.
    pub(crate) data_start: u64,
}

/// A fault in the header: byte, problem, remedy.
pub(crate) type Fault = (u64, String, &'static str);

const EXPORT: &str = "write the file again with numpy.save";
const CONVERT: &str = "convert with array.astype('<f4') and save again";
const SHAPE: &str = "save an array of shape (items, width)";

/// A header whatever the type and the shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawHeader {
    /// NumPy's name of the type, such as `<i8` or `<U10`, and its place.
    pub(crate) descr: (u64, String),
    /// Columns are contiguous, not rows.
    pub(crate) fortran: bool,
    /// Length of each dimension, and the place.
    pub(crate) shape: (u64, Vec<u64>),
    /// First byte of the values.
    pub(crate) data_start: u64,
}

/// Reads the header of a matrix of floats from the first bytes of a file: `start` holds the whole file or at
/// least its first [`needed`] bytes.
pub(crate) fn parse(start: &[u8]) -> Result<Header, Fault> {
    let raw = parse_raw(start)?;
    let (rows, width) = matrix(raw.shape.0, &raw.shape.1)?;
    let (at, descr) = raw.descr;
    let dtype = DType::named(&descr).ok_or_else(|| wrong_type(at, &format!("{descr:?}")))?;
    Ok(Header { dtype, fortran: raw.fortran, rows, width, data_start: raw.data_start })
}

/// Reads any header; `start` as for [`parse`].
pub(crate) fn parse_raw(start: &[u8]) -> Result<RawHeader, Fault> {
    let (text_start, data_start) = bounds(start)?;
    let text = &start[text_start..data_start];
    let mut cursor = Cursor { text, place: 0, offset: text_start };
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    cursor.expect(b'{')?;
    while !cursor.take(b'}') {
        let at = cursor.at();
        let key = cursor.string()?;
        cursor.expect(b':')?;
        match key {
            "descr" => descr = Some(type_name(&mut cursor)?),
            "fortran_order" => fortran = Some(cursor.boolean()?),
            "shape" => shape = Some((cursor.value_start(), cursor.tuple()?)),
            other => return Err((at, format!("unknown header key {other:?}"), EXPORT)),
        }
        if !cursor.take(b',') {
            cursor.expect(b'}')?;
            break;
        }
    }
    let missing = |key: &str| (text_start as u64, format!("the header lacks {key:?}"), EXPORT);
    Ok(RawHeader {
        descr: descr.ok_or_else(|| missing("descr"))?,
        fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
        data_start: data_start as u64,
    })
}

/// Bytes that [`parse`] may look at.
pub(crate) const fn needed() -> usize {
    12 + LONGEST
}

/// Where the dictionary starts and ends.
fn bounds(start: &[u8]) -> Result<(usize, usize), Fault> {
    if start.len() < 10 || &start[..6] != b"\x93NUMPY" {
        let found = &start[..start.len().min(6)];
        let problem = format!("expected the magic \\x93NUMPY, found \"{}\"", found.escape_ascii());
        return Err((0, problem, "give a .npy file"));
    }
    let (text_start, length) = match start[6] {
        1 => (10, usize::from(u16::from_le_bytes([start[8], start[9]]))),
        2 | 3 if start.len() >= 12 => {
            let length = [start[8], start[9], start[10], start[11]];
            (12, u32::from_le_bytes(length) as usize)
        }
        version => {
            let problem = format!("expected format version 1 to 3, found {version}");
            return Err((6, problem, EXPORT));
        }
    };
    if length > LONGEST {
        let problem = format!("a header of {length} bytes, expected at most {LONGEST}");
        return Err((8, problem, EXPORT));
    }
    if start.len() < text_start + length {
        let problem =
            format!("the file ends within the header, expected {length} bytes from byte {text_start}");
        return Err((start.len() as u64, problem, "copy the file again"));
    }
    Ok((text_start, text_start + length))
}

fn type_name(cursor: &mut Cursor<'_>) -> Result<(u64, String), Fault> {
    let at = cursor.value_start();
    if cursor.peek() == Some(b'[') {
        return Err(wrong_type(at, "a structured type"));
    }
    Ok((at, cursor.string()?.to_owned()))
}

fn wrong_type(at: u64, found: &str) -> Fault {
    if found.contains("|O") {
        let problem = "objects, which are pickles: programs rather than data, and not run";
        return (at, format!("dtype {found}: {problem}"), CONVERT);
    }
    (at, format!("expected dtype '<f2', '<f4' or '<f8', found {found}"), CONVERT)
}

fn matrix(at: u64, shape: &[u64]) -> Result<(usize, usize), Fault> {
    let wrong = |reason: &str| {
        let problem = format!("shape {shape:?}, expected two dimensions (items, width){reason}");
        (at, problem, SHAPE)
    };
    let &[rows, width] = shape else {
        return Err(wrong(""));
    };
    if rows == 0 || width == 0 {
        return Err(wrong(", none of them 0"));
    }
    let bytes = rows.checked_mul(width).and_then(|n| n.checked_mul(8));
    // Item indices are u32 and buffers are addressed by usize.
    if rows > u64::from(u32::MAX) || bytes.is_none_or(|n| usize::try_from(n).is_err()) {
        return Err(wrong(" that fit in memory"));
    }
    Ok((rows as usize, width as usize))
}

/// A reader of the few Python literals that occur.
struct Cursor<'a> {
    text: &'a [u8],
    place: usize,
    /// Of `text` within the file.
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn at(&self) -> u64 {
        (self.offset + self.place) as u64
    }

    fn value_start(&mut self) -> u64 {
        self.peek();
        self.at()
    }

    /// Next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.place).is_some_and(u8::is_ascii_whitespace) {
            self.place += 1;
        }
        self.text.get(self.place).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) {
            return Ok(());
        }
        Err(self.wrong(&format!("'{}'", byte as char)))
    }

    fn wrong(&self, expected: &str) -> Fault {
        let found = match self.text.get(self.place) {
            Some(byte) => format!("'{}'", byte.escape_ascii()),
            None => "the end of the header".into(),
        };
        let problem = format!("malformed header: expected {expected}, found {found}");
        (self.at(), problem, EXPORT)
    }

    fn string(&mut self) -> Result<&'a str, Fault> {
        let quote = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => quote,
            _ => return Err(self.wrong("a quoted string")),
        };
        let start = self.place + 1;
        let length = self.text[start..].iter().position(|&b| b == quote);
        let text = length.and_then(|n| std::str::from_utf8(&self.text[start..start + n]).ok());
        let text = text.ok_or_else(|| self.wrong("a quoted string"))?;
        self.place = start + text.len() + 1;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool, Fault> {
        self.peek();
        for (word, value) in [("True", true), ("False", false)] {
            if self.text[self.place..].starts_with(word.as_bytes()) {
                self.place += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong("True or False"))
    }

    fn tuple(&mut self) -> Result<Vec<u64>, Fault> {
        let mut values = Vec::new();
        self.expect(b'(')?;
        while !self.take(b')') {
            values.push(self.integer()?);
            if !self.take(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(values)
    }

    fn integer(&mut self) -> Result<u64, Fault> {
        self.peek();
        let rest = &self.text[self.place..];
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let text = std::str::from_utf8(&rest[..digits]).expect("digits are ASCII");
        let value = text.parse().map_err(|_| self.wrong("a whole number below 2^64"))?;
        self.place += digits;
        // Python 2 wrote long integers as 12L.
        self.place += usize::from(self.text.get(self.place) == Some(&b'L'));
        Ok(value)
    }
}
