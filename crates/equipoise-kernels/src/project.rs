//! Rows of a frozen feature matrix through a linear map: `out_r = W e_r + b`, and `dL/dW`.
//!
//! Only the rows asked for are read. Features are by far the larger operand: forward they are used where they lie, one
//! row after the other, against a packed map; backward they are packed once, in pieces that stay in the cache. Blocks
//! have fixed sizes and run in parallel: results do not depend on the number of threads.

use crate::scores::PackedRows;
use crate::tiles::{LANES, Lane, ROWS, add_to_columns};
use crate::vector::{prefetch, wide};
use half::f16;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;
use std::ops::Range;

/// Rows of one forward task.
const ROW_BLOCK: usize = 96;
/// Feature columns that a tile goes through at a time: the map's part of them stays in the cache.
const DEPTH: usize = 256;
/// Most feature columns of one backward task.
const PANEL: usize = 256;
/// Rows that a backward tile goes through at a time.
const BACK_DEPTH: usize = 128;
/// From one packed panel to the next: one line more than it holds, or all of them would lie in one set of the cache.
const APART: usize = BACK_DEPTH + 1;
/// Rows by which packing asks ahead: each piece of a row lies on a page of its own, and no hardware guesses it.
const AHEAD: usize = 6;

/// A frozen row-major feature matrix.
#[derive(Clone, Copy, Debug)]
pub struct FeatureRows<'a> {
    /// All values, row after row.
    pub values: FeatureValues<'a>,
    /// Feature width `d_m`.
    pub width: usize,
}

/// Features as they are stored. A float16 is a float32 exactly, so that both kinds give the same bits.
#[derive(Clone, Copy, Debug)]
pub enum FeatureValues<'a> {
    /// float32.
    Single(&'a [f32]),
    /// float16, converted a piece of a row at a time.
    Half(&'a [f16]),
}

impl<'a> FeatureRows<'a> {
    /// Some columns of row `r`: where they lie, or converted into `room`, which has as many places.
    #[inline]
    fn piece<'b>(&self, r: u32, columns: Range<usize>, room: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        let at = r as usize * self.width;
        match self.values {
            FeatureValues::Single(values) => &values[at..][..self.width][columns],
            FeatureValues::Half(values) => {
                values[at..][..self.width][columns].convert_to_f32_slice(room);
                room
            }
        }
    }

    /// Asks the processor for some columns of row `r`.
    #[inline]
    fn prefetch(&self, r: u32, columns: Range<usize>) {
        let at = r as usize * self.width;
        match self.values {
            FeatureValues::Single(values) => prefetch(&values[at..][columns]),
            FeatureValues::Half(values) => prefetch(&values[at..][columns]),
        }
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
    let packed = PackedRows::new(weight, w);
    out.par_chunks_mut(ROW_BLOCK * d).zip(rows.par_chunks(ROW_BLOCK)).for_each(|(out, rows)| {
        for o in out.chunks_exact_mut(d) {
            o.copy_from_slice(bias);
        }
        let mut room = [[0.0; DEPTH]; ROWS];
        for start in (0..w).step_by(DEPTH) {
            let end = w.min(start + DEPTH);
            for (out, rows) in out.chunks_mut(ROWS * d).zip(rows.chunks(ROWS)) {
                let mut taken: [&[f32]; ROWS] = [&[]; ROWS];
                for ((part, room), &r) in taken.iter_mut().zip(&mut room).zip(rows) {
                    *part = features.piece(r, start..end, &mut room[..end - start]);
                }
                for (panel, first) in packed.each_panel().zip((0..d).step_by(LANES)) {
                    add_to_columns(&taken[..rows.len()], &panel[start..end], out, d, first);
                }
            }
        }
    });
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
    let (n, w) = (rows.len(), features.width);
    assert_eq!(grad.len(), n * d, "project: gradient length");
    assert_eq!(d_weight.len(), d * w, "project: weight gradient length");
    let turned = turned(grad, n, d);
    let width = panel_width(w);
    let starts: Vec<usize> = (0..w).step_by(width).collect();
    let panels: Vec<(usize, Vec<f32>)> = starts
        .into_par_iter()
        .map(|start| (start, weight_panel(features, rows, &turned, d, start..w.min(start + width))))
        .collect();
    for (start, panel) in panels {
        let width = panel.len() / d;
        for (out, part) in d_weight.chunks_exact_mut(w).zip(panel.chunks_exact(width)) {
            out[start..start + width].copy_from_slice(part);
        }
    }
}

/// Columns of a backward task: an eighth of all, so that few columns are work for several threads too.
fn panel_width(width: usize) -> usize {
    (width / 8).next_multiple_of(LANES).clamp(LANES, PANEL)
}

/// `grad^T` for each [`BACK_DEPTH`] rows, one block after the other: `d x rows of the block` each.
fn turned(grad: &[f32], n: usize, d: usize) -> Vec<f32> {
    let mut turned = vec![0.0; n * d];
    let blocks = turned.par_chunks_mut(BACK_DEPTH * d).zip(grad.par_chunks(BACK_DEPTH * d));
    blocks.for_each(|(block, grad)| {
        for (c, line) in block.chunks_exact_mut(grad.len() / d).enumerate() {
            for (value, row) in line.iter_mut().zip(grad.chunks_exact(d)) {
                *value = row[c];
            }
        }
    });
    turned
}

/// Columns `start..` of the weight gradient: `grad^T (d x n) . E[:, panel] (n x columns)`, from the blocks of `grad^T`.
fn weight_panel(
    features: FeatureRows,
    rows: &[u32],
    turned: &[f32],
    d: usize,
    columns: Range<usize>,
) -> Vec<f32> {
    let width = columns.len();
    let mut packed = vec![Lane::ZERO; APART * width.div_ceil(LANES)];
    let (mut panel, mut room) = (vec![0.0; d * width], [0.0; PANEL]);
    for (rows, turned) in rows.chunks(BACK_DEPTH).zip(turned.chunks(BACK_DEPTH * d)) {
        for (k, &r) in rows.iter().enumerate() {
            if let Some(&next) = rows.get(k + AHEAD) {
                features.prefetch(next, columns.clone());
            }
            pack(features.piece(r, columns.clone(), &mut room[..width]), k, &mut packed);
        }
        for (c, lanes) in packed.chunks_exact(APART).enumerate() {
            for (out, turned) in panel.chunks_mut(ROWS * width).zip(turned.chunks(ROWS * rows.len())) {
                let mut taken: [&[f32]; ROWS] = [&[]; ROWS];
                for (part, line) in taken.iter_mut().zip(turned.chunks_exact(rows.len())) {
                    *part = line;
                }
                add_to_columns(&taken[..out.len() / width], &lanes[..rows.len()], out, width, c * LANES);
            }
        }
    }
    panel
}

wide! {
    /// A row as row `k` of all packed panels.
    fn pack(part: &[f32], k: usize, packed: &mut [Lane]) {
        let (lanes, rest) = part.as_chunks::<LANES>();
        for (lane, panel) in lanes.iter().zip(packed.chunks_exact_mut(APART)) {
            panel[k] = Lane(*lane);
        }
        if !rest.is_empty() {
            packed[lanes.len() * APART + k].0[..rest.len()].copy_from_slice(rest);
        }
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
