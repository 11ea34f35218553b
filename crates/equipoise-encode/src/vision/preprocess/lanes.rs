//! The two inner loops of resizing, compiled for plain x86-64 and for AVX2.

use super::resize::{FRACTION, FixedTaps};

/// Defines a function whose body is also compiled for AVX2, which is taken where the processor has it.
macro_rules! also_avx2 {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)? = $body:ident) => {
        $(#[$doc])*
        pub(super) fn $name($($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn fast($($arg: $type),*) $(-> $out)? {
                    $body($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2.
                    return unsafe { fast($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}

also_avx2! {
    /// Rows of `from` pixels become rows of as many pixels as there are taps.
    fn along_rows(rgb: &[u8], from: usize, taps: &FixedTaps) -> Vec<u8> = rows_body
}

also_avx2! {
    /// Rows of `bytes` bytes are blended into as many rows as there are taps.
    fn along_columns(rgb: &[u8], bytes: usize, taps: &FixedTaps) -> Vec<u8> = columns_body
}

const HALF: i32 = 1 << (FRACTION - 1);

fn rounded(sum: i32) -> u8 {
    (sum >> FRACTION).clamp(0, 255) as u8
}

/// Two rows at a time, so that the red, green and blue of both fill eight lanes.
#[inline(always)]
fn rows_body(rgb: &[u8], from: usize, taps: &FixedTaps) -> Vec<u8> {
    let (rows, to) = (rgb.len() / (3 * from), taps.len());
    let mut out = vec![0; 3 * to * rows];
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
    out
}

#[inline(always)]
fn columns_body(rgb: &[u8], bytes: usize, taps: &FixedTaps) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes * taps.len());
    let mut sums = vec![0; bytes];
    for (first, weights) in taps.each() {
        sums.fill(HALF);
        for (row, &weight) in rgb[bytes * first..].chunks_exact(bytes).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| rounded(sum)));
    }
    out
}
