//! Lines of memory asked for one at a time, between the instructions of a product.
//!
//! Short pieces of rows far apart are guessed by no hardware, and a processor waits for a dozen lines at a time: asked for
//! all at once, they hold up what is being computed; asked for one by one, they come while it is.

use crate::vector::{LINE, prefetch_line};
use std::ops::Range;

/// What a product asks for on its way.
pub(crate) trait Ahead {
    /// Asks for the next line, if any is left.
    fn ask(&mut self);
}

/// Nothing.
pub(crate) struct Nothing;

impl Ahead for Nothing {
    #[inline(always)]
    fn ask(&mut self) {}
}

/// A piece of each of some rows, the rows in their order.
pub(crate) struct Lines<'a> {
    rows: &'a [u32],
    /// Where the piece of row 0 is.
    start: *const u8,
    /// Bytes from one row to the next.
    stride: usize,
    /// Lines of a piece.
    count: usize,
    /// How many rows may be asked for.
    limit: usize,
    /// The row and the line of its piece that come next.
    next: (usize, usize),
}

impl<'a> Lines<'a> {
    /// Some columns of `rows` of a row-major table. Nothing is read: rows that are not there do no harm.
    pub(crate) fn new<T>(table: &[T], width: usize, columns: Range<usize>, rows: &'a [u32]) -> Lines<'a> {
        let (size, rows) = (size_of::<T>(), if columns.is_empty() { &[] } else { rows });
        Lines {
            rows,
            start: table.as_ptr().wrapping_add(columns.start).cast(),
            stride: width * size,
            count: (columns.len() * size).div_ceil(LINE),
            limit: rows.len(),
            next: (0, 0),
        }
    }

    /// Asks for no more than the first `limit` rows from now on.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.limit = limit.min(self.rows.len());
    }

    /// Asks for what is left of the first `rows` rows.
    pub(crate) fn finish(&mut self, rows: usize) {
        while self.next.0 < rows.min(self.limit) {
            self.ask();
        }
    }
}

impl Ahead for Lines<'_> {
    #[inline(always)]
    fn ask(&mut self) {
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
    fn lines_are_asked_for_in_order_up_to_the_limit_and_once() {
        let (table, rows) = ([0f32; 4 * 40], [3, 0, 2]);
        let mut lines = Lines::new(&table, 40, 8..40, &rows);
        lines.limit(2);
        lines.ask();
        assert_eq!(lines.next, (0, 1), "32 numbers are two lines");
        lines.finish(1);
        assert_eq!(lines.next, (1, 0));
        (0..9).for_each(|_| lines.ask());
        assert_eq!(lines.next, (2, 0), "not beyond the limit");
        lines.finish(3);
        assert_eq!(lines.next, (2, 0));
        lines.limit(9);
        lines.finish(9);
        assert_eq!(lines.next, (3, 0), "nor beyond the rows");
    }

    #[test]
    fn no_columns_are_nothing_to_ask_for() {
        let mut lines = Lines::new(&[0f32; 8], 4, 4..4, &[1, 0]);
        lines.ask();
        lines.finish(2);
        assert_eq!(lines.next, (0, 0));
    }
}
