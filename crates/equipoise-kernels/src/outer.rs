//! Sums of outer products of rows, with parts of the sum in registers: the gradient of a small matrix.
//!
//! ```text
//! out[c][j] += sum_r g[r][c] x[r][j]        out d x k, g n x d, x n x k
//! ```
//! Both tables are read as they lie. The rows of one call are added up from zero, in their order, fused where the processor
//! can, and then to what there was: a sum over many calls is one of partial sums.

use crate::tiles::{LANES, ROWS};

/// Adds the sum over all rows to `out`, on the calling thread. Tables of some hundred rows stay in the cache.
///
/// # Panics
/// If a length does not fit.
pub(crate) fn add_outer(g: &[f32], d: usize, x: &[f32], k: usize, out: &mut [f32]) {
    assert_eq!(out.len(), d * k, "outer: output length");
    assert_eq!(g.len() * k, x.len() * d, "outer: rows of both tables");
    let whole = k - k % LANES;
    for first in (0..whole).step_by(LANES) {
        for c in (0..d).step_by(ROWS) {
            let tile = Tile { g, d, c, x, k, first };
            match ROWS.min(d - c) {
                6 => tile.add::<6>(out),
                5 => tile.add::<5>(out),
                4 => tile.add::<4>(out),
                3 => tile.add::<3>(out),
                2 => tile.add::<2>(out),
                _ => tile.add::<1>(out),
            }
        }
    }
    if whole < k {
        add_last_columns(g, d, x, k, whole, out);
    }
}

/// Columns `whole..`, fewer than [`LANES`].
fn add_last_columns(g: &[f32], d: usize, x: &[f32], k: usize, whole: usize, out: &mut [f32]) {
    for (c, out) in out.chunks_exact_mut(k).enumerate() {
        let mut sums = [0.0; LANES];
        for (g, x) in g.chunks_exact(d).zip(x.chunks_exact(k)) {
            sums.iter_mut().zip(&x[whole..]).for_each(|(sum, x)| *sum += g[c] * x);
        }
        out[whole..].iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
    }
}

/// Rows `c..c + R` and columns `first..first + LANES` of the output.
struct Tile<'a> {
    g: &'a [f32],
    d: usize,
    c: usize,
    x: &'a [f32],
    k: usize,
    first: usize,
}

impl Tile<'_> {
    #[inline(always)]
    fn add<const R: usize>(&self, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,fma")]
            fn fused<const R: usize>(tile: &Tile, out: &mut [f32]) {
                tile.body::<R, true>(out);
            }
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                // SAFETY: the processor has both.
                return unsafe { fused::<R>(self, out) };
            }
        }
        self.body::<R, { cfg!(target_arch = "aarch64") }>(out);
    }

    #[inline(always)]
    fn body<const R: usize, const FUSED: bool>(&self, out: &mut [f32]) {
        let Tile { g, d, c, x, k, first } = *self;
        let mut sums = [[0.0f32; LANES]; R];
        for (g, x) in g.chunks_exact(d).zip(x.chunks_exact(k)) {
            let (g, x) = (&g[c..c + R], &x[first..first + LANES]);
            for (sums, &g) in sums.iter_mut().zip(g) {
                for (sum, &x) in sums.iter_mut().zip(x) {
                    *sum = if FUSED { g.mul_add(x, *sum) } else { *sum + g * x };
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            let out = &mut out[(c + r) * k + first..][..LANES];
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_shape_gives_the_naive_sums() {
        for (n, d, k) in [(0, 3, 16), (1, 1, 1), (70, 64, 64), (5, 7, 33), (9, 12, 15), (64, 4, 128)] {
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
