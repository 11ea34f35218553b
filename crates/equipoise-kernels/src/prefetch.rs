//! Prefetching: asking the processor for memory before it is read.
//!
//! The hardware guesses long runs of memory, but not short pieces of rows that lie far apart. A processor waits for about a
//! dozen cache lines at a time, so requests that are issued all at once stall the computation. [`RowLines`] issues them
//! one by one between the instructions of a product.

use std::ops::Range;

/// Bytes in one cache line.
const LINE: usize = 64;

/// Requests a slice.
#[inline(always)]
pub(crate) fn prefetch<T>(part: &[T]) {
    for at in (0..part.len()).step_by(LINE / size_of::<T>()) {
        prefetch_line(part.as_ptr().wrapping_add(at).cast());
    }
}

/// Requests one cache line. Nothing is read.
#[inline(always)]
fn prefetch_line(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// The lines that a product requests while it computes.
pub(crate) trait Prefetch {
    /// Requests the next line, if there is one left.
    fn next_line(&mut self);
}

/// Requests nothing.
pub(crate) struct NoPrefetch;

impl Prefetch for NoPrefetch {
    #[inline(always)]
    fn next_line(&mut self) {}
}

/// Requests the same columns of several rows of a table, row after row.
pub(crate) struct RowLines<'a> {
    rows: &'a [u32],
    /// Where the columns of row 0 begin.
    start: *const u8,
    /// Bytes from one row to the next.
    stride: usize,
    /// Lines per row.
    count: usize,
    /// How many rows may be requested.
    limit: usize,
    /// The next row, and the next line in it.
    next: (usize, usize),
}

impl<'a> RowLines<'a> {
    /// Some columns of `rows` of a row-major table. Nothing is read, so rows outside the table do no harm.
    pub(crate) fn new<T>(table: &[T], width: usize, columns: Range<usize>, rows: &'a [u32]) -> RowLines<'a> {
        let size = size_of::<T>();
        let rows = if columns.is_empty() { &[] } else { rows };
        RowLines {
            rows,
            start: table.as_ptr().wrapping_add(columns.start).cast(),
            stride: width * size,
            count: (columns.len() * size).div_ceil(LINE),
            limit: rows.len(),
            next: (0, 0),
        }
    }

    /// From now on, no more than the first `limit` rows are requested.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.limit = limit.min(self.rows.len());
    }

    /// Requests the remaining lines of the first `rows` rows.
    pub(crate) fn finish(&mut self, rows: usize) {
        while self.next.0 < rows.min(self.limit) {
            self.next_line();
        }
    }
}

impl Prefetch for RowLines<'_> {
    #[inline(always)]
    fn next_line(&mut self) {
        let (row, line) = self.next;
        if row < self.limit {
            prefetch_line(self.start.wrapping_add(self.rows[row] as usize * self.stride + line * LINE));
            self.next = if line + 1 == self.count { (row + 1, 0) } else { (row, line + 1) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_requested_once_in_order_up_to_the_limit() {
        let (table, rows) = ([0f32; 4 * 40], [3, 0, 2]);
        let mut lines = RowLines::new(&table, 40, 8..40, &rows);
        lines.limit(2);
        lines.next_line();
        assert_eq!(lines.next, (0, 1), "32 numbers are two lines");
        lines.finish(1);
        assert_eq!(lines.next, (1, 0));
        (0..9).for_each(|_| lines.next_line());
        assert_eq!(lines.next, (2, 0), "not beyond the limit");
        lines.finish(3);
        assert_eq!(lines.next, (2, 0));
        lines.limit(9);
        lines.finish(9);
        assert_eq!(lines.next, (3, 0), "nor beyond the rows");
    }

    #[test]
    fn no_columns_request_nothing() {
        let mut lines = RowLines::new(&[0f32; 8], 4, 4..4, &[1, 0]);
        lines.next_line();
        lines.finish(2);
        assert_eq!(lines.next, (0, 0));
    }
}
