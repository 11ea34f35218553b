//! The block of rows that is multiplied next, packed while another one is multiplied.

use super::FeatureRows;
use crate::ahead::Lines;
use crate::tiles::{LANES, Lane};
use crate::vector::wide;
use std::ops::Range;

/// Most feature columns of one task.
pub(super) const PANEL: usize = 256;
/// Rows of a block.
pub(super) const BACK_DEPTH: usize = 128;
/// From one packed panel to the next: one line more than it holds, or all of them would lie in one set of the cache.
pub(super) const APART: usize = BACK_DEPTH + 1;
/// Rows by which asking is ahead of packing. Rows of features are often a power of two apart, so that the pieces of many
/// of them fight for the same places of the cache.
const LEAD: usize = 6;

/// Some columns of a block of rows on their way into panels of [`LANES`] columns, [`APART`] lines each.
pub(super) struct Coming<'a> {
    features: FeatureRows<'a>,
    columns: Range<usize>,
    rows: &'a [u32],
    lines: Lines<'a>,
    packed: Vec<Lane>,
    /// Where float16 is converted.
    converted: [f32; PANEL],
    /// In how many steps a block is packed.
    steps: usize,
    step: usize,
    done: usize,
}

impl<'a> Coming<'a> {
    /// Blocks will be packed in `steps` steps each.
    pub(super) fn new(features: FeatureRows<'a>, columns: Range<usize>, steps: usize) -> Coming<'a> {
        let packed = vec![Lane::ZERO; APART * columns.len().div_ceil(LANES)];
        let lines = features.lines(&[], columns.clone());
        let converted = [0.0; PANEL];
        Coming { features, columns, rows: &[], lines, packed, converted, steps, step: 0, done: 0 }
    }

    /// As much room as a block takes.
    pub(super) fn room(&self) -> Vec<Lane> {
        vec![Lane::ZERO; self.packed.len()]
    }

    /// Gives the packed block away, for room that is packed into from now on.
    pub(super) fn swap(&mut self, room: &mut Vec<Lane>) {
        std::mem::swap(&mut self.packed, room);
    }

    /// Turns to a block of at most [`BACK_DEPTH`] rows.
    pub(super) fn begin(&mut self, rows: &'a [u32]) {
        (self.rows, self.step, self.done) = (rows, 0, 0);
        self.lines = self.features.lines(rows, self.columns.clone());
        self.lines.limit(LEAD);
    }

    /// What a product is to ask for meanwhile.
    pub(super) fn ahead(&mut self) -> &mut Lines<'a> {
        &mut self.lines
    }

    /// The next step: packs its share of the rows.
    pub(super) fn advance(&mut self) {
        self.step += 1;
        let until = self.step * self.rows.len() / self.steps;
        self.pack(until);
    }

    /// All that is left.
    pub(super) fn finish(&mut self) {
        for until in self.done..=self.rows.len() {
            self.pack(until);
            self.lines.finish(until + LEAD);
        }
    }

    /// Packs rows up to `until`.
    fn pack(&mut self, until: usize) {
        self.lines.limit(until + LEAD);
        self.lines.finish(until);
        let room = &mut self.converted[..self.columns.len()];
        for k in self.done..until {
            let piece = self.features.piece(self.rows[k], self.columns.clone(), room);
            pack(piece, k, &mut self.packed);
        }
        self.done = until;
    }
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
