//! `exp` in plain arithmetic that the compiler vectorises, and the pieces that `sigmoid` and `tanh` share.
//!
//! ```text
//! x = n ln 2 + r,   |r| <= ln 2 / 2,   e^x = 2^n (1 + p(r)),   p(r) = e^r - 1
//! ```
//!
//! `n ln 2` is subtracted in two parts, the first with few enough bits that its product with `n` is exact; `p`
//! is the Taylor series to degree 7, whose remainder is below 6e-9. Relative error below 1e-7 wherever the
//! result is a normal number.

use crate::vector::wide;
use rayon::prelude::*;

/// Elements handled by one task.
pub(crate) const CHUNK: usize = 16 * 1024;

/// Adding and subtracting `1.5 * 2^23` rounds to the nearest whole number, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0;
/// The leading 9 bits of `ln 2`, and the rest of it.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = (std::f64::consts::LN_2 - 355.0 / 512.0) as f32;

/// `out[k] = e^x[k]`; 0 below about -104, infinite above about 88.7, NaN for NaN.
///
/// # Panics
/// If the lengths differ.
pub fn exp(x: &[f32], out: &mut [f32]) {
    assert_eq!(out.len(), x.len(), "exp: output length");
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(out, x)| exp_chunk(x, out));
}

wide! {
    fn exp_chunk(x: &[f32], out: &mut [f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = exp_one(x);
        }
    }
}

/// `e^x` of one number, as [`exp`] of many.
#[inline(always)]
pub fn exp_one(x: f32) -> f32 {
    // Beyond these the result is 0 or infinite; within them `n` fits the two powers of `scale`.
    let (p, n) = reduce(x.clamp(-105.0, 90.0));
    let (half, rest) = (n >> 1, n.wrapping_sub(n >> 1));
    // In two steps, for 2^n alone may be too small or too large where the result is not.
    (1.0 + p) * power_of_two(half) * power_of_two(rest)
}

/// `e^x - 1` for `x` in `[-80, 0]`, with small relative error also near 0.
#[inline(always)]
pub(crate) fn exp_minus_one(x: f32) -> f32 {
    let (p, n) = reduce(x);
    let scale = power_of_two(n);
    scale * p + (scale - 1.0)
}

/// `(e^r - 1, n)` with `x = n ln 2 + r`.
#[inline(always)]
fn reduce(x: f32) -> (f32, i32) {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let tail = 1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let tail = 0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * tail));
    (r + r * r * tail, shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32)
}

/// `2^n` for `n` in `-126..=127`.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}
