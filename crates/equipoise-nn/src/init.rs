//! Initialisers, drawn from a named random stream so that they do not depend on the device or on threads.
//!
//! | name | values |
//! |---|---|
//! | [`xavier_uniform`] | `U(-a, a)`, `a = sqrt(6 / (rows + columns))` |
//! | [`xavier_normal`] | `N(0, s^2)`, `s = sqrt(2 / (rows + columns))` |
//! | [`linear`] | `U(-1/sqrt(fan_in), 1/sqrt(fan_in))`, PyTorch's default for a linear layer's weight and bias |

use equipoise_data::Stream;

/// `rows * columns` values of `U(-a, a)` with `a = sqrt(6 / (rows + columns))`. An embedding table counts as a
/// matrix, so its scale shrinks with the number of users or items.
pub fn xavier_uniform(rows: usize, columns: usize, stream: &mut Stream) -> Vec<f32> {
    uniform(rows * columns, (6.0 / (rows + columns) as f64).sqrt(), stream)
}

/// `rows * columns` values of a normal distribution with variance `2 / (rows + columns)`.
pub fn xavier_normal(rows: usize, columns: usize, stream: &mut Stream) -> Vec<f32> {
    let s = (2.0 / (rows + columns) as f64).sqrt();
    (0..rows * columns).map(|_| (s * standard_normal(stream)) as f32).collect()
}

/// `n` values of `U(-1/sqrt(fan_in), 1/sqrt(fan_in))`.
pub fn linear(n: usize, fan_in: usize, stream: &mut Stream) -> Vec<f32> {
    uniform(n, 1.0 / (fan_in.max(1) as f64).sqrt(), stream)
}

fn uniform(n: usize, bound: f64, stream: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| (bound * (2.0 * stream.unit() - 1.0)) as f32).collect()
}

/// One draw of `N(0, 1)`: Box and Muller's transform, the cosine half only, so that one draw costs a fixed number
/// of words.
pub fn standard_normal(stream: &mut Stream) -> f64 {
    let radius = (-2.0 * (1.0 - stream.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * stream.unit()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::Seed;

    #[test]
    fn xavier_scales_follow_the_shape() {
        let mut stream = Seed(1).stream("init");
        let a = (6.0f32 / 264.0).sqrt();
        let x = xavier_uniform(200, 64, &mut stream);
        assert!(x.iter().all(|v| v.abs() <= a) && x.iter().any(|v| v.abs() > 0.98 * a));
        let x = xavier_normal(200, 64, &mut stream);
        let variance = x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32;
        assert!((variance / (2.0 / 264.0) - 1.0).abs() < 0.05, "{variance}");
    }
}
