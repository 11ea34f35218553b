//! Sums of outer products of rows, with parts of the sum in registers: the gradient of a small matrix.
//!
//! ```text
//! out[c][j] += sum_r g[r][c] x[r][j]        out d x k, g n x d, x n x k
//! ```
//! Neither table is packed. The rows of one call are added up from zero, in order, with fused instructions where the
//! processor has them, and this sum is added to `out`: a sum over many calls is one of partial sums.

use crate::fused::{self, InRegisters, Register};
use crate::tiles::{LANES, ROWS};

/// Adds the sum over all rows to `out`, on the calling thread. Tables of some hundred rows stay in the cache.
///
/// # Panics
/// If a length does not fit.
pub(crate) fn add_outer(g: &[f32], d: usize, x: &[f32], k: usize, out: &mut [f32]) {
    assert_eq!(out.len(), d * k, "outer: output length");
    assert_eq!(g.len() * k, x.len() * d, "outer: rows of both tables");
    let (whole, all) = (k - k % LANES, Tables { g, d, x, k });
    for first in (0..whole).step_by(LANES) {
        all.add_columns(first, out);
    }
    if whole < k {
        all.add_last_columns(whole, out);
    }
}

/// Both tables.
#[derive(Clone, Copy)]
struct Tables<'a> {
    g: &'a [f32],
    d: usize,
    x: &'a [f32],
    k: usize,
}

impl Tables<'_> {
    /// [`LANES`] columns from `first` on.
    fn add_columns(self, first: usize, out: &mut [f32]) {
        for c in (0..self.d).step_by(ROWS) {
            match ROWS.min(self.d - c) {
                6 => fused::run(Tile::<6> { of: self, c, first, out }),
                5 => fused::run(Tile::<5> { of: self, c, first, out }),
                4 => fused::run(Tile::<4> { of: self, c, first, out }),
                3 => fused::run(Tile::<3> { of: self, c, first, out }),
                2 => fused::run(Tile::<2> { of: self, c, first, out }),
                _ => fused::run(Tile::<1> { of: self, c, first, out }),
            }
        }
    }

    /// Columns `first..`, fewer than [`LANES`].
    fn add_last_columns(self, first: usize, out: &mut [f32]) {
        let Tables { g, d, x, k } = self;
        for (c, out) in out.chunks_exact_mut(k).enumerate() {
            let mut sums = [0.0; LANES];
            for (g, x) in g.chunks_exact(d).zip(x.chunks_exact(k)) {
                sums.iter_mut().zip(&x[first..]).for_each(|(sum, x)| *sum += g[c] * x);
            }
            out[first..].iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
        }
    }
}

/// Rows `c..c + R` and [`LANES`] columns of the output from `first` on.
struct Tile<'a, 'b, const R: usize> {
    of: Tables<'a>,
    c: usize,
    first: usize,
    out: &'b mut [f32],
}

impl<const R: usize> InRegisters for Tile<'_, '_, R> {
    #[inline(always)]
    fn run<V: Register>(self) {
        let Tile { of: Tables { g, d, x, k }, c, first, out } = self;
        for first in (first..first + LANES).step_by(2 * V::N) {
            let mut sums = [[V::splat(0.0); 2]; R];
            for (g, x) in g.chunks_exact(d).zip(x.chunks_exact(k)) {
                let (g, x) = (&g[c..c + R], V::read_pair(&x[first..]));
                for r in 0..R {
                    let g = V::splat(g[r]);
                    sums[r] = [sums[r][0].add_product(g, x[0]), sums[r][1].add_product(g, x[1])];
                }
            }
            let one = V::splat(1.0);
            for (r, [low, high]) in sums.into_iter().enumerate() {
                let out = &mut out[(c + r) * k + first..];
                let before = V::read_pair(out);
                V::write_pair([before[0].add_product(low, one), before[1].add_product(high, one)], out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_shape_gives_the_naive_sums() {
        for (n, d, k) in
            [(0, 3, 32), (1, 1, 1), (70, 64, 64), (5, 7, 33), (9, 12, 15), (64, 4, 128), (20, 17, 80)]
        {
            let g: Vec<f32> = (0..n * d).map(|i| ((i * 5) % 7) as f32 - 3.0).collect();
            let x: Vec<f32> = (0..n * k).map(|i| ((i * 11) % 9) as f32 - 4.0).collect();
            let mut out = vec![2.0; d * k];
            add_outer(&g, d, &x, k, &mut out);
            for (at, &found) in out.iter().enumerate() {
                let (c, j) = (at / k, at % k);
                // Whole numbers this small are exact in any order.
                let sum: f32 = (0..n).map(|r| g[r * d + c] * x[r * k + j]).sum();
                assert_eq!(found, 2.0 + sum, "{n} {d} {k}: {c} {j}");
            }
        }
    }
}
