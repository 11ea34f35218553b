//! Blocks that are the trained projection of one modality: found by holding the projection against the rows that training ended
//! with.

use super::maps::{BlockMap, BlockMapKind};
use equipoise_data::Features;
use equipoise_train::StoredParameters;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Difference, in units of the root mean square of a block's values, within which rows are the same.
const SAME: f64 = 1e-4;

/// What a block is held against.
pub(super) struct Candidate<'a> {
    /// Position of the modality.
    pub(super) m: usize,
    pub(super) name: &'a str,
    /// Its features at the scale of the training.
    pub(super) features: &'a Features,
    pub(super) parameters: &'a StoredParameters,
    /// The place of each item's category among those that have vectors, `None` for an item without one; `None` without
    /// categories.
    pub(super) categories: Option<&'a [Option<usize>]>,
    /// Items that somebody took in training.
    pub(super) taken: &'a [u32],
}

impl Candidate<'_> {
    /// The map of a block with these item rows, if it is the projection of the modality, less a vector of the item's category or
    /// of the item itself.
    pub(super) fn map(&self, items: &[f32], width: usize) -> Option<BlockMap> {
        let (weight, columns) = self.parameters.get(&format!("weight.{}", self.name))?;
        if columns != self.features.width() || weight.len() != width * columns {
            return None;
        }
        let bias = self.parameters.get(&format!("bias.{}", self.name)).map(|(bias, _)| bias.to_vec());
        let offset = bias.filter(|bias| bias.len() == width).unwrap_or_else(|| vec![0.0; width]);
        let map = BlockMap {
            kind: BlockMapKind::Projection,
            inputs: vec![self.m],
            matrix: weight.to_vec(),
            offset,
            by_category: Vec::new(),
        };
        let rest = self.rest(&map, items, width);
        let rms = (items.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / items.len() as f64).sqrt();
        let nothing = |v: &f32| f64::from(v.abs()) <= SAME * rms;
        if rest.iter().all(nothing) {
            return Some(map);
        }
        self.less_category(&map, &rest, width, rms).or_else(|| self.less_own(&map, &rest, width, rms))
    }

    /// The rows less the projection.
    fn rest(&self, map: &BlockMap, items: &[f32], width: usize) -> Vec<f32> {
        let row = |(i, row): (usize, &[f32])| {
            let mut inputs = vec![Vec::new(); self.m + 1];
            inputs[self.m] = self.features.row(i).into_owned();
            row.iter().zip(map.row(&inputs, None)).map(|(z, p)| z - p).collect::<Vec<f32>>()
        };
        items.par_chunks_exact(width).enumerate().flat_map_iter(row).collect()
    }

    /// The map if items of one category have one rest.
    fn less_category(&self, map: &BlockMap, rest: &[f32], width: usize, rms: f64) -> Option<BlockMap> {
        let of_items = self.categories?;
        let mut rows: BTreeMap<usize, &[f32]> = BTreeMap::new();
        let mut shared = 0;
        for (row, place) in rest.chunks_exact(width).zip(of_items) {
            let place = (*place)?;
            let first = *rows.entry(place).or_insert(row);
            let same = first.iter().zip(row).all(|(a, b)| f64::from((a - b).abs()) <= SAME * rms);
            if !same {
                return None;
            }
            shared += usize::from(first.as_ptr() != row.as_ptr());
        }
        // Categories of one item each would have one rest by definition.
        if 2 * shared < of_items.len() {
            return None;
        }
        let (mut by_category, base) = (Vec::new(), &map.offset);
        for row in rows.values() {
            by_category.extend(row.iter().zip(base).map(|(r, b)| r + b));
        }
        let offset = self.mean_rest(rest, width, base);
        Some(BlockMap { kind: BlockMapKind::ProjectionAndCategory, offset, by_category, ..map.clone() })
    }

    /// The map if each item has a vector of its own in place of a category's.
    fn less_own(&self, map: &BlockMap, rest: &[f32], width: usize, rms: f64) -> Option<BlockMap> {
        let (own, columns) = self.parameters.get(&format!("category.{}", self.name))?;
        let same = columns == width
            && own.len() == rest.len()
            && own.iter().zip(rest).all(|(c, r)| f64::from((c + r).abs()) <= SAME * rms);
        let offset = self.mean_rest(rest, width, &map.offset);
        same.then(|| BlockMap { kind: BlockMapKind::ProjectionAndMean, offset, ..map.clone() })
    }

    /// The offset with the mean rest of the items that somebody took.
    fn mean_rest(&self, rest: &[f32], width: usize, base: &[f32]) -> Vec<f32> {
        mean_row(rest, width, self.taken).iter().zip(base).map(|(r, b)| r + b).collect()
    }
}

/// The mean of these rows of a table, or of all if there are none; in double precision, in their order.
pub(super) fn mean_row(table: &[f32], width: usize, rows: &[u32]) -> Vec<f32> {
    let all: Vec<u32> = (0..(table.len() / width) as u32).collect();
    let rows = if rows.is_empty() { &all } else { rows };
    let mut mean = equipoise_data::MeanRow::new(width);
    rows.iter().for_each(|&row| mean.add(&table[row as usize * width..][..width]));
    mean.mean().expect("a table has a row")
}
