//! Rows of a dense table, and their gradient scattered back into a table of zeros.

use crate::rows::split;
use crate::tables;
use rayon::prelude::*;

/// Rows handled by one task.
const CHUNK: usize = 512;

/// Copies `rows` of a row-major table `? x width` into `out` (`rows.len() x width`).
///
/// # Panics
/// If a row index or a length does not fit: indices are checked when a batch is built.
pub fn gather_rows(table: &[f32], width: usize, rows: &[u32], out: &mut [f32]) {
    assert_eq!(out.len(), rows.len() * width, "gather: output length");
    out.par_chunks_mut(CHUNK * width).zip(rows.par_chunks(CHUNK)).for_each(|(out, rows)| {
        if width == 1 {
            return out.iter_mut().zip(rows).for_each(|(o, &r)| *o = table[r as usize]);
        }
        for (o, &r) in out.chunks_exact_mut(width).zip(rows) {
            o.copy_from_slice(&table[r as usize * width..][..width]);
        }
    });
}

/// The gradient of [`gather_rows`] for **distinct** rows: `out[rows[k]] = grad[k]`, and every other row of `out` is
/// zero. Rows in ascending order are written on all threads.
///
/// # Panics
/// If a row index or a length does not fit.
pub fn scatter_rows(grad: &[f32], width: usize, rows: &[u32], out: &mut [f32]) {
    assert_eq!(grad.len(), rows.len() * width, "scatter: gradient length");
    if !ascending(rows) || rows.is_empty() {
        tables::zero(out);
        for (g, &r) in grad.chunks_exact(width).zip(rows) {
            out[r as usize * width..][..width].copy_from_slice(g);
        }
        return;
    }
    in_tasks(grad, width, rows, out, |grad, positions, out| place(grad, width, positions, out));
}

/// The same gradient added to what `out` holds: `out[rows[k]] += grad[k]`. Rows in ascending order are added on all
/// threads.
///
/// # Panics
/// If a row index or a length does not fit.
pub fn add_rows(grad: &[f32], width: usize, rows: &[u32], out: &mut [f32]) {
    assert_eq!(grad.len(), rows.len() * width, "add rows: gradient length");
    let add = |grad: &[f32], positions: Positions, out: &mut [f32]| {
        for (g, at) in grad.chunks_exact(width).zip(positions) {
            out[at * width..][..width].iter_mut().zip(g).for_each(|(sum, g)| *sum += g);
        }
    };
    if ascending(rows) {
        in_tasks(grad, width, rows, out, add);
    } else {
        add(grad, Positions { rows: rows.iter(), start: 0 }, out);
    }
}

fn ascending(rows: &[u32]) -> bool {
    rows.is_sorted_by(|a, b| a < b)
}

/// Positions of a task's rows in its part of a table.
struct Positions<'a> {
    rows: std::slice::Iter<'a, u32>,
    /// The first row of that part.
    start: u32,
}

impl Iterator for Positions<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.rows.next().map(|row| (row - self.start) as usize)
    }
}

/// Runs `work` on some ascending rows at a time, with their parts of `grad` and of `out`.
fn in_tasks(
    grad: &[f32],
    width: usize,
    rows: &[u32],
    out: &mut [f32],
    work: impl Fn(&[f32], Positions, &mut [f32]) + Sync + Send,
) {
    // A task's part of `out` begins at its first row (the first task's at row 0) and ends before the next task's first row.
    let firsts = rows.chunks(CHUNK).map(|rows| rows[0] as usize * width).skip(1);
    let ends = firsts.chain([out.len()]);
    let lengths = ends.scan(0, |start, end| Some(end - std::mem::replace(start, end)));
    let parts = split(out, lengths);
    let tasks = parts.into_par_iter().zip(rows.par_chunks(CHUNK)).zip(grad.par_chunks(CHUNK * width));
    tasks.enumerate().for_each(|(task, ((out, rows), grad))| {
        let start = if task == 0 { 0 } else { rows[0] };
        work(grad, Positions { rows: rows.iter(), start }, out);
    });
}

/// Writes rows at ascending positions, and zeros elsewhere.
fn place(grad: &[f32], width: usize, positions: impl Iterator<Item = usize>, out: &mut [f32]) {
    let mut done = 0;
    for (g, position) in grad.chunks_exact(width).zip(positions) {
        let at = position * width;
        out[done..at].fill(0.0);
        out[at..][..width].copy_from_slice(g);
        done = at + width;
    }
    out[done..].fill(0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scatter_undoes_gather_on_the_chosen_rows() {
        let table: Vec<f32> = (0..30).map(|x| x as f32).collect();
        let rows = [1, 4, 9];
        let mut picked = vec![0.0; 9];
        gather_rows(&table, 3, &rows, &mut picked);
        assert_eq!(picked, [3., 4., 5., 12., 13., 14., 27., 28., 29.]);
        let mut back = vec![f32::NAN; 30];
        scatter_rows(&picked, 3, &rows, &mut back);
        for r in 0..10 {
            let expected = if rows.contains(&(r as u32)) { &table[r * 3..][..3] } else { &[0.0; 3][..] };
            assert_eq!(&back[r * 3..][..3], expected);
        }
    }

    #[test]
    fn single_numbers_are_rows_of_one_column() {
        let table: Vec<f32> = (0..7).map(|x| x as f32).collect();
        let mut picked = vec![0.0; 3];
        gather_rows(&table, 1, &[6, 0, 3], &mut picked);
        assert_eq!(picked, [6.0, 0.0, 3.0]);
    }

    #[test]
    fn rows_in_any_order_and_across_tasks_land_where_they_belong() {
        let (n, width) = (5 * CHUNK, 2);
        let ascending: Vec<u32> = (0..n as u32).filter(|r| r % 7 > 1 && !(600..1900).contains(r)).collect();
        let descending: Vec<u32> = ascending.iter().rev().copied().collect();
        for rows in [ascending, descending, vec![], vec![0], vec![n as u32 - 1]] {
            let grad: Vec<f32> = (0..rows.len() * width).map(|x| 1.0 + x as f32).collect();
            let mut out = vec![f32::NAN; n * width];
            scatter_rows(&grad, width, &rows, &mut out);
            let mut expected = vec![0.0; n * width];
            for (k, &r) in rows.iter().enumerate() {
                expected[r as usize * width..][..width].copy_from_slice(&grad[k * width..][..width]);
            }
            assert_eq!(out, expected, "{} rows", rows.len());
            add_rows(&grad, width, &rows, &mut out);
            let twice: Vec<f32> = expected.iter().map(|x| 2.0 * x).collect();
            assert_eq!(out, twice, "{} rows added", rows.len());
        }
    }
}
