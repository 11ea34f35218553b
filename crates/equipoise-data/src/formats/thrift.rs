//! Structures of Thrift in its compact protocol, as Parquet has them, read without trust.
//!
//! ```text
//! structure  fields, each a byte (number less the one before << 4 | type) and a value; a byte 0 ends it
//! list       a byte (length << 4 | type), or (15 << 4 | type) and the length as a number, and the values
//! number     7 bits to a byte, the lowest first; signed ones in zigzag
//! ```

use std::io::{self, Read};

/// Types of fields. Truth values stand in the type itself.
const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
const STRUCTURE: u8 = 12;

/// What a value is to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Of any type.
    Any,
    Truth,
    Byte,
    /// A whole number of 16, 32 or 64 bits: they are written alike.
    Number,
    Double,
    /// A text or other bytes.
    Bytes,
    /// A list of values of one shape.
    List(&'static Shape),
    /// A structure whose fields of these numbers have these shapes, and others any.
    Structure(Fields),
}

/// Fields of a structure by their numbers.
pub(super) type Fields = &'static [(i64, Shape)];

impl Shape {
    fn fits(self, kind: u8) -> bool {
        match self {
            Shape::Any => true,
            Shape::Truth => matches!(kind, TRUE | FALSE),
            Shape::Byte => kind == 3,
            Shape::Number => matches!(kind, 4..=6),
            Shape::Double => kind == 7,
            Shape::Bytes => kind == 8,
            Shape::List(_) => matches!(kind, 9 | 10),
            Shape::Structure(_) => kind == STRUCTURE,
        }
    }

    fn of(fields: Fields, number: i64) -> Shape {
        fields.iter().find(|(known, _)| *known == number).map_or(Shape::Any, |&(_, shape)| shape)
    }
}

/// A reader that counts down the bytes that are left.
pub(super) struct Thrift<'a, R> {
    input: &'a mut R,
    left: u64,
    /// What is read, for messages.
    what: &'static str,
}

/// The fault of bytes that are not what they should be.
pub(super) fn broken(problem: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem.into())
}

impl<'a, R: Read> Thrift<'a, R> {
    /// Reads at most `left` bytes of `what`.
    pub(super) fn new(input: &'a mut R, left: u64, what: &'static str) -> Thrift<'a, R> {
        Thrift { input, left, what }
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    fn take(&mut self, bytes: u64) -> io::Result<()> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or_else(|| broken(format!("{} runs beyond its end", self.what)))?;
        Ok(())
    }

    fn byte(&mut self) -> io::Result<u8> {
        self.take(1)?;
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(broken(format!("{} has a number of more than 64 bits", self.what)))
    }

    /// A signed number.
    pub(super) fn integer(&mut self) -> io::Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn skip_bytes(&mut self, count: u64) -> io::Result<()> {
        self.take(count)?;
        io::copy(&mut (&mut *self.input).take(count), &mut io::sink()).map(drop)
    }

    /// Calls `field` with the number, the type and the shape of each field, which it reads. Fields have their shapes.
    pub(super) fn structure(
        &mut self,
        fields: Fields,
        mut field: impl FnMut(&mut Self, i64, u8, Shape) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut number = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            let kind = head & 0x0f;
            number = match head >> 4 {
                0 => self.integer()?,
                delta => number + i64::from(delta),
            };
            let shape = Shape::of(fields, number);
            if !(1..=i64::from(i16::MAX)).contains(&number) || !shape.fits(kind) {
                return Err(broken(format!("{} has a field {number} of type {kind}", self.what)));
            }
            field(self, number, kind, shape)?;
        }
    }

    /// Passes a value over that has at most `depth` values within each other and is of its shape.
    pub(super) fn pass(&mut self, kind: u8, shape: Shape, depth: u32) -> io::Result<()> {
        match (kind, depth) {
            (_, 0) => Err(broken(format!("{} is nested too deeply", self.what))),
            (TRUE | FALSE, _) => Ok(()),
            (3, _) => self.byte().map(drop),
            (4..=6, _) => self.varint().map(drop),
            (7, _) => self.skip_bytes(8),
            (8, _) => self.varint().and_then(|length| self.skip_bytes(length)),
            (9 | 10, _) => self.pass_list(shape, depth - 1),
            (STRUCTURE, _) => {
                let fields = if let Shape::Structure(fields) = shape { fields } else { &[] };
                self.structure(fields, |input, _, kind, shape| input.pass(kind, shape, depth - 1))
            }
            _ => Err(broken(format!("{} has a field of unknown type {kind}", self.what))),
        }
    }

    /// A list is as long as its bytes allow. One of truth values is refused: readers do not agree on how many bytes they take, so
    /// that one may be led through gigabytes that another does not see, and Parquet has none here. An empty list may say that its
    /// type is 0.
    fn pass_list(&mut self, shape: Shape, depth: u32) -> io::Result<()> {
        let head = self.byte()?;
        let (kind, short) = (head & 0x0f, u64::from(head >> 4));
        let count = if short == 15 { self.varint()? } else { short };
        let of = if let Shape::List(of) = shape { *of } else { Shape::Any };
        if count > self.left || matches!(kind, TRUE | FALSE) || (head != 0 && !of.fits(kind)) {
            let (what, left) = (self.what, self.left);
            return Err(broken(format!(
                "{what} has a list of {count} values of type {kind} in {left} bytes"
            )));
        }
        (0..count).try_for_each(|_| self.pass(kind, of, depth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Fields = &[(6, Shape::Bytes), (7, Shape::List(&Shape::Structure(&[(1, Shape::Bytes)])))];

    #[test]
    fn structures_made_to_do_harm_end_in_an_error() {
        for (bytes, says) in [
            (vec![0x1c; 64], "nested too deeply"),
            (vec![0x1b, 0x00], "unknown type 11"),
            (vec![0x15, 0xff], "beyond its end"),
            ([vec![0x15], vec![0xff; 12]].concat(), "more than 64 bits"),
            (vec![0x18, 0xff, 0xff, 0xff, 0x7f], "beyond its end"),
            (vec![0x19, 0xf5, 0xff, 0xff, 0xff, 0x7f], "a list of 268435455 values"),
            (vec![0x19, 0xf1, 0xff, 0xff, 0xff, 0x7f, 0], "a list of 268435455 values of type 1 in 1 bytes"),
            (vec![0x19, 0x21, 1, 1, 0], "a list of 2 values of type 1"),
            (vec![0x61, 0], "a field 6 of type 1"),
            (vec![0x15, 0, 0x68, 0, 0], "a field 7 of type 8"),
            (vec![0x79, 0x18, 0, 0], "a list of 1 values of type 8"),
            (vec![0x79, 0x1c, 0x15, 0, 0, 0], "a field 1 of type 5"),
            (vec![0x05, 0x8c, 0x80, 0x08, 0], "a field 65542 of type 5"),
            (vec![0x05, 0x0b, 0], "a field -6 of type 5"),
        ] {
            let mut slice = &bytes[..];
            let mut input = Thrift::new(&mut slice, bytes.len() as u64, "it");
            let found = input.structure(KNOWN, |input, _, kind, shape| input.pass(kind, shape, 8));
            let message = found.expect_err(says).to_string();
            assert!(message.contains(says) && message.starts_with("it "), "{message}");
        }
    }
}
