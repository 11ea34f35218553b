//! Rows of a frozen feature matrix through a linear map: `out_r = W e_r + b`, and `dL/dW`.
//!
//! Only the rows asked for are read. Blocks have fixed sizes (rows forward, columns backward), each is one
//! single-threaded product, and blocks run in parallel: results do not depend on the number of threads.

use crate::product::{Matrix, Strided, product};
use rayon::prelude::*;

/// Rows of one forward block.
const ROW_BLOCK: usize = 256;
/// Feature columns of one backward block.
const COLUMN_BLOCK: usize = 128;

/// A frozen row-major feature matrix.
#[derive(Clone, Copy, Debug)]
pub struct FeatureRows<'a> {
    /// All values, row after row.
    pub values: &'a [f32],
    /// Feature width `d_m`.
    pub width: usize,
}

impl<'a> FeatureRows<'a> {
    fn row(&self, r: u32) -> &'a [f32] {
        &self.values[r as usize * self.width..][..self.width]
    }
}

/// `out[k] = W e_{rows[k]} + b`, with `weight` of shape `d x width` (out x in), `bias` of `d`, and
/// `out` of `rows.len() x d`.
///
/// # Panics
/// If a row index or a length does not fit.
pub fn project_rows(features: FeatureRows, rows: &[u32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let (d, w) = (bias.len(), features.width);
    assert_eq!(weight.len(), d * w, "project: weight length");
    assert_eq!(out.len(), rows.len() * d, "project: output length");
    out.par_chunks_mut(ROW_BLOCK * d).zip(rows.par_chunks(ROW_BLOCK)).for_each_init(
        Vec::new,
        |packed, (out, rows)| {
            pack_rows(features, rows, packed);
            for o in out.chunks_exact_mut(d) {
                o.copy_from_slice(bias);
            }
            // out (n x d, row-major) += E (n x w) . W^T (w x d)
            product(
                Matrix { data: out, rows: rows.len(), columns: d },
                Strided { data: packed, row: w, column: 1 },
                Strided { data: weight, row: 1, column: w },
                w,
            );
        },
    );
}

/// `d_weight = sum_k grad_k e_{rows[k]}^T` (`d x width`), with `grad` of `rows.len() x d`.
///
/// # Panics
/// If a row index or a length does not fit.
pub fn project_rows_backward(
    features: FeatureRows,
    rows: &[u32],
    grad: &[f32],
    d: usize,
    d_weight: &mut [f32],
) {
    let w = features.width;
    assert_eq!(grad.len(), rows.len() * d, "project: gradient length");
    assert_eq!(d_weight.len(), d * w, "project: weight gradient length");
    let starts: Vec<usize> = (0..w).step_by(COLUMN_BLOCK).collect();
    let panels: Vec<(usize, Vec<f32>)> =
        starts.into_par_iter().map(|start| (start, weight_panel(features, rows, grad, d, start))).collect();
    for (start, panel) in panels {
        let n = panel.len() / d;
        for (out, part) in d_weight.chunks_exact_mut(w).zip(panel.chunks_exact(n)) {
            out[start..start + n].copy_from_slice(part);
        }
    }
}

/// Columns `start..` of the weight gradient: `grad^T (d x n) . E[:, panel] (n x columns)`.
fn weight_panel(features: FeatureRows, rows: &[u32], grad: &[f32], d: usize, start: usize) -> Vec<f32> {
    let columns = COLUMN_BLOCK.min(features.width - start);
    let mut packed = Vec::with_capacity(rows.len() * columns);
    for &r in rows {
        packed.extend_from_slice(&features.row(r)[start..start + columns]);
    }
    let mut panel = vec![0.0; d * columns];
    product(
        Matrix { data: &mut panel, rows: d, columns },
        Strided { data: grad, row: 1, column: d },
        Strided { data: &packed, row: columns, column: 1 },
        rows.len(),
    );
    panel
}

fn pack_rows(features: FeatureRows, rows: &[u32], packed: &mut Vec<f32>) {
    packed.clear();
    packed.reserve(rows.len() * features.width);
    for &r in rows {
        packed.extend_from_slice(features.row(r));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(n: usize, seed: f32) -> Vec<f32> {
        (0..n).map(|k| ((k as f32 * 0.731 + seed).sin() * 4.0).round() / 4.0).collect()
    }

    #[test]
    fn forward_equals_the_naive_sum_across_block_edges() {
        for (n, w, d) in [(1, 3, 2), (257, 130, 5), (600, 7, 64)] {
            let (e, weight, bias) = (values(700 * w, 0.3), values(d * w, 1.1), values(d, 2.0));
            let rows: Vec<u32> = (0..n as u32).map(|k| (k * 7) % 700).collect();
            let features = FeatureRows { values: &e, width: w };
            let mut out = vec![0.0; n * d];
            project_rows(features, &rows, &weight, &bias, &mut out);
            for k in 0..n {
                for c in 0..d {
                    let naive = bias[c] + crate::dot(features.row(rows[k]), &weight[c * w..][..w]);
                    assert!((out[k * d + c] - naive).abs() < 1e-3, "{} {naive}", out[k * d + c]);
                }
            }
        }
    }

    #[test]
    fn weight_gradient_equals_the_naive_sum_across_block_edges() {
        for (n, w, d) in [(1, 3, 2), (300, 130, 5)] {
            let (e, grad) = (values(700 * w, 0.3), values(n * d, 1.7));
            let rows: Vec<u32> = (0..n as u32).map(|k| (k * 11) % 700).collect();
            let features = FeatureRows { values: &e, width: w };
            let mut out = vec![f32::NAN; d * w];
            project_rows_backward(features, &rows, &grad, d, &mut out);
            for c in 0..d {
                for f in 0..w {
                    let naive: f32 = (0..n).map(|k| grad[k * d + c] * features.row(rows[k])[f]).sum();
                    assert!((out[c * w + f] - naive).abs() < 1e-2);
                }
            }
        }
    }
}
