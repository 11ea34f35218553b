//! `dL/dW`.

use super::next_block::{APART, BACK_DEPTH, NextBlock, PANEL};
use crate::features::FeatureRows;
use crate::tiles::{LANES, ROWS, add_to_columns, rows_of};
use rayon::prelude::*;
use std::ops::Range;

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
/// While one block is multiplied, the next one is fetched and packed.
fn weight_panel(
    features: FeatureRows,
    rows: &[u32],
    turned: &[f32],
    d: usize,
    columns: Range<usize>,
) -> Vec<f32> {
    let width = columns.len();
    let mut panel = vec![0.0; d * width];
    let mut blocks = rows.chunks(BACK_DEPTH);
    let mut next = NextBlock::new(features, columns, width.div_ceil(LANES) * d.div_ceil(ROWS));
    next.begin(blocks.next().unwrap_or(&[]));
    next.finish();
    let mut packed = next.room();
    for turned in turned.chunks(BACK_DEPTH * d) {
        let height = turned.len() / d;
        next.swap(&mut packed);
        next.begin(blocks.next().unwrap_or(&[]));
        for (c, lanes) in packed.chunks_exact(APART).enumerate() {
            for (out, turned) in panel.chunks_mut(ROWS * width).zip(turned.chunks(ROWS * height)) {
                let (taken, count) = rows_of(turned, height);
                let lanes = &lanes[..height];
                add_to_columns(&taken[..count], lanes, out, width, c * LANES, next.lines());
                next.advance();
            }
        }
    }
    panel
}
