//! Small tiles of a product, with their sums in registers.
//!
//! ```text
//! sums[r][l] += sum_k a_r[k] b[k][l]        r < 6, l < 16
//! ```
//! `a` are rows as they lie in memory and `b` is a panel of [`LANES`] columns, packed. A tile of 6 rows needs 12
//! of the 16 vector registers of AVX2, enough to keep both multipliers busy. The terms of a sum are added in the order
//! of `k`, fused where the processor can: other processors may round the last bits differently.

/// Columns of a panel.
pub(crate) const LANES: usize = 16;
/// Most rows of a tile.
pub(crate) const ROWS: usize = 6;

/// One row of a packed panel.
pub(crate) type Lane = [f32; LANES];

/// Adds the product of 1 to [`ROWS`] rows `a` with the panel `b` to `sums`.
///
/// # Panics
/// If there are more rows than [`ROWS`] or sums, or if one is shorter than the panel.
pub(crate) fn add_tile(a: &[&[f32]], b: &[Lane], sums: &mut [Lane]) {
    assert!(sums.len() >= a.len() && a.iter().all(|row| row.len() >= b.len()), "tile: lengths");
    match *a {
        [] => {}
        [a0] => dispatch([a0], b, sums),
        [a0, a1] => dispatch([a0, a1], b, sums),
        [a0, a1, a2] => dispatch([a0, a1, a2], b, sums),
        [a0, a1, a2, a3] => dispatch([a0, a1, a2, a3], b, sums),
        [a0, a1, a2, a3, a4] => dispatch([a0, a1, a2, a3, a4], b, sums),
        [a0, a1, a2, a3, a4, a5] => dispatch([a0, a1, a2, a3, a4, a5], b, sums),
        _ => panic!("tile: at most {ROWS} rows"),
    }
}

#[inline(always)]
fn dispatch<const R: usize>(a: [&[f32]; R], b: &[Lane], sums: &mut [Lane]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn fused<const R: usize>(a: [&[f32]; R], b: &[Lane], sums: &mut [Lane]) {
            body::<R, true>(a, b, sums);
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has both.
            return unsafe { fused(a, b, sums) };
        }
    }
    body::<R, { cfg!(target_arch = "aarch64") }>(a, b, sums);
}

#[inline(always)]
fn body<const R: usize, const FUSED: bool>(a: [&[f32]; R], b: &[Lane], sums: &mut [Lane]) {
    let a: [&[f32]; R] = std::array::from_fn(|r| &a[r][..b.len()]);
    let mut acc: [Lane; R] = std::array::from_fn(|r| sums[r]);
    for (k, lane) in b.iter().enumerate() {
        for r in 0..R {
            // SAFETY: every row was cut to the length of `b`.
            let x = unsafe { *a[r].get_unchecked(k) };
            for l in 0..LANES {
                acc[r][l] = if FUSED { x.mul_add(lane[l], acc[r][l]) } else { acc[r][l] + x * lane[l] };
            }
        }
    }
    sums[..R].copy_from_slice(&acc);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_height_adds_the_naive_sums() {
        let k = 37;
        let rows: Vec<Vec<f32>> =
            (0..ROWS).map(|r| (0..k).map(|i| ((r * 31 + i * 7) % 11) as f32 - 5.0).collect()).collect();
        let b: Vec<Lane> =
            (0..k).map(|i| std::array::from_fn(|l| ((i * 5 + l * 3) % 13) as f32 - 6.0)).collect();
        for height in 0..=ROWS {
            let a: Vec<&[f32]> = rows[..height].iter().map(Vec::as_slice).collect();
            let mut sums = vec![[1.0; LANES]; ROWS];
            add_tile(&a, &b, &mut sums);
            for (r, lane) in sums.iter().enumerate() {
                for (l, &found) in lane.iter().enumerate() {
                    let sum: f32 = (0..k).map(|i| rows[r][i] * b[i][l]).sum();
                    // Whole numbers this small are exact in any order.
                    assert_eq!(found, if r < height { 1.0 + sum } else { 1.0 }, "{height} {r} {l}");
                }
            }
        }
    }
}
