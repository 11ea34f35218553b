//! Small vector helpers, written so that the compiler vectorises them on any target.

/// Defines a function whose body is compiled twice, plainly and for AVX2, and chosen at run time. Neither body
/// fuses multiplications with additions, so both give the same bits.
#[macro_export]
macro_rules! wide {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) {
            #[inline(always)]
            fn plain($($arg: $ty),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $ty),*) {
                    plain($($arg),*);
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2.
                    return unsafe { avx2($($arg),*) };
                }
            }
            plain($($arg),*);
        }
    };
}
pub(crate) use wide;

/// Independent accumulators of a dot product: wide enough for two 8-lane FMA chains.
const LANES: usize = 16;

/// Inner product of two equally long slices, summed in a fixed order.
///
/// # Examples
/// ```
/// assert_eq!(equipoise_kernels::dot(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 32.0);
/// ```
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (a_main, a_rest) = a.as_chunks::<LANES>();
    let (b_main, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_main.iter().zip(b_main) {
        for l in 0..LANES {
            lanes[l] += x[l] * y[l];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f32>() + rest
}

/// Inner product of two equally long slices in float64, in a fixed order: the same bits on every machine, and
/// no overflow.
///
/// # Panics
/// If the lengths differ.
pub fn precise_dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "dot: lengths");
    let mut out = 0.0;
    accumulate(a, b, &mut out);
    out
}

wide! {
    fn accumulate(a: &[f32], b: &[f32], out: &mut f64) {
        const LANES: usize = 16;
        let mut lanes = [0.0f64; LANES];
        let (a_main, a_rest) = a.as_chunks::<LANES>();
        let (b_main, b_rest) = b.as_chunks::<LANES>();
        for (x, y) in a_main.iter().zip(b_main) {
            for l in 0..LANES {
                lanes[l] += f64::from(x[l]) * f64::from(y[l]);
            }
        }
        for (lane, (x, y)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
            *lane += f64::from(*x) * f64::from(*y);
        }
        *out = lanes.iter().sum();
    }
}

/// `out += scale * x`.
#[inline(always)]
pub(crate) fn add_scaled(out: &mut [f32], scale: f32, x: &[f32]) {
    for (o, v) in out.iter_mut().zip(x) {
        *o += scale * v;
    }
}

/// Sum of 16 lanes by halving: a fixed order that costs four vector additions instead of sixteen scalar ones.
#[inline(always)]
pub(crate) fn lane_sum(lanes: [f32; LANES]) -> f32 {
    let mut eight: [f32; 8] = std::array::from_fn(|l| lanes[l] + lanes[l + 8]);
    for half in [4, 2, 1] {
        for l in 0..half {
            eight[l] += eight[l + half];
        }
    }
    eight[0]
}

/// Inner product as [`dot`], the lanes summed by halving: for the short rows of a graph's tables, where
/// summing the lanes is a large part of the work.
#[inline(always)]
pub(crate) fn short_dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (a_main, a_rest) = a.as_chunks::<LANES>();
    let (b_main, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_main.iter().zip(b_main) {
        for l in 0..LANES {
            lanes[l] += x[l] * y[l];
        }
    }
    for (lane, (x, y)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane += x * y;
    }
    lane_sum(lanes)
}

/// Sum of a slice in a fixed order, 16 partial sums side by side.
#[inline(always)]
pub(crate) fn sum(x: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (main, rest) = x.as_chunks::<LANES>();
    for part in main {
        for l in 0..LANES {
            lanes[l] += part[l];
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x;
    }
    lane_sum(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precise_dot_neither_overflows_nor_underflows() {
        assert_eq!(precise_dot(&[1e30, 1e-30], &[1e30, 1e-30]), 1e30f32 as f64 * 1e30f32 as f64);
        assert!(precise_dot(&[1e-30; 3], &[1e-30; 3]) > 2.9e-60);
    }
}
