//! Inner products of rows with a table that was packed once: scores of users and items.
//!
//! ```text
//! out[r][i] = sum_k a_r[k] z_i[k]
//! ```
//!
//! The terms of a sum are added in the order of `k`, so that the bits of a score depend on its two rows alone.

use crate::prefetch::NoPrefetch;
use crate::tiles::{LANES, Lane, ROWS, add_to_columns, rows_of, write_tile};
use rayon::prelude::*;
use std::ops::Range;

/// Columns that are packed at a time, so that their lines stay in the first cache.
const TURNED: usize = 64;

/// A table whose rows are packed in panels of [`PANEL`](PackedRows::PANEL), the last with zeros after its rows.
#[derive(Debug)]
pub struct PackedRows {
    lanes: Vec<Lane>,
    width: usize,
}

impl PackedRows {
    /// Rows of a panel.
    pub const PANEL: usize = LANES;

    /// Packs a row-major table of `width >= 1` columns.
    ///
    /// # Panics
    /// If the table does not hold whole rows.
    pub fn new(table: &[f32], width: usize) -> PackedRows {
        PackedRows::joined(&[(table, width)])
    }

    /// Packs row-major tables side by side, each with its number of columns, at least 1.
    ///
    /// # Panics
    /// If there is no table, or they do not hold the same number of whole rows.
    pub fn joined(tables: &[(&[f32], usize)]) -> PackedRows {
        let width: usize = tables.iter().map(|(_, width)| width).sum();
        let rows = tables[0].0.len() / tables[0].1;
        let fits = |&(table, width): &(&[f32], usize)| table.len() == rows * width;
        assert!(tables.iter().all(fits), "scores: whole rows, as many of each table");
        let mut lanes = vec![Lane::ZERO; rows.div_ceil(LANES) * width];
        lanes.par_chunks_mut(width).enumerate().for_each(|(number, mut panel)| {
            let own = number * LANES..((number + 1) * LANES).min(rows);
            for &(table, width) in tables {
                let (part, rest) = panel.split_at_mut(width);
                pack(&table[own.start * width..own.end * width], width, part);
                panel = rest;
            }
        });
        PackedRows { lanes, width }
    }

    /// Columns of the table.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of panels.
    pub fn panels(&self) -> usize {
        self.lanes.len() / self.width
    }

    /// Panel after panel, a line of [`PANEL`](Self::PANEL) numbers per column.
    pub(crate) fn each_panel(&self) -> impl Iterator<Item = &[Lane]> {
        self.lanes.chunks_exact(self.width)
    }

    /// Overwrites `out` with the inner products of the rows `a` with those of some panels, a row of
    /// `panels.len() * PANEL` per row of `a`, on the calling thread.
    ///
    /// # Panics
    /// If the panels are not there or a length does not fit.
    pub fn products(&self, a: &[f32], panels: Range<usize>, out: &mut [f32]) {
        let (rows, stride) = (a.len() / self.width, panels.len() * LANES);
        assert_eq!(a.len(), rows * self.width, "scores: whole rows");
        assert_eq!(out.len(), rows * stride, "scores: output length");
        let packed = &self.lanes[panels.start * self.width..panels.end * self.width];
        for (p, panel) in packed.chunks_exact(self.width).enumerate() {
            for (a, out) in a.chunks(ROWS * self.width).zip(out.chunks_mut(ROWS * stride)) {
                let (taken, count) = rows_of(a, self.width);
                write_tile(&taken[..count], panel, &mut out[p * LANES..], stride);
            }
        }
    }

    /// Adds to `out` the inner products of the rows `a` with all `columns` rows of the table, a row of `columns` per row of
    /// `a`, on the calling thread.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn add_products(&self, a: &[f32], columns: usize, out: &mut [f32]) {
        assert_eq!(self.panels(), columns.div_ceil(LANES), "scores: columns");
        assert_eq!(a.len() * columns, out.len() * self.width, "scores: output length");
        for (a, out) in a.chunks(ROWS * self.width).zip(out.chunks_mut(ROWS * columns)) {
            let (taken, count) = rows_of(a, self.width);
            for (panel, first) in self.each_panel().zip((0..columns).step_by(LANES)) {
                add_to_columns(&taken[..count], panel, out, columns, first, &mut NoPrefetch);
            }
        }
    }
}

/// Packs rows of `width` columns into their panel.
fn pack(rows: &[f32], width: usize, panel: &mut [Lane]) {
    for (at, panel) in (0..).step_by(TURNED).zip(panel.chunks_mut(TURNED)) {
        for (l, row) in rows.chunks_exact(width).enumerate() {
            for (lane, &value) in panel.iter_mut().zip(&row[at..]) {
                lane.0[l] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(n: usize, step: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * step) % 9) as f32 - 4.0).collect()
    }

    #[test]
    fn any_panels_hold_the_inner_products_and_zeros_after_the_last_row() {
        for (rows, items, width) in [(1, 1, 1), (7, 50, 19), (13, 16, 64), (0, 5, 3)] {
            let (a, table) = (whole(rows * width, 5), whole(items * width, 7));
            let packed = PackedRows::new(&table, width);
            assert_eq!(packed.panels(), items.div_ceil(LANES));
            for first in 0..packed.panels() {
                let panels = first..packed.panels();
                let stride = panels.len() * LANES;
                let mut out = vec![f32::NAN; rows * stride];
                packed.products(&a, panels, &mut out);
                for (at, &found) in out.iter().enumerate() {
                    let (r, i) = (at / stride, first * LANES + at % stride);
                    let of = |i: usize| crate::dot(&a[r * width..][..width], &table[i * width..][..width]);
                    assert_eq!(found, if i < items { of(i) } else { 0.0 }, "{r} {i}");
                }
            }
        }
    }

    #[test]
    fn added_products_are_those_of_the_rows() {
        for (rows, items, width) in [(1, 1, 1), (7, 50, 19), (13, 16, 64), (0, 5, 3)] {
            let (a, table) = (whole(rows * width, 5), whole(items * width, 7));
            let mut out = vec![1.0; rows * items];
            PackedRows::new(&table, width).add_products(&a, items, &mut out);
            for (at, &found) in out.iter().enumerate() {
                let (r, i) = (at / items, at % items);
                let expected = 1.0 + crate::dot(&a[r * width..][..width], &table[i * width..][..width]);
                assert_eq!(found, expected, "{r} {i}");
            }
        }
    }

    #[test]
    fn tables_side_by_side_are_packed_as_one() {
        for rows in [1, 16, 37] {
            let (a, b) = (whole(rows * 70, 5), whole(rows * 3, 7));
            let joined: Vec<f32> =
                a.chunks_exact(70).zip(b.chunks_exact(3)).flat_map(|(a, b)| [a, b].concat()).collect();
            let (one, two) = (PackedRows::new(&joined, 73), PackedRows::joined(&[(&a, 70), (&b, 3)]));
            assert!(one.lanes.iter().zip(&two.lanes).all(|(a, b)| a.0 == b.0) && two.width == 73, "{rows}");
        }
    }

    #[test]
    fn a_score_does_not_depend_on_its_neighbours() {
        let (a, table): (Vec<f32>, Vec<f32>) = (
            (0..9 * 33).map(|k| (k as f32).sin()).collect(),
            (0..40 * 33).map(|k| (k as f32).cos()).collect(),
        );
        let (mut all, mut one) = (vec![0.0; 9 * 2 * LANES], vec![0.0; LANES]);
        PackedRows::new(&table, 33).products(&a, 0..2, &mut all);
        PackedRows::new(&table[17 * 33..18 * 33], 33).products(&a[4 * 33..5 * 33], 0..1, &mut one);
        assert_eq!(all[4 * 2 * LANES + 17].to_bits(), one[0].to_bits());
    }
}
