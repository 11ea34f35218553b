//! The two inner loops of resizing.

use super::fixed_taps::{FRACTION, FixedTaps};

const HALF: i32 = 1 << (FRACTION - 1);

#[inline(always)]
fn rounded(sum: i32) -> u8 {
    (sum >> FRACTION).clamp(0, 255) as u8
}

/// Rows of `from` pixels become rows of as many pixels as there are taps.
pub(super) fn along_rows(rgb: &[u8], from: usize, taps: &FixedTaps) -> Vec<u8> {
    let mut out = vec![0; rgb.len() / from * taps.len()];
    rows(rgb, from, taps, &mut out);
    out
}

/// Rows of `bytes` bytes are blended into as many rows as there are taps.
pub(super) fn along_columns(rgb: &[u8], bytes: usize, taps: &FixedTaps) -> Vec<u8> {
    let mut out = vec![0; bytes * taps.len()];
    columns(rgb, bytes, taps, &mut out);
    out
}

equipoise_kernels::wide! {
/// Two rows at a time, so that the red, green and blue of both fill eight lanes.
fn rows(rgb: &[u8], from: usize, taps: &FixedTaps, out: &mut [u8]) {
    let (rows, to) = (rgb.len() / (3 * from), taps.len());
    let mut lanes = vec![[0i32; 8]; from];
    for row in (0..rows).step_by(2) {
        let second = (row + 1).min(rows - 1);
        let pixels = |row: usize| rgb[3 * from * row..3 * from * (row + 1)].as_chunks::<3>().0;
        for (lane, (a, b)) in lanes.iter_mut().zip(pixels(row).iter().zip(pixels(second))) {
            *lane = [a[0], a[1], a[2], 0, b[0], b[1], b[2], 0].map(i32::from);
        }
        for (x, (first, weights)) in taps.each().enumerate() {
            let mut sums = [HALF; 8];
            for (lane, &weight) in lanes[first..first + weights.len()].iter().zip(weights) {
                for (sum, value) in sums.iter_mut().zip(lane) {
                    *sum += value * weight;
                }
            }
            let done = sums.map(rounded);
            for (row, done) in [(row, &done[..3]), (second, &done[4..7])] {
                let at = 3 * (to * row + x);
                out[at..at + 3].copy_from_slice(done);
            }
        }
    }
}
}

equipoise_kernels::wide! {
fn columns(rgb: &[u8], bytes: usize, taps: &FixedTaps, out: &mut [u8]) {
    let mut sums = vec![0; bytes];
    for ((first, weights), out) in taps.each().zip(out.chunks_exact_mut(bytes)) {
        sums.fill(HALF);
        for (row, &weight) in rgb[bytes * first..].chunks_exact(bytes).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        out.iter_mut().zip(&sums).for_each(|(out, &sum)| *out = rounded(sum));
    }
}
}
