//! Sums of scaled rows, as wide as the processor allows and to the same bits on all of them.
//!
//! Every element is added to on its own, in the order of the rows and without fused operations, so that the width of
//! the registers changes nothing.

/// Rows added at a time.
pub(super) const GROUP: usize = 4;

/// `out += factors[0] * rows[0]`, then the next, ...: at most [`GROUP`] rows, each as long as `out`.
pub(super) fn add(out: &mut [f64], factors: &[f64], rows: [&[f64]; GROUP]) {
    let factors: [f64; GROUP] = match factors.try_into() {
        Ok(whole) => whole,
        Err(_) => {
            for (factor, row) in factors.iter().zip(rows) {
                out.iter_mut().zip(row).for_each(|(out, x)| *out += factor * x);
            }
            return;
        }
    };
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what the function needs.
            return unsafe { add_avx512(out, factors, rows) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function needs.
            return unsafe { add_avx2(out, factors, rows) };
        }
    }
    add_all(out, factors, rows);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn add_avx512(out: &mut [f64], factors: [f64; GROUP], rows: [&[f64]; GROUP]) {
    add_all(out, factors, rows);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_avx2(out: &mut [f64], factors: [f64; GROUP], rows: [&[f64]; GROUP]) {
    add_all(out, factors, rows);
}

#[inline(always)]
fn add_all(out: &mut [f64], [a, b, c, d]: [f64; GROUP], [x, y, z, w]: [&[f64]; GROUP]) {
    let rows = x.iter().zip(y).zip(z.iter().zip(w));
    for (out, ((x, y), (z, w))) in out.iter_mut().zip(rows) {
        *out = (((*out + a * x) + b * y) + c * z) + d * w;
    }
}

/// The rows of a chunk of whole rows; the last repeats where there are fewer than [`GROUP`], and is then not added.
pub(super) fn group(chunk: &[f64], length: usize) -> [&[f64]; GROUP] {
    let count = chunk.len() / length;
    std::array::from_fn(|k| &chunk[k.min(count - 1) * length..][..length])
}

/// Inner product in eight interleaved sums.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    for (a, b) in a.iter().zip(b) {
        (0..8).for_each(|k| sums[k] += a[k] * b[k]);
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_width_of_register_gives_the_bits_of_the_plain_loop(
            cells in prop::collection::vec(-1e3f64..1e3, 5 * 37), count in 1usize..=GROUP, n in 1usize..=37
        ) {
            let rows = &cells[..count * n];
            let factors = &cells[cells.len() - count..];
            let start = &cells[4 * 37..4 * 37 + n];
            let mut fast = start.to_vec();
            add(&mut fast, factors, group(rows, n));
            let mut slow = start.to_vec();
            for (factor, row) in factors.iter().zip(rows.chunks(n)) {
                for (out, x) in slow.iter_mut().zip(row) {
                    *out += factor * x;
                }
            }
            prop_assert_eq!(fast, slow);
        }
    }
}
