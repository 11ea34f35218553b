//! The maps from features to rows of items.

use equipoise_data::{FrozenScale, MissingFill};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What places new items in the tables of a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewItemMaps {
    /// One for each modality of the model.
    pub(crate) modalities: Vec<ModalityInput>,
    /// One for each block of the tables.
    pub(crate) blocks: Vec<BlockMap>,
    /// Categories that have vectors of their own, by their path; the position is the row in [`BlockMap::by_category`].
    pub(crate) categories: BTreeMap<Vec<String>, usize>,
    /// How good they are.
    pub(crate) report: NewItemsReport,
}

/// What is known of the features of a modality.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ModalityInput {
    pub(crate) name: String,
    pub(crate) scale: FrozenScale,
    /// How the training filled rows that were missing.
    pub(crate) missing: MissingFill,
    /// What stands for a missing row, before it is scaled.
    pub(crate) fill: Vec<f32>,
    /// What made the features, where the data set says so: the contents of `<name>_encoder.json`, its model.
    pub(crate) encoder: Option<String>,
}

/// The map of one block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BlockMap {
    pub(crate) kind: BlockMapKind,
    /// Positions of the modalities that it reads.
    pub(crate) inputs: Vec<usize>,
    /// `width x (sum of their scaled widths)`, row after row.
    pub(crate) matrix: Vec<f32>,
    /// `width` values.
    pub(crate) offset: Vec<f32>,
    /// What stands in place of the offset for items of a known category, row after row; empty if categories make no difference.
    pub(crate) by_category: Vec<f32>,
}

/// What the map of a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockMapKind {
    /// The mean row of the items that somebody took in training: the block reads no modality.
    Mean,
    /// The trained projection of one modality, exact.
    Projection,
    /// The same less a vector of the item's category.
    ProjectionAndCategory,
    /// The same less the mean of vectors that each item has for itself.
    ProjectionAndMean,
    /// Ridge regression on the items that somebody took in training.
    Ridge,
}

/// How new items are placed, and how well that does on items of the training.
///
/// Some of the items that somebody took are ranked among each other for users who took them, once by rows made of their features
/// and once by the rows that training gave them. The ridge maps are fitted to the other items. Everything else was trained with
/// these items, which flatters both numbers; they are there to choose the penalty, and to see that nothing is broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewItemsReport {
    /// The map of each block by its name.
    pub blocks: BTreeMap<String, BlockMapKind>,
    /// The penalty of the ridge regressions, in units of the mean variance of a column, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// Items that were ranked.
    pub items: usize,
    /// Users for whom they were ranked.
    pub users: usize,
    /// recall@20 among these items by rows made of their features.
    pub recall: f64,
    /// recall@20 among these items by the rows that training gave them.
    pub trained_recall: f64,
}

/// The features of one new item: a row for each modality, `None` where it has none, and the path of its category.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Content {
    pub(crate) rows: Vec<Option<Vec<f32>>>,
    pub(crate) category: Vec<String>,
}

impl NewItemMaps {
    /// Whether any block reads any modality: otherwise all new items are alike.
    pub(crate) fn reads_content(&self) -> bool {
        self.blocks.iter().any(|block| !block.inputs.is_empty())
    }

    /// The rows of items in each block, one after another.
    ///
    /// # Panics
    /// If a row of features has another width than in training.
    pub(crate) fn rows(&self, items: &[Content]) -> Vec<Vec<f32>> {
        let scaled: Vec<Vec<Vec<f32>>> = items.par_iter().map(|item| self.scaled(item)).collect();
        let block = |block: &BlockMap| {
            let row = |(item, scaled): (&Content, &Vec<Vec<f32>>)| {
                block.row(scaled, self.categories.get(&item.category).copied())
            };
            items.iter().zip(&scaled).flat_map(row).collect()
        };
        self.blocks.par_iter().map(block).collect()
    }

    fn scaled(&self, item: &Content) -> Vec<Vec<f32>> {
        let modalities = self.modalities.iter().zip(&item.rows);
        let row = |(modality, row): (&ModalityInput, &Option<Vec<f32>>)| {
            modality.scale.apply(row.as_ref().unwrap_or(&modality.fill)).into_owned()
        };
        modalities.map(row).collect()
    }
}

impl BlockMap {
    /// A row for each item, whatever its features.
    pub(crate) fn constant(row: Vec<f32>) -> BlockMap {
        BlockMap {
            kind: BlockMapKind::Mean,
            inputs: Vec::new(),
            matrix: Vec::new(),
            offset: row,
            by_category: Vec::new(),
        }
    }

    /// The row of an item with these scaled features of each modality and this category. Sums are in double precision.
    pub(crate) fn row(&self, scaled: &[Vec<f32>], category: Option<usize>) -> Vec<f32> {
        let width = self.offset.len();
        let offset = match category.filter(|_| !self.by_category.is_empty()) {
            Some(place) => &self.by_category[place * width..(place + 1) * width],
            None => &self.offset,
        };
        let x: Vec<f32> = self.inputs.iter().flat_map(|&m| &scaled[m]).copied().collect();
        if x.is_empty() {
            return offset.to_vec();
        }
        let product =
            |row: &[f32]| row.iter().zip(&x).map(|(w, v)| f64::from(*w) * f64::from(*v)).sum::<f64>();
        self.matrix
            .chunks_exact(x.len())
            .zip(offset)
            .map(|(row, c)| (product(row) + f64::from(*c)) as f32)
            .collect()
    }
}
