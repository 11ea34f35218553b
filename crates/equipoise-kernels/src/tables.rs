//! Whole tables joined, padded and added up, on all threads: memory limits their speed, and one thread cannot use all of its
//! bandwidth.

use crate::vector::wide;
use rayon::prelude::*;

/// Numbers handled by one task: 64 KiB.
const CHUNK: usize = 1 << 14;

/// `out = [first ; second]`.
///
/// # Panics
/// If a length does not fit.
pub fn join(first: &[f32], second: &[f32], out: &mut [f32]) {
    assert_eq!(out.len(), first.len() + second.len(), "join: output length");
    let (of_first, of_second) = out.split_at_mut(first.len());
    copy(first, of_first);
    copy(second, of_second);
}

/// Writes `part` to `out` from `start` on, and zeros elsewhere.
///
/// # Panics
/// If a length does not fit.
pub fn pad(part: &[f32], start: usize, out: &mut [f32]) {
    assert!(start + part.len() <= out.len(), "pad: output length");
    let (before, rest) = out.split_at_mut(start);
    let (middle, after) = rest.split_at_mut(part.len());
    zero(before);
    copy(part, middle);
    zero(after);
}

/// Overwrites `out` with zeros.
pub fn zero(out: &mut [f32]) {
    out.par_chunks_mut(CHUNK).for_each(|out| out.fill(0.0));
}

fn copy(from: &[f32], out: &mut [f32]) {
    out.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK)).for_each(|(out, from)| out.copy_from_slice(from));
}

/// `out = scale x`.
///
/// # Panics
/// If a length does not fit.
pub fn scaled(x: &[f32], scale: f32, out: &mut [f32]) {
    assert_eq!(out.len(), x.len(), "scaled: output length");
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(out, x)| scale_chunk(x, scale, out));
}

wide! {
    fn scale_chunk(x: &[f32], scale: f32, out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = scale * x;
        }
    }
}

/// `out = scale ( a + b )`.
///
/// # Panics
/// If a length does not fit.
pub fn blend(a: &[f32], b: &[f32], scale: f32, out: &mut [f32]) {
    assert_eq!([a.len(), b.len()], [out.len(); 2], "blend: lengths");
    let operands = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK));
    out.par_chunks_mut(CHUNK).zip(operands).for_each(|(out, (a, b))| blend_chunk(a, b, scale, out));
}

wide! {
    fn blend_chunk(a: &[f32], b: &[f32], scale: f32, out: &mut [f32]) {
        for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
            *out = scale * (a + b);
        }
    }
}

/// `sum += x`.
///
/// # Panics
/// If a length does not fit.
pub fn add(x: &[f32], sum: &mut [f32]) {
    assert_eq!(sum.len(), x.len(), "add: lengths");
    sum.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(sum, x)| add_chunk(x, sum));
}

wide! {
    fn add_chunk(x: &[f32], sum: &mut [f32]) {
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum += x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths on both sides of a task's.
    const LENGTHS: [usize; 4] = [0, 3, CHUNK, 2 * CHUNK + 5];

    fn numbers(n: usize, step: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * step) % 13) as f32 - 6.0).collect()
    }

    #[test]
    fn joined_and_padded_tables_hold_their_parts_in_place() {
        for (n, m) in LENGTHS.into_iter().zip([4, 0, CHUNK + 1, 7]) {
            let (a, b) = (numbers(n, 5), numbers(m, 3));
            let mut out = vec![f32::NAN; n + m];
            join(&a, &b, &mut out);
            assert_eq!(out, [a.clone(), b.clone()].concat());
            let mut out = vec![f32::NAN; n + m + 9];
            pad(&a, m, &mut out);
            assert_eq!(out, [vec![0.0; m], a, vec![0.0; 9]].concat());
        }
    }

    #[test]
    fn sums_are_those_of_the_entries() {
        for n in LENGTHS {
            let (a, b) = (numbers(n, 5), numbers(n, 3));
            let sums: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            let mut sum = b.clone();
            add(&a, &mut sum);
            assert_eq!(sum, sums);
            let mut out = vec![f32::NAN; n];
            blend(&a, &b, 0.5, &mut out);
            assert_eq!(out, sums.iter().map(|x| 0.5 * x).collect::<Vec<_>>());
            scaled(&a, 0.25, &mut out);
            assert_eq!(out, a.iter().map(|x| 0.25 * x).collect::<Vec<_>>());
        }
    }
}
