//! `out_r = W e_r + b`.

use crate::features::FeatureRows;
use crate::scores::PackedRows;
use crate::tiles::{LANES, ROWS, add_to_columns};
use rayon::prelude::*;
use std::ops::Range;

/// Rows of one task.
const ROW_BLOCK: usize = 96;
/// Feature columns that a tile goes through at a time: the map's part of them stays in the cache.
const DEPTH: usize = 256;

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
        for start in (0..w).step_by(DEPTH) {
            add_columns(features, rows, &packed, start..w.min(start + DEPTH), out);
        }
    });
}

/// Adds what some feature columns contribute to the rows of one task.
fn add_columns(
    features: FeatureRows,
    rows: &[u32],
    packed: &PackedRows,
    columns: Range<usize>,
    out: &mut [f32],
) {
    let d = out.len() / rows.len();
    let mut room = [[0.0; DEPTH]; ROWS];
    // After the last rows, the first rows follow with the next columns.
    let again = columns.end..features.width.min(columns.end + DEPTH);
    let mut later = rows.chunks(ROWS).skip(1).map(|next| features.lines(next, columns.clone()));
    for (out, taken) in out.chunks_mut(ROWS * d).zip(rows.chunks(ROWS)) {
        let mut following =
            later.next().unwrap_or_else(|| features.lines(&rows[..ROWS.min(rows.len())], again.clone()));
        let mut pieces: [&[f32]; ROWS] = [&[]; ROWS];
        for ((piece, room), &r) in pieces.iter_mut().zip(&mut room).zip(taken) {
            *piece = features.piece(r, columns.clone(), &mut room[..columns.len()]);
        }
        for (panel, first) in packed.each_panel().zip((0..d).step_by(LANES)) {
            let panel = &panel[columns.clone()];
            add_to_columns(&pieces[..taken.len()], panel, out, d, first, &mut following);
        }
    }
}
