//! Rows of a dense table, and their gradient scattered back into a table of zeros.

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
        for (o, &r) in out.chunks_exact_mut(width).zip(rows) {
            o.copy_from_slice(&table[r as usize * width..][..width]);
        }
    });
}

/// The gradient of [`gather_rows`] for **distinct** rows: `out[rows[k]] = grad[k]`, every other row of
/// `out` is left as it is (zero, when `out` starts as zeros).
///
/// # Panics
/// If a row index or a length does not fit.
pub fn scatter_rows(grad: &[f32], width: usize, rows: &[u32], out: &mut [f32]) {
    assert_eq!(grad.len(), rows.len() * width, "scatter: gradient length");
    for (g, &r) in grad.chunks_exact(width).zip(rows) {
        out[r as usize * width..][..width].copy_from_slice(g);
    }
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
        let mut back = vec![0.0; 30];
        scatter_rows(&picked, 3, &rows, &mut back);
        for r in 0..10 {
            let expected = if rows.contains(&(r as u32)) { &table[r * 3..][..3] } else { &[0.0; 3][..] };
            assert_eq!(&back[r * 3..][..3], expected);
        }
    }
}
