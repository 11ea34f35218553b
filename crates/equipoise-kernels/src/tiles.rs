//! Small tiles of a product, with their sums in registers.
//!
//! ```text
//! out[r][l] (+)= sum_k a_r[k] b[k][l]        r < 6, l < 32
//! ```
//! `a` are rows as they lie in memory and `b` is a panel of [`LANES`] columns, packed. A tile of 6 rows needs 12
//! of the 32 registers of AVX-512, or twice 12 of the 16 of AVX2: enough to keep both multipliers busy, with more products
//! than reads. The terms of a sum are added in the order of `k`, [fused](fused::run) where the processor can.

use crate::fused::{self, InRegisters, Register};
use crate::prefetch::{NoPrefetch, Prefetch};

/// Columns of a panel: two registers of AVX-512, twice two of AVX2.
pub(crate) const LANES: usize = 32;
/// Most rows of a tile.
pub(crate) const ROWS: usize = 6;
/// A line is requested every so many terms: memory delivers about one line to a core in the time of five terms.
const EVERY: usize = 4;

/// One row of a packed panel: two cache lines, so that a read of 16 numbers needs one.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Lane(pub [f32; LANES]);

impl Lane {
    /// Zeros.
    pub(crate) const ZERO: Lane = Lane([0.0; LANES]);
}

/// The rows of `width >= 1` of a block of at most [`ROWS`], and how many they are.
#[inline(always)]
pub(crate) fn rows_of(block: &[f32], width: usize) -> ([&[f32]; ROWS], usize) {
    let mut rows: [&[f32]; ROWS] = [&[]; ROWS];
    rows.iter_mut().zip(block.chunks_exact(width)).for_each(|(row, part)| *row = part);
    (rows, block.len() / width)
}

/// Writes the product of at most [`ROWS`] rows `a` with the panel `b` to `out`, rows of [`LANES`] numbers that start `stride`
/// apart.
///
/// # Panics
/// If there are more rows than [`ROWS`], or if a slice is too short.
pub(crate) fn write_tile(a: &[&[f32]], b: &[Lane], out: &mut [f32], stride: usize) {
    tile::<false>(a, b, out, stride, &mut NoPrefetch);
}

/// Adds the tile of `a` with `b` to the columns of `out` (a row of `width` per row of `a`) from `first` on, and requests the
/// lines of `next` meanwhile.
///
/// # Panics
/// As [`write_tile`].
pub(crate) fn add_to_columns(
    a: &[&[f32]],
    b: &[Lane],
    out: &mut [f32],
    width: usize,
    first: usize,
    next: &mut impl Prefetch,
) {
    let (count, out) = (LANES.min(width - first), &mut out[first..]);
    if count == LANES {
        return tile::<true>(a, b, out, width, next);
    }
    let mut sums = [0.0; LANES * ROWS];
    for (sum, row) in sums.chunks_exact_mut(LANES).zip(out.chunks(width)) {
        sum[..count].copy_from_slice(&row[..count]);
    }
    tile::<true>(a, b, &mut sums, LANES, next);
    for (sum, row) in sums.chunks_exact(LANES).zip(out.chunks_mut(width)) {
        row[..count].copy_from_slice(&sum[..count]);
    }
}

#[inline(always)]
fn tile<const ADD: bool>(a: &[&[f32]], b: &[Lane], out: &mut [f32], stride: usize, next: &mut impl Prefetch) {
    match *a {
        [] => {}
        [a0] => fused::run(Tile::<1, ADD, _> { a: [a0], b, out, stride, next }),
        [a0, a1] => fused::run(Tile::<2, ADD, _> { a: [a0, a1], b, out, stride, next }),
        [a0, a1, a2] => fused::run(Tile::<3, ADD, _> { a: [a0, a1, a2], b, out, stride, next }),
        [a0, a1, a2, a3] => fused::run(Tile::<4, ADD, _> { a: [a0, a1, a2, a3], b, out, stride, next }),
        [a0, a1, a2, a3, a4] => {
            fused::run(Tile::<5, ADD, _> { a: [a0, a1, a2, a3, a4], b, out, stride, next });
        }
        [a0, a1, a2, a3, a4, a5] => {
            fused::run(Tile::<6, ADD, _> { a: [a0, a1, a2, a3, a4, a5], b, out, stride, next });
        }
        _ => panic!("tile: at most {ROWS} rows"),
    }
}

/// `R` rows of one panel.
struct Tile<'a, const R: usize, const ADD: bool, A> {
    a: [&'a [f32]; R],
    b: &'a [Lane],
    out: &'a mut [f32],
    stride: usize,
    next: &'a mut A,
}

impl<const R: usize, const ADD: bool, A: Prefetch> InRegisters for Tile<'_, R, ADD, A> {
    #[inline(always)]
    fn run<V: Register>(self) {
        let Tile { a, b, out, stride, next } = self;
        let a: [&[f32]; R] = std::array::from_fn(|r| &a[r][..b.len()]);
        let (groups, rest) = b.as_chunks::<EVERY>();
        for first in (0..LANES).step_by(2 * V::N) {
            let mut acc = [[V::splat(0.0); 2]; R];
            if ADD {
                for (r, acc) in acc.iter_mut().enumerate() {
                    *acc = V::read_pair(&out[r * stride + first..]);
                }
            }
            for (g, group) in groups.iter().enumerate() {
                next.next_line();
                for (k, lane) in group.iter().enumerate() {
                    // SAFETY: every row was cut to the length of `b`, which has a term `k`.
                    unsafe { add_term(&mut acc, &a, g * EVERY + k, V::read_pair(&lane.0[first..])) };
                }
            }
            for (k, lane) in rest.iter().enumerate() {
                // SAFETY: as above.
                unsafe { add_term(&mut acc, &a, groups.len() * EVERY + k, V::read_pair(&lane.0[first..])) };
            }
            for (r, acc) in acc.iter().enumerate() {
                V::write_pair(*acc, &mut out[r * stride + first..]);
            }
        }
    }
}

/// Term `k` of all sums, `z` of the panel.
///
/// # Safety
/// Every row of `a` has a term `k`.
#[inline(always)]
unsafe fn add_term<V: Register, const R: usize>(acc: &mut [[V; 2]; R], a: &[&[f32]; R], k: usize, z: [V; 2]) {
    for r in 0..R {
        // SAFETY: the caller's.
        let x = V::splat(unsafe { *a[r].get_unchecked(k) });
        acc[r] = [acc[r][0].add_product(x, z[0]), acc[r][1].add_product(x, z[1])];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_height_gives_the_naive_sums() {
        let (k, stride) = (37, 40);
        let rows: Vec<Vec<f32>> =
            (0..ROWS).map(|r| (0..k).map(|i| ((r * 31 + i * 7) % 11) as f32 - 5.0).collect()).collect();
        let b: Vec<Lane> =
            (0..k).map(|i| Lane(std::array::from_fn(|l| ((i * 5 + l * 3) % 13) as f32 - 6.0))).collect();
        for height in 0..=ROWS {
            let a: Vec<&[f32]> = rows[..height].iter().map(Vec::as_slice).collect();
            let (mut added, mut written) = (vec![1.0; stride * ROWS], vec![1.0; stride * ROWS]);
            add_to_columns(&a, &b, &mut added, stride, 0, &mut NoPrefetch);
            write_tile(&a, &b, &mut written, stride);
            for at in 0..added.len() {
                let (r, l) = (at / stride, at % stride);
                // Whole numbers this small are exact in any order.
                let expected = if r < height && l < LANES {
                    let sum: f32 = (0..k).map(|i| rows[r][i] * b[i].0[l]).sum();
                    (1.0 + sum, sum)
                } else {
                    (1.0, 1.0)
                };
                assert_eq!((added[at], written[at]), expected, "{height} {r} {l}");
            }
        }
    }
}
