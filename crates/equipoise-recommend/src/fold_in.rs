//! Users that the model was not trained on, from the items of their baskets.
//!
//! The item table stays as it is. Of a stranger with items `B`, the row `p` minimises the model's own ranking loss against a
//! fixed sample `N` of other items, with a penalty towards a starting row:
//!
//! ```text
//! f(p) = sum_{i in B} v_i mean_{j in N \ B} softplus(-<p, z_i - z_j>) + lambda / 2 * ||p - p_0||^2,   sum v = |B|
//! ```
//!
//! The start `p_0` is the mean user row (`mean`), or what a linear map makes of the mean item row of the basket (`map`),
//! fitted by ridge regression on the users of the training data: for a backbone that propagates over the graph, the map is
//! the propagation of a basket, learned from its results. `f` is convex; gradient steps of Barzilai and Borwein's length go
//! down until the gradient is small or [`STEPS`] are done.
//!
//! Start and penalty are chosen on validation, on users that the map was not fitted to, see [`FoldInChoice`].

use crate::descent::Descent;
use equipoise_data::Seed;
use equipoise_train::{FinalBlock, FinalTables};
use faer::prelude::Solve;
use faer::{Mat, Side};
use serde::{Deserialize, Serialize};

/// Most gradient steps.
pub const STEPS: usize = crate::descent::STEPS;
/// Items against which the basket is ranked.
const SAMPLE: usize = 256;

/// How a stranger's row is found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldInSettings {
    /// Where the row starts.
    pub start: FoldInStart,
    /// Penalty on the distance from the start, above 0; with `null` the start is the row.
    pub lambda: Option<f64>,
}

/// Where a stranger's row starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FoldInStart {
    /// The mean row of the users in training.
    Mean,
    /// A linear map of the mean item row of the basket.
    Map,
}

/// The setting chosen, and what it was chosen by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldInChoice {
    /// The setting.
    #[serde(flatten)]
    pub settings: FoldInSettings,
    /// Users that played strangers.
    pub users: usize,
    /// Their recall@20 on validation, folded in from their train items.
    pub recall: f64,
    /// Their recall@20 on validation with the rows that training gave them.
    pub trained_recall: f64,
}

/// The blocks of one view, and what folding in needs of them. Item rows are read where the tables lie.
pub(crate) struct FoldIn {
    blocks: Vec<FinalBlock>,
    width: usize,
    mean: Vec<f64>,
    /// Items of the sample, ascending.
    sample: Vec<u32>,
    /// Their rows, one after another.
    sampled: Vec<f32>,
    map: Option<LinearMap>,
}

/// `p_0 = A z + c`, with `A` of `width x width` values, row after row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LinearMap {
    pub(crate) matrix: Vec<f32>,
    pub(crate) offset: Vec<f32>,
}

impl FoldIn {
    /// Prepares these blocks of the tables.
    pub(crate) fn new(tables: &FinalTables, blocks: &[usize], map: Option<LinearMap>) -> FoldIn {
        let blocks: Vec<FinalBlock> = blocks.iter().map(|&b| tables.blocks()[b].clone()).collect();
        let n = tables.n_items() as u32;
        let mut stream = Seed(0).stream("fold-in/sample");
        let mut sample: Vec<u32> = if n as usize <= SAMPLE {
            (0..n).collect()
        } else {
            (0..SAMPLE).map(|_| stream.below(n)).collect()
        };
        sample.sort_unstable();
        sample.dedup();
        let sampled = sample.iter().flat_map(|&item| item_row(&blocks, item)).collect();
        let width = blocks.iter().map(FinalBlock::width).sum();
        FoldIn { width, mean: mean_user(&blocks), sample, sampled, map, blocks }
    }

    fn item(&self, item: u32) -> Vec<f32> {
        item_row(&self.blocks, item)
    }

    /// The row of a stranger with these items and weights above 0.
    pub(crate) fn row(&self, basket: &[(u32, f64)], settings: FoldInSettings) -> Vec<f32> {
        let start = self.start(basket, settings.start);
        let row = match settings.lambda {
            Some(lambda) if !basket.is_empty() => self.descend(basket, start, lambda),
            _ => start,
        };
        row.into_iter().map(|v| v as f32).collect()
    }

    /// The row of a user with this row from training, who has met `news` beside `history` since: from the trained row, moved by
    /// what the map makes of the change of the mean item row if strangers start at the map, down the loss of the news with the
    /// same penalty.
    pub(crate) fn moved(
        &self,
        trained: &[f32],
        history: &[(u32, f64)],
        news: &[(u32, f64)],
        settings: FoldInSettings,
    ) -> Vec<f32> {
        let mut start: Vec<f64> = trained.iter().map(|&v| f64::from(v)).collect();
        if self.map.is_some() && settings.start == FoldInStart::Map && !history.is_empty() {
            let before = self.start(history, settings.start);
            let after = self.start(&[history, news].concat(), settings.start);
            start
                .iter_mut()
                .zip(after.iter().zip(&before))
                .for_each(|(v, (after, before))| *v += after - before);
        }
        let row = match settings.lambda {
            Some(lambda) => self.descend(news, start, lambda),
            None => start,
        };
        row.into_iter().map(|v| v as f32).collect()
    }

    fn start(&self, basket: &[(u32, f64)], start: FoldInStart) -> Vec<f64> {
        match (&self.map, start) {
            (Some(map), FoldInStart::Map) if !basket.is_empty() => {
                let mean = self.basket_mean(basket);
                let rows = map.matrix.chunks_exact(self.width).zip(&map.offset);
                rows.map(|(row, &c)| {
                    row.iter().zip(&mean).map(|(&a, z)| f64::from(a) * z).sum::<f64>() + f64::from(c)
                })
                .collect()
            }
            _ => self.mean.clone(),
        }
    }

    /// The weighted mean of the item rows of a basket.
    fn basket_mean(&self, basket: &[(u32, f64)]) -> Vec<f64> {
        let total: f64 = basket.iter().map(|(_, w)| w).sum();
        let mut mean = vec![0.0; self.width];
        for &(item, weight) in basket {
            mean.iter_mut().zip(self.item(item)).for_each(|(m, z)| *m += f64::from(z) * weight / total);
        }
        mean
    }

    fn descend(&self, basket: &[(u32, f64)], start: Vec<f64>, lambda: f64) -> Vec<f64> {
        let sampled = self.sample.iter().zip(self.sampled.chunks_exact(self.width));
        let beside = sampled.filter(|(j, _)| basket.iter().all(|(i, _)| i != *j));
        let others: Vec<&[f32]> = beside.map(|(_, row)| row).collect();
        let rows: Vec<(Vec<f32>, f64)> = basket.iter().map(|&(i, weight)| (self.item(i), weight)).collect();
        let basket: Vec<(&[f32], f64)> = rows.iter().map(|(row, weight)| (row.as_slice(), *weight)).collect();
        match Descent::new(&basket, &others, &start, lambda) {
            Some(descent) => descent.end(),
            None => start,
        }
    }

    /// The map from mean item rows of baskets to user rows that fits these users best: ridge regression of the rows'
    /// differences from their means, with a penalty of `ridge` times the mean variance of a column of item rows.
    pub(crate) fn fit(&self, baskets: &[Vec<(u32, f64)>], users: &[&[f32]], ridge: f64) -> Option<LinearMap> {
        let (n, d) = (users.len(), self.width);
        if n < 2 {
            return None;
        }
        let rows: Vec<Vec<f64>> = baskets.iter().map(|basket| self.basket_mean(basket)).collect();
        let mut x = Mat::from_fn(n, d, |u, c| rows[u][c]);
        let mut y = Mat::from_fn(n, d, |u, c| f64::from(users[u][c]));
        let (of_x, of_y) = (centre(&mut x), centre(&mut y));
        let mut gram = x.transpose() * &x;
        let spread = (0..d).map(|c| gram[(c, c)]).sum::<f64>() / d as f64;
        (0..d).for_each(|c| gram[(c, c)] += ridge * spread + f64::MIN_POSITIVE);
        let solved = gram.llt(Side::Lower).ok()?.solve(x.transpose() * &y);
        let matrix: Vec<f32> = (0..d * d).map(|k| solved[(k % d, k / d)] as f32).collect();
        let offset = |c: usize| {
            let moved: f64 = (0..d).map(|k| f64::from(matrix[c * d + k]) * of_x[k]).sum();
            (of_y[c] - moved) as f32
        };
        let offset = (0..d).map(offset).collect();
        Some(LinearMap { matrix, offset })
    }

    /// The same item rows with a map.
    pub(crate) fn with_map(self, map: Option<LinearMap>) -> FoldIn {
        FoldIn { map, ..self }
    }
}

/// The row of an item in these blocks side by side.
fn item_row(blocks: &[FinalBlock], item: u32) -> Vec<f32> {
    let mut row = Vec::with_capacity(blocks.iter().map(FinalBlock::width).sum());
    for block in blocks {
        row.extend_from_slice(&block.items()[item as usize * block.width()..][..block.width()]);
    }
    row
}

/// The mean row of the users in these blocks side by side.
fn mean_user(blocks: &[FinalBlock]) -> Vec<f64> {
    let of_block = |block: &FinalBlock| {
        let rows = block.users().len() / block.width();
        let mut mean = vec![0.0; block.width()];
        for row in block.users().chunks_exact(block.width()) {
            mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v) / rows as f64);
        }
        mean
    };
    blocks.iter().flat_map(of_block).collect()
}

/// Takes the mean of each column off and returns the means.
pub(crate) fn centre(table: &mut Mat<f64>) -> Vec<f64> {
    let n = table.nrows() as f64;
    let means = table.col_iter_mut().map(|column| {
        let mean = column.as_ref().iter().sum::<f64>() / n;
        column.iter_mut().for_each(|v| *v -= mean);
        mean
    });
    means.collect()
}
