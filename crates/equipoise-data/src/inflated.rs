//! How much a compressed file may unpack to.
//!
//! A small file can unpack to any size and exhaust the memory. What people have does not shrink a hundredfold: tables,
//! texts and features come to between a half and a thirtieth.

use std::fmt::{self, Display};
use std::io::{self, Read};

/// Bytes that any file may unpack to.
const ALWAYS: u64 = 64 << 20;

/// Bytes that a byte of a larger file may stand for.
const MOST_PER_BYTE: u64 = 100;

/// The most that `packed` bytes may unpack to.
pub(crate) fn most_unpacked(packed: u64) -> u64 {
    packed.saturating_mul(MOST_PER_BYTE).max(ALWAYS)
}

/// What is said of more than that.
pub(crate) fn too_much(packed: u64) -> String {
    format!(
        "{packed} compressed bytes unpack to more than {}, which looks made to exhaust memory; if it is right, unpack it \
         and give the plain file",
        most_unpacked(packed)
    )
}

/// So many compressed bytes unpack to too much.
#[derive(Debug)]
pub(crate) struct TooMuch(u64);

impl Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&too_much(self.0))
    }
}

impl std::error::Error for TooMuch {}

/// A reader of unpacked bytes that ends in an error once they are too many.
pub(crate) struct Bounded<R> {
    unpacked: R,
    packed: u64,
    left: u64,
}

impl<R: Read> Bounded<R> {
    /// Bounds what a decoder of `packed` bytes may give.
    pub(crate) fn new(unpacked: R, packed: u64) -> Bounded<R> {
        Bounded { unpacked, packed, left: most_unpacked(packed) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.unpacked.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::new(io::ErrorKind::InvalidData, TooMuch(self.packed))),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_and_the_bound_is_exact() {
        let most = most_unpacked(1);
        assert_eq!((most, most_unpacked(1 << 30)), (ALWAYS, 100 << 30));
        let read = |bytes: u64| io::copy(&mut Bounded::new(io::repeat(7).take(bytes), 1), &mut io::sink());
        assert_eq!(read(most).expect("within the bound"), most);
        let message = read(most + 1).expect_err("one too many").to_string();
        assert!(message.contains("unpack it"), "{message}");
    }
}
