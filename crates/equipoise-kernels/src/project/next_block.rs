//! Packs the next block of rows while the current one is multiplied.

use crate::features::FeatureRows;
use crate::prefetch::RowLines;
use crate::tiles::{LANES, Lane};
use crate::vector::wide;
use std::ops::Range;

/// Most feature columns of one task.
pub(super) const PANEL: usize = 256;
/// Rows of a block.
pub(super) const BACK_DEPTH: usize = 128;
/// From one packed panel to the next: one line more than it holds, or all of them would lie in one set of the cache.
pub(super) const APART: usize = BACK_DEPTH + 1;
/// How many rows prefetching is ahead of packing. Rows of features often lie a power of two apart, so that pieces of many
/// rows compete for the same sets of the cache.
const LEAD: usize = 6;

/// Some columns of the block that is being packed into panels of [`LANES`] columns, [`APART`] lines each.
pub(super) struct NextBlock<'a> {
    features: FeatureRows<'a>,
    columns: Range<usize>,
    rows: &'a [u32],
    lines: RowLines<'a>,
    packed: Vec<Lane>,
    /// Room for converted float16 values.
    converted: [f32; PANEL],
    /// Number of steps in which a block is packed.
    steps: usize,
    step: usize,
    done: usize,
}

impl<'a> NextBlock<'a> {
    /// Blocks will be packed in `steps` steps each.
    pub(super) fn new(features: FeatureRows<'a>, columns: Range<usize>, steps: usize) -> NextBlock<'a> {
        let packed = vec![Lane::ZERO; APART * columns.len().div_ceil(LANES)];
        let lines = features.lines(&[], columns.clone());
        let converted = [0.0; PANEL];
        NextBlock { features, columns, rows: &[], lines, packed, converted, steps, step: 0, done: 0 }
    }

    /// As much room as a block takes.
    pub(super) fn room(&self) -> Vec<Lane> {
        vec![Lane::ZERO; self.packed.len()]
    }

    /// Hands over the packed block and takes `room` for the next one.
    pub(super) fn swap(&mut self, room: &mut Vec<Lane>) {
        std::mem::swap(&mut self.packed, room);
    }

    /// Starts on a block of at most [`BACK_DEPTH`] rows.
    pub(super) fn begin(&mut self, rows: &'a [u32]) {
        (self.rows, self.step, self.done) = (rows, 0, 0);
        self.lines = self.features.lines(rows, self.columns.clone());
        self.lines.limit(LEAD);
    }

    /// The lines that a product requests meanwhile.
    pub(super) fn lines(&mut self) -> &mut RowLines<'a> {
        &mut self.lines
    }

    /// Performs one step: packs its share of the rows.
    pub(super) fn advance(&mut self) {
        self.step += 1;
        let until = self.step * self.rows.len() / self.steps;
        self.pack(until);
    }

    /// Packs the remaining rows.
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
    /// Writes one row as row `k` of all packed panels.
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
