//! Values that lie in a file mapped into memory.

use std::fs::File;
use std::io;
use std::marker::PhantomData;

use half::f16;
use memmap2::{Mmap, MmapOptions};

/// A slice of numbers within a mapped file.
pub(super) struct Mapped<T> {
    map: Mmap,
    of: PhantomData<T>,
}

/// Numbers for which every pattern of bits is a value.
pub(super) trait Plain: Copy {
    /// Neither NaN nor infinite.
    fn is_number(self) -> bool;
}

impl Plain for f32 {
    fn is_number(self) -> bool {
        self.is_finite()
    }
}

impl Plain for f16 {
    fn is_number(self) -> bool {
        self.is_finite()
    }
}

impl<T: Plain> Mapped<T> {
    /// Maps `length` values from byte `start` on; `None` where they cannot be used as they lie.
    pub(super) fn new(file: &File, start: u64, length: usize) -> io::Result<Option<Mapped<T>>> {
        let bytes = length.checked_mul(size_of::<T>()).ok_or(io::ErrorKind::InvalidData)?;
        let end = start.checked_add(bytes as u64).ok_or(io::ErrorKind::InvalidData)?;
        if file.metadata()?.len() < end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if cfg!(target_endian = "big") || !start.is_multiple_of(size_of::<T>() as u64) {
            return Ok(None);
        }
        // SAFETY: the map is private to this process and only read. The file could still be cut short or
        // written to by another program, which the documentation of `Features::map` forbids: every writer
        // here makes a new file and renames it, which leaves the mapped one as it is.
        let map = unsafe { MmapOptions::new().offset(start).len(bytes).map(file)? };
        Ok(Some(Mapped { map, of: PhantomData }))
    }

    /// The values.
    #[inline]
    pub(super) fn as_slice(&self) -> &[T] {
        // SAFETY: every bit pattern is a `T`; the map starts at a multiple of its size (`new` saw to it: a page
        // begins at one and `start` is one), so that nothing is left over before or behind.
        let (before, values, behind) = unsafe { self.map.align_to::<T>() };
        debug_assert!(before.is_empty() && behind.is_empty());
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn values_are_read_where_they_lie_and_a_short_file_is_refused() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&[9; 12]).expect("write");
        for value in [1.5f32, -2.0, 0.25] {
            file.write_all(&value.to_le_bytes()).expect("write");
        }
        let mapped = Mapped::<f32>::new(&file, 12, 3).expect("long enough").expect("aligned");
        assert_eq!(mapped.as_slice(), [1.5, -2.0, 0.25]);
        assert!(Mapped::<f32>::new(&file, 12, 4).is_err());
        assert!(Mapped::<f32>::new(&file, 10, 3).expect("long enough").is_none());
        assert!(Mapped::<f32>::new(&file, u64::MAX - 3, usize::MAX / 4).is_err());
        file.write_all(&f16::from_f32(0.5).to_le_bytes()).expect("write");
        let halves = Mapped::<f16>::new(&file, 24, 1).expect("long enough").expect("aligned");
        assert_eq!(halves.as_slice(), [f16::from_f32(0.5)]);
        assert!(Mapped::<f16>::new(&file, 23, 1).expect("long enough").is_none());
    }
}
