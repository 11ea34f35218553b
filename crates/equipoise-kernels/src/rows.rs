//! Shared by the kernels on sparse rows: tasks of about equal work, and the sum over one row's edges.

use crate::prefetch::prefetch;
use crate::vector::add_scaled;
use std::ops::Range;

/// How many edges before its use a row is requested.
const DISTANCE: usize = 16;

/// Work of one task, an edge and a row counting one each: some tens of microseconds at width 64.
const BUDGET: usize = 2048;

/// Splits the rows into tasks of about [`BUDGET`] edges and rows, whatever the lengths of the rows. A row is
/// never split: one longer than the budget is a task of its own. Depends on `indptr` alone.
pub(crate) fn tasks(indptr: &[usize]) -> Vec<Range<usize>> {
    let n = indptr.len() - 1;
    let work = |row: usize| indptr[row] + row;
    let mut tasks = Vec::with_capacity(1 + (work(n) - work(0)) / BUDGET);
    let mut start = 0;
    while start < n {
        // Work grows from row to row: the first end that fills the budget is searched for, not walked to.
        let full =
            start + 1 + first_where(n - start - 1, |rows| work(start + 1 + rows) - work(start) >= BUDGET);
        let last_is_long = full - start > 1 && work(full) - work(full - 1) >= BUDGET;
        let end = if last_is_long { full - 1 } else { full };
        tasks.push(start..end);
        start = end;
    }
    tasks
}

/// The first number below `n` from which on `is_so` holds, or `n`.
fn first_where(n: usize, is_so: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_so(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Cuts `data` into consecutive parts of these lengths, which must add up to its own.
pub(crate) fn split<T>(mut data: &mut [T], lengths: impl Iterator<Item = usize>) -> Vec<&mut [T]> {
    let mut parts = Vec::new();
    for length in lengths {
        let (part, rest) = data.split_at_mut(length);
        parts.push(part);
        data = rest;
    }
    parts
}

/// The part of `data`, one value per edge, that belongs to each task.
pub(crate) fn split_edges<'a, T>(
    data: &'a mut [T],
    indptr: &[usize],
    tasks: &[Range<usize>],
) -> Vec<&'a mut [T]> {
    split(data, tasks.iter().map(|rows| indptr[rows.end] - indptr[rows.start]))
}

/// The part of `data`, `width` values per row, that belongs to each task.
pub(crate) fn split_rows<'a, T>(data: &'a mut [T], width: usize, tasks: &[Range<usize>]) -> Vec<&'a mut [T]> {
    split(data, tasks.iter().map(|rows| rows.len() * width))
}

/// Row `r` of a row-major table.
#[inline(always)]
pub(crate) fn row(table: &[f32], width: usize, r: usize) -> &[f32] {
    &table[r * width..][..width]
}

/// A table whose rows are read by number.
pub(crate) trait RowSource: Copy {
    /// The numbers from the start of row `r` on, at least `width` of them.
    fn tail(&self, r: usize, width: usize) -> &[f32];
}

impl RowSource for &[f32] {
    #[inline(always)]
    fn tail(&self, r: usize, width: usize) -> &[f32] {
        &self[r * width..]
    }
}

/// Two tables, the second's rows numbered on from the first's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a>(pub &'a [f32], pub &'a [f32]);

impl RowSource for Pair<'_> {
    #[inline(always)]
    fn tail(&self, r: usize, width: usize) -> &[f32] {
        let at = r * width;
        let (table, at) = if at < self.0.len() { (self.0, at) } else { (self.1, at - self.0.len()) };
        &table[at..]
    }
}

/// Prefetches the row of the edge that comes [`DISTANCE`] edges after `edge`, whichever row of the matrix it belongs to.
#[inline(always)]
pub(crate) fn prefetch_source(columns: &[u32], edge: usize, x: impl RowSource, width: usize) {
    if let Some(&column) = columns.get(edge + DISTANCE) {
        prefetch(&x.tail(column as usize, width)[..width]);
    }
}

/// What an edge adds to the row of its target.
trait Term {
    /// Adds the columns from `at` on.
    fn add<const W: usize>(&self, edge: usize, at: usize, sums: &mut [f32; W]);
}

/// `value(e) x[columns[e]]`.
struct One<'a, V, X> {
    columns: &'a [u32],
    value: V,
    x: X,
    width: usize,
}

impl<V: Fn(usize) -> f32, X: RowSource> Term for One<'_, V, X> {
    #[inline(always)]
    fn add<const W: usize>(&self, edge: usize, at: usize, sums: &mut [f32; W]) {
        if at == 0 {
            prefetch_source(self.columns, edge, self.x, self.width);
        }
        let x = self.x.tail(self.columns[edge] as usize, self.width);
        add_scaled(sums, (self.value)(edge), &x[at..][..W]);
    }
}

/// The terms of two sums over the same edges.
impl<A: Term, B: Term> Term for (A, B) {
    #[inline(always)]
    fn add<const W: usize>(&self, edge: usize, at: usize, sums: &mut [f32; W]) {
        self.0.add(edge, at, sums);
        self.1.add(edge, at, sums);
    }
}

/// What a sum over edges starts from.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    /// Zero.
    Zero,
    /// What the output holds.
    Output,
    /// Another row.
    Row(&'a [f32]),
}

impl Start<'_> {
    /// What a sum starts from that is added to its output, or replaces it.
    pub(crate) fn of(add: bool) -> Self {
        if add { Start::Output } else { Start::Zero }
    }
}

/// `out = sum_e value(e) x[columns[e]]`, the edges in order, for `out` of one row, and what it starts from.
#[inline(always)]
pub(crate) fn sum_edges(
    columns: &[u32],
    edges: Range<usize>,
    value: impl Fn(usize) -> f32,
    x: impl RowSource,
    start: Start,
    out: &mut [f32],
) {
    let width = out.len();
    sum(edges, &One { columns, value, x, width }, start, out);
}

/// `out = sum_e ( a(e) x[columns[e]] + b(e) y[columns[e]] )`, likewise.
#[inline(always)]
pub(crate) fn sum_edges_of_two(
    columns: &[u32],
    edges: Range<usize>,
    (a, b): (impl Fn(usize) -> f32, impl Fn(usize) -> f32),
    (x, y): (&[f32], &[f32]),
    start: Start,
    out: &mut [f32],
) {
    let width = out.len();
    let terms = (One { columns, value: a, x, width }, One { columns, value: b, x: y, width });
    sum(edges, &terms, start, out);
}

/// A block of columns stays in registers while the edges pass by; every column adds up its edges in the same
/// order whatever the block, so the width of the blocks does not show in the bits.
#[inline(always)]
fn sum(edges: Range<usize>, term: &impl Term, start: Start, out: &mut [f32]) {
    let width = out.len();
    let mut at = 0;
    while width - at >= 64 {
        block::<64>(edges.clone(), term, (at, start), out);
        at += 64;
    }
    if width - at >= 32 {
        block::<32>(edges.clone(), term, (at, start), out);
        at += 32;
    }
    if width - at >= 16 {
        block::<16>(edges.clone(), term, (at, start), out);
        at += 16;
    }
    if width - at >= 8 {
        block::<8>(edges.clone(), term, (at, start), out);
        at += 8;
    }
    for at in at..width {
        block::<1>(edges.clone(), term, (at, start), out);
    }
}

#[inline(always)]
fn block<const W: usize>(
    edges: Range<usize>,
    term: &impl Term,
    (at, start): (usize, Start),
    out: &mut [f32],
) {
    let mut sums = [0.0f32; W];
    match start {
        Start::Zero => {}
        Start::Output => sums.copy_from_slice(&out[at..at + W]),
        Start::Row(row) => sums.copy_from_slice(&row[at..at + W]),
    }
    for e in edges {
        term.add(e, at, &mut sums);
    }
    out[at..at + W].copy_from_slice(&sums);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indptr(lengths: &[usize]) -> Vec<usize> {
        let ends = lengths.iter().scan(0, |end, n| {
            *end += n;
            Some(*end)
        });
        [0].into_iter().chain(ends).collect()
    }

    #[test]
    fn tasks_cover_all_rows_in_order_and_stay_within_twice_the_budget() {
        let lengths: Vec<usize> = (0..5000).map(|r| if r % 997 == 5 { 9000 } else { r % 13 }).collect();
        let tasks = tasks(&indptr(&lengths));
        assert_eq!(tasks.iter().flat_map(|t| t.clone()).collect::<Vec<_>>(), (0..5000).collect::<Vec<_>>());
        for rows in &tasks {
            let work = lengths[rows.clone()].iter().sum::<usize>() + rows.len();
            assert!(work < 2 * BUDGET || rows.len() == 1, "{rows:?} does {work}");
        }
        assert!(tasks.len() < 60, "{} tasks", tasks.len());
    }

    #[test]
    fn empty_rows_count_as_work_and_no_rows_make_no_task() {
        assert_eq!(tasks(&[0]), []);
        assert_eq!(tasks(&[0, 0]), [Range { start: 0, end: 1 }]);
        assert_eq!(tasks(&vec![0; 3 * BUDGET + 1]).len(), 3);
    }
}
