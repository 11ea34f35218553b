//! Rows of a frozen feature matrix through a linear map: `out_r = W e_r + b`, and `dL/dW`.
//!
//! Only the given rows are read. Features are by far the larger operand. Forward, they are used in place, one row after the
//! other, against a packed map; backward, they are packed once, in pieces that stay in the cache. The next rows
//! are prefetched while a product is computed. Blocks have fixed sizes and run in parallel: results do not
//! depend on the number of threads.

mod backward;
mod forward;
mod next_block;

pub use backward::project_rows_backward;
pub use forward::project_rows;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::{FeatureRows, FeatureValues};
    use half::f16;

    fn values(n: usize, seed: f32) -> Vec<f32> {
        (0..n).map(|k| ((k as f32 * 0.731 + seed).sin() * 4.0).round() / 4.0).collect()
    }

    #[test]
    fn forward_equals_the_naive_sum_across_block_edges() {
        for (n, w, d) in [(1, 3, 2), (257, 130, 5), (600, 7, 64), (100, 600, 70)] {
            let (e, weight, bias) = (values(700 * w, 0.3), values(d * w, 1.1), values(d, 2.0));
            let rows: Vec<u32> = (0..n as u32).map(|k| (k * 7) % 700).collect();
            let features = FeatureRows { values: FeatureValues::Single(&e), width: w };
            let mut out = vec![0.0; n * d];
            project_rows(features, &rows, &weight, &bias, &mut out);
            for k in 0..n {
                for c in 0..d {
                    let naive = bias[c] + crate::dot(&e[rows[k] as usize * w..][..w], &weight[c * w..][..w]);
                    assert!((out[k * d + c] - naive).abs() < 1e-3, "{} {naive}", out[k * d + c]);
                }
            }
        }
    }

    #[test]
    fn weight_gradient_equals_the_naive_sum_across_block_edges() {
        for (n, w, d) in [(1, 3, 2), (300, 130, 5), (140, 600, 20), (150, 2_100, 7)] {
            let (e, grad) = (values(700 * w, 0.3), values(n * d, 1.7));
            let rows: Vec<u32> = (0..n as u32).map(|k| (k * 11) % 700).collect();
            let features = FeatureRows { values: FeatureValues::Single(&e), width: w };
            let mut out = vec![f32::NAN; d * w];
            project_rows_backward(features, &rows, &grad, d, &mut out);
            for c in 0..d {
                for f in 0..w {
                    let naive: f32 = (0..n).map(|k| grad[k * d + c] * e[rows[k] as usize * w + f]).sum();
                    assert!((out[c * w + f] - naive).abs() < 1e-2);
                }
            }
        }
    }

    #[test]
    fn features_of_half_the_size_give_the_same_bits() {
        let (n, w, d) = (300, 600, 20);
        // Quarters up to 4 are float16 exactly.
        let (e, weight, bias) = (values(700 * w, 0.3), values(d * w, 1.1), values(d, 2.0));
        let halves: Vec<f16> = e.iter().map(|&v| f16::from_f32(v)).collect();
        let rows: Vec<u32> = (0..n as u32).map(|k| (k * 7) % 700).collect();
        let of = |values| {
            let features = FeatureRows { values, width: w };
            let (mut out, mut back) = (vec![0.0; n * d], vec![0.0; d * w]);
            project_rows(features, &rows, &weight, &bias, &mut out);
            project_rows_backward(features, &rows, &out, d, &mut back);
            (out, back)
        };
        assert_eq!(of(FeatureValues::Single(&e)), of(FeatureValues::Half(&halves)));
    }
}
