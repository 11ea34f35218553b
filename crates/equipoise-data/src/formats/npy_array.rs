//! Small arrays of NumPy within memory: ids, indices, flags and single rows.

use crate::quoted::quoted;
use half::f16;

use super::npy_header::{self, Fault, RawHeader};

/// An array as it lies in its file.
#[derive(Debug)]
pub(crate) struct NpyArray<'a> {
    header: RawHeader,
    /// The values: as many bytes as the header promises.
    data: &'a [u8],
    /// Bytes of each value.
    size: usize,
}

const COPY: &str = "copy the file again";
const TYPE: &str = "convert it with array.astype and save it again";
const SHAPE: &str = "reshape it and save it again";

/// What the header of an array promises.
#[derive(Debug)]
pub(crate) struct Promise {
    header: RawHeader,
    /// Bytes of each value.
    size: usize,
}

impl Promise {
    /// Reads the header; `start` is the whole file or its first [`npy_header::needed`] bytes.
    pub(crate) fn read(start: &[u8]) -> Result<Promise, Fault> {
        let header = npy_header::parse_raw(start)?;
        let (at, descr) = &header.descr;
        if descr.contains('O') {
            let problem = "objects, which are pickles: programs rather than data, and not run";
            return Err((*at, format!("dtype {}: {problem}", quoted(descr)), TYPE));
        }
        let size = value_size(descr).ok_or_else(|| {
            let expected = "expected numbers, truth values or fixed-width texts, little-endian";
            (*at, format!("{expected}, found dtype {}", quoted(descr)), TYPE)
        })?;
        Ok(Promise { header, size })
    }

    /// Where the file ends if the promise is true; `None` beyond 2^64.
    pub(crate) fn end(&self) -> Option<u64> {
        let count = self.header.shape.1.iter().try_fold(1u64, |n, &k| n.checked_mul(k))?;
        count.checked_mul(self.size as u64)?.checked_add(self.header.data_start)
    }

    /// Shape and size of a value.
    pub(crate) fn words(&self) -> String {
        format!("{:?} values of {} bytes", self.header.shape.1, self.size)
    }
}

impl<'a> NpyArray<'a> {
    /// Reads the header and checks that all values are there.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<NpyArray<'a>, Fault> {
        let promise = Promise::read(bytes)?;
        let Promise { header, size } = &promise;
        let data = &bytes[header.data_start as usize..];
        if promise.end() != Some(bytes.len() as u64) {
            let problem = format!("expected {}, found {} bytes in all", promise.words(), data.len());
            return Err((header.data_start, problem, COPY));
        }
        Ok(NpyArray { size: *size, header: promise.header, data })
    }

    /// Length of each dimension.
    pub(crate) fn shape(&self) -> &[u64] {
        &self.header.shape.1
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.data.len().checked_div(self.size).unwrap_or(0)
    }

    /// Whether these are float16, float32 or float64.
    pub(crate) fn dtype(&self) -> Option<&'static str> {
        npy_header::DType::named(self.descr()).map(npy_header::DType::name)
    }

    fn descr(&self) -> &str {
        &self.header.descr.1
    }

    fn values(&self) -> std::slice::ChunksExact<'a, u8> {
        self.data.chunks_exact(self.size)
    }

    fn wrong(&self, expected: &str) -> Fault {
        let (at, descr) = &self.header.descr;
        (*at, format!("expected {expected}, found dtype {}", quoted(descr)), TYPE)
    }

    /// The values as whole numbers.
    pub(crate) fn integers(&self) -> Result<Vec<i64>, Fault> {
        let read: fn(&[u8]) -> i64 = match self.descr() {
            "|i1" => |b| i64::from(b[0] as i8),
            "|u1" => |b| i64::from(b[0]),
            "<i2" => |b| i64::from(i16::from_le_bytes(fixed(b))),
            "<u2" => |b| i64::from(u16::from_le_bytes(fixed(b))),
            "<i4" => |b| i64::from(i32::from_le_bytes(fixed(b))),
            "<u4" => |b| i64::from(u32::from_le_bytes(fixed(b))),
            "<i8" => |b| i64::from_le_bytes(fixed(b)),
            // Beyond the range of indices either way: such a value is refused where it is used.
            "<u8" => |b| i64::try_from(u64::from_le_bytes(fixed(b))).unwrap_or(i64::MAX),
            _ => return Err(self.wrong("whole numbers")),
        };
        Ok(self.values().map(read).collect())
    }

    /// The values as `f32` in row order.
    pub(crate) fn floats(&self) -> Result<Vec<f32>, Fault> {
        let read: fn(&[u8]) -> f32 = match self.descr() {
            "<f2" => |b| f16::from_le_bytes(fixed(b)).to_f32(),
            "<f4" => |b| f32::from_le_bytes(fixed(b)),
            "<f8" => |b| f64::from_le_bytes(fixed(b)) as f32,
            _ => return Err(self.wrong("floats ('<f2', '<f4' or '<f8')")),
        };
        let values: Vec<f32> = self.values().map(read).collect();
        match (self.header.fortran, self.shape()) {
            (true, &[rows, width]) => {
                let (rows, width) = (rows as usize, width as usize);
                let of_row = |r: usize| (0..width).map(move |c| c * rows + r);
                Ok((0..rows).flat_map(of_row).map(|place| values[place]).collect())
            }
            _ => Ok(values),
        }
    }

    /// The values, numbers or truth values, as `f64`: true is 1. Integers beyond 2^53 are rounded.
    pub(crate) fn numbers(&self) -> Result<Vec<f64>, Fault> {
        match self.descr() {
            "|b1" => Ok(self.values().map(|v| f64::from(u8::from(v[0] != 0))).collect()),
            "<f2" => Ok(self.values().map(|v| f16::from_le_bytes(fixed(v)).to_f64()).collect()),
            "<f4" => Ok(self.values().map(|v| f64::from(f32::from_le_bytes(fixed(v)))).collect()),
            "<f8" => Ok(self.values().map(|v| f64::from_le_bytes(fixed(v))).collect()),
            _ => match self.integers() {
                Ok(values) => Ok(values.into_iter().map(|v| v as f64).collect()),
                Err(_) => Err(self.wrong("numbers or truth values")),
            },
        }
    }

    /// The values as texts; whole numbers in decimals.
    pub(crate) fn texts(&self) -> Result<Vec<String>, Fault> {
        let kind = self.descr().as_bytes().get(1);
        match kind {
            Some(b'i' | b'u') => Ok(self.integers()?.iter().map(i64::to_string).collect()),
            Some(b'S' | b'U') if self.size > 0 => {
                let texts = self.values().enumerate().map(|(n, value)| {
                    let text = if kind == Some(&b'S') { ascii(value) } else { utf32(value) };
                    text.ok_or_else(|| {
                        let byte = self.header.data_start + (n * self.size) as u64;
                        (byte, format!("value {n} is no text"), TYPE)
                    })
                });
                texts.collect()
            }
            _ => Err(self.wrong("texts or whole numbers")),
        }
    }

    /// The only dimension's length.
    pub(crate) fn vector(&self) -> Result<usize, Fault> {
        match *self.shape() {
            [_] => Ok(self.len()),
            ref shape => {
                let problem = format!("shape {shape:?}, expected one dimension");
                Err((self.header.shape.0, problem, SHAPE))
            }
        }
    }
}

/// Bytes of a value of NumPy type `descr`; `None` for objects, big-endian and other types.
fn value_size(descr: &str) -> Option<usize> {
    let (order, rest) = descr.split_at_checked(1)?;
    let (kind, digits) = rest.split_at_checked(1)?;
    let count: usize = digits.parse().ok()?;
    match (order, kind, count) {
        ("|", "i" | "u" | "b", 1) => Some(1),
        ("<", "i" | "u", 2 | 4 | 8) | ("<", "f", 2 | 4 | 8) => Some(count),
        ("|", "S", 1..) => Some(count),
        ("<", "U", 1..) => count.checked_mul(4),
        _ => None,
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("values are cut to the size of their type")
}

fn ascii(value: &[u8]) -> Option<String> {
    let end = value.iter().rposition(|&b| b != 0).map_or(0, |n| n + 1);
    std::str::from_utf8(&value[..end]).ok().map(str::to_owned)
}

fn utf32(value: &[u8]) -> Option<String> {
    let codes = value.chunks_exact(4).map(|c| u32::from_le_bytes(fixed(c)));
    let text: Option<String> = codes.map(char::from_u32).collect();
    text.map(|t| t.trim_end_matches('\0').to_owned())
}
