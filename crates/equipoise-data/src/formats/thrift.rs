//! Structures of Thrift in its compact protocol, as Parquet has them, read without trust.
//!
//! ```text
//! structure  fields, each a byte (number less the one before << 4 | type) and a value; a byte 0 ends it
//! list       a byte (length << 4 | type), or (15 << 4 | type) and the length as a number, and the values
//! number     7 bits to a byte, the lowest first; signed ones in zigzag
//! ```

use std::io::{self, Read};

/// Types of fields. Truth values stand in the type itself.
pub(super) const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
pub(super) const INTEGER: u8 = 5;
pub(super) const STRUCTURE: u8 = 12;

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

    /// Calls `field` with the number and the type of each field, which it reads.
    pub(super) fn structure(
        &mut self,
        mut field: impl FnMut(&mut Self, i64, u8) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut number = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            number = match head >> 4 {
                0 => self.integer()?,
                delta => number.saturating_add(i64::from(delta)),
            };
            field(self, number, head & 0x0f)?;
        }
    }

    /// Passes a value over that has at most `depth` values within each other.
    pub(super) fn skip(&mut self, kind: u8, depth: u32) -> io::Result<()> {
        match (kind, depth) {
            (_, 0) => Err(broken(format!("{} is nested too deeply", self.what))),
            (TRUE | FALSE, _) => Ok(()),
            (3, _) => self.byte().map(drop),
            (4..=6, _) => self.varint().map(drop),
            (7, _) => self.skip_bytes(8),
            (8, _) => self.varint().and_then(|length| self.skip_bytes(length)),
            (9 | 10, _) => self.skip_list(depth - 1),
            (STRUCTURE, _) => self.structure(|input, _, kind| input.skip(kind, depth - 1)),
            _ => Err(broken(format!("{} has a field of unknown type {kind}", self.what))),
        }
    }

    /// A list is as long as its bytes allow. One of truth values is refused: readers do not agree on how many bytes they take, so
    /// that one may be led through gigabytes that another does not see, and Parquet has none here.
    fn skip_list(&mut self, depth: u32) -> io::Result<()> {
        let head = self.byte()?;
        let (kind, short) = (head & 0x0f, u64::from(head >> 4));
        let count = if short == 15 { self.varint()? } else { short };
        if count > self.left || matches!(kind, TRUE | FALSE) {
            let (what, left) = (self.what, self.left);
            return Err(broken(format!(
                "{what} has a list of {count} values of type {kind} in {left} bytes"
            )));
        }
        (0..count).try_for_each(|_| self.skip(kind, depth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            let mut slice = &bytes[..];
            let mut input = Thrift::new(&mut slice, bytes.len() as u64, "it");
            let found = input.structure(|input, _, kind| input.skip(kind, 8));
            let message = found.expect_err(says).to_string();
            assert!(message.contains(says) && message.starts_with("it "), "{message}");
        }
    }
}
