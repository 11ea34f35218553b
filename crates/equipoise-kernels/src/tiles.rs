//! Small tiles of a product, with their sums in registers.
//!
//! ```text
//! out[r][l] (+)= sum_k a_r[k] b[k][l]        r < 6, l < 16
//! ```
//! `a` are rows as they lie in memory and `b` is a panel of [`LANES`] columns, packed. A tile of 6 rows needs 12
//! of the 16 vector registers of AVX2, enough to keep both multipliers busy. The terms of a sum are added in the order
//! of `k`, fused where the processor can: other processors may round the last bits differently.

/// Columns of a panel.
pub(crate) const LANES: usize = 16;
/// Most rows of a tile.
pub(crate) const ROWS: usize = 6;

/// One row of a packed panel: a cache line, so that no read of it needs two.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Lane(pub [f32; LANES]);

impl Lane {
    /// Zeros.
    pub(crate) const ZERO: Lane = Lane([0.0; LANES]);
}

/// Adds the product of at most [`ROWS`] rows `a` with the panel `b` to `out`, rows of [`LANES`] numbers that start `stride`
/// apart.
///
/// # Panics
/// If there are more rows than [`ROWS`], or if a slice is too short.
pub(crate) fn add_tile(a: &[&[f32]], b: &[Lane], out: &mut [f32], stride: usize) {
    tile::<true>(a, b, out, stride);
}

/// [`add_tile`] that overwrites `out`.
///
/// # Panics
/// As [`add_tile`].
pub(crate) fn write_tile(a: &[&[f32]], b: &[Lane], out: &mut [f32], stride: usize) {
    tile::<false>(a, b, out, stride);
}

/// Adds the tile of `a` with `b` to the columns of `out` (a row of `width` per row of `a`) from `first` on.
pub(crate) fn add_to_columns(a: &[&[f32]], b: &[Lane], out: &mut [f32], width: usize, first: usize) {
    let (count, out) = (LANES.min(width - first), &mut out[first..]);
    if count == LANES {
        return add_tile(a, b, out, width);
    }
    let mut sums = [0.0; LANES * ROWS];
    for (sum, row) in sums.chunks_exact_mut(LANES).zip(out.chunks(width)) {
        sum[..count].copy_from_slice(&row[..count]);
    }
    add_tile(a, b, &mut sums, LANES);
    for (sum, row) in sums.chunks_exact(LANES).zip(out.chunks_mut(width)) {
        row[..count].copy_from_slice(&sum[..count]);
    }
}

#[inline(always)]
fn tile<const ADD: bool>(a: &[&[f32]], b: &[Lane], out: &mut [f32], stride: usize) {
    match *a {
        [] => {}
        [a0] => dispatch::<1, ADD>([a0], b, out, stride),
        [a0, a1] => dispatch::<2, ADD>([a0, a1], b, out, stride),
        [a0, a1, a2] => dispatch::<3, ADD>([a0, a1, a2], b, out, stride),
        [a0, a1, a2, a3] => dispatch::<4, ADD>([a0, a1, a2, a3], b, out, stride),
        [a0, a1, a2, a3, a4] => dispatch::<5, ADD>([a0, a1, a2, a3, a4], b, out, stride),
        [a0, a1, a2, a3, a4, a5] => dispatch::<6, ADD>([a0, a1, a2, a3, a4, a5], b, out, stride),
        _ => panic!("tile: at most {ROWS} rows"),
    }
}

#[inline(always)]
fn dispatch<const R: usize, const ADD: bool>(a: [&[f32]; R], b: &[Lane], out: &mut [f32], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn fused<const R: usize, const ADD: bool>(
            a: [&[f32]; R],
            b: &[Lane],
            out: &mut [f32],
            stride: usize,
        ) {
            body::<R, ADD, true>(a, b, out, stride);
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has both.
            return unsafe { fused::<R, ADD>(a, b, out, stride) };
        }
    }
    body::<R, ADD, { cfg!(target_arch = "aarch64") }>(a, b, out, stride);
}

#[inline(always)]
fn body<const R: usize, const ADD: bool, const FUSED: bool>(
    a: [&[f32]; R],
    b: &[Lane],
    out: &mut [f32],
    stride: usize,
) {
    let a: [&[f32]; R] = std::array::from_fn(|r| &a[r][..b.len()]);
    let mut acc = [[0.0; LANES]; R];
    if ADD {
        for (r, acc) in acc.iter_mut().enumerate() {
            acc.copy_from_slice(&out[r * stride..][..LANES]);
        }
    }
    for (k, lane) in b.iter().enumerate() {
        for r in 0..R {
            // SAFETY: every row was cut to the length of `b`.
            let x = unsafe { *a[r].get_unchecked(k) };
            for (sum, z) in acc[r].iter_mut().zip(&lane.0) {
                *sum = if FUSED { x.mul_add(*z, *sum) } else { *sum + x * z };
            }
        }
    }
    for (r, acc) in acc.iter().enumerate() {
        out[r * stride..][..LANES].copy_from_slice(acc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_height_gives_the_naive_sums() {
        let (k, stride) = (37, 20);
        let rows: Vec<Vec<f32>> =
            (0..ROWS).map(|r| (0..k).map(|i| ((r * 31 + i * 7) % 11) as f32 - 5.0).collect()).collect();
        let b: Vec<Lane> =
            (0..k).map(|i| Lane(std::array::from_fn(|l| ((i * 5 + l * 3) % 13) as f32 - 6.0))).collect();
        for height in 0..=ROWS {
            let a: Vec<&[f32]> = rows[..height].iter().map(Vec::as_slice).collect();
            let (mut added, mut written) = (vec![1.0; stride * ROWS], vec![1.0; stride * ROWS]);
            add_tile(&a, &b, &mut added, stride);
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
