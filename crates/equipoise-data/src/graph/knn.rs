//! Graphs of similar items.
//!
//! ```text
//! K_ij = cos(e_i, e_j) if j is among the k items most similar to i (i itself counts), else 0
//! S_ij = K_ij / sqrt(deg_i deg_j),   deg_i = sum_j K_ij
//! ```
//!
//! Zhang et al., *Mining Latent Structures for Multimedia Recommendation* (2021); with `K_ij = 1` for the
//! chosen pairs, Zhou & Shen, *A Tale of Two Graphs: Freezing and Denoising Graph Structures for Multimodal
//! Recommendation* (2023). The graph is directed: `S` is not symmetric.

use super::nearest::Nearest;
use crate::csr::Csr;
use crate::features::Features;
use crate::stop::StopFlag;
use equipoise_kernels::precise_dot;
use equipoise_kernels::product::inner_products;
use rayon::prelude::*;
use std::ops::Range;

/// Rows whose neighbours one task searches.
const ROW_BLOCK: usize = 256;
/// Candidates whose similarities are computed at once.
const COLUMN_BLOCK: usize = 1024;
/// Norms for which products of unit rows with raw rows neither overflow nor lose digits in float32.
const SAFE_NORMS: Range<f64> = 1e-25..1e30;

/// The `k` nearest items of every item.
#[derive(Clone, Debug, PartialEq)]
pub struct Knn {
    n_items: usize,
    k: usize,
    neighbours: Vec<u32>,
    similarities: Vec<f32>,
}

/// For every item the `k` items of largest cosine similarity, itself among the candidates; all of them when
/// there are no more than `k`.
///
/// Similarities are computed in float64, rounded to float32 and compared as such; of equal ones the lower
/// index is preferred. An item whose features are all zero has similarity 0 to every item. The result is
/// exact and the same for any number of threads: float32 products of blocks only tell, by a bound on their
/// error, which pairs cannot be among the nearest.
///
/// Beyond the features and the result (`8 I k` bytes), it holds `12 I + 8 I k` bytes and, for every thread,
/// `4 * 256 * (1024 + d_m + 2 k)` bytes and what the product of a block packs; never `I x I` numbers. Time
/// `O(I^2 d_m)`.
pub fn knn(features: &Features, k: usize) -> Knn {
    knn_until(features, k, &StopFlag::default()).expect("nobody else can raise this flag")
}

/// [`knn()`], or `None` if the flag is raised meanwhile: a million items take minutes, and the flag is heard within a second.
pub fn knn_until(features: &Features, k: usize, stop: &StopFlag) -> Option<Knn> {
    let items = features.rows();
    let k = k.min(items);
    let rows = Rows::new(features);
    let starts: Vec<usize> = (0..items).step_by(ROW_BLOCK).collect();
    let block = |start| rows.nearest(start..items.min(start + ROW_BLOCK), k, stop);
    let blocks: Option<Vec<Vec<(u32, f32)>>> = starts.into_par_iter().map(block).collect();
    let (neighbours, similarities) = blocks?.into_iter().flatten().unzip();
    Some(Knn { n_items: items, k, neighbours, similarities })
}

/// The features, and what makes inner products cosines.
struct Rows<'a> {
    features: &'a Features,
    norms: Vec<f64>,
    /// `1 / norm`; NaN where float32 products are not to be relied on.
    scales: Vec<f32>,
    /// Bound on the error of a similarity by float32 products.
    margin: f32,
}

impl<'a> Rows<'a> {
    fn new(features: &'a Features) -> Rows<'a> {
        let norm = |i: usize| {
            let row = features.row(i);
            precise_dot(&row, &row).sqrt()
        };
        let norms: Vec<f64> = (0..features.rows()).into_par_iter().map(norm).collect();
        let scale = |norm: &f64| if SAFE_NORMS.contains(norm) { (1.0 / norm) as f32 } else { f32::NAN };
        let scales = norms.iter().map(scale).collect();
        // The product's own bound, and a few roundings of the unit row and of the scale.
        let margin = (features.width() + 8) as f32 * f32::EPSILON;
        Rows { features, norms, scales, margin }
    }

    /// The nearest of the items in `range`, one after the other, each with neighbours ascending; `None` once the flag is
    /// raised.
    fn nearest(&self, range: Range<usize>, k: usize, stop: &StopFlag) -> Option<Vec<(u32, f32)>> {
        let (items, width) = (self.features.rows(), self.features.width());
        let units = self.units(range.clone());
        let mut products = vec![0.0; range.len() * COLUMN_BLOCK.min(items)];
        let mut nearest: Vec<Nearest> = range.clone().map(|_| Nearest::new(k)).collect();
        for start in (0..items).step_by(COLUMN_BLOCK) {
            if stop.is_raised() {
                return None;
            }
            let columns = start..items.min(start + COLUMN_BLOCK);
            let products = &mut products[..range.len() * columns.len()];
            let candidates = self.features.rows_in(columns.clone());
            inner_products(&units, &candidates, width, products);
            let rows = products.chunks_exact(columns.len()).zip(&mut nearest);
            for (i, (products, nearest)) in range.clone().zip(rows) {
                self.offer(i, start, products, nearest);
            }
        }
        Some(nearest.into_iter().flat_map(Nearest::into_ascending).collect())
    }

    /// The rows of `range` divided by their norms, zero rows as they are.
    fn units(&self, range: Range<usize>) -> Vec<f32> {
        let mut units = Vec::with_capacity(range.len() * self.features.width());
        for i in range {
            let norm = if self.norms[i] > 0.0 { self.norms[i] } else { 1.0 };
            units.extend(self.features.row(i).iter().map(|&x| (f64::from(x) / norm) as f32));
        }
        units
    }

    /// Offers the items from `start` on to item `i`, given inner products with its unit row.
    fn offer(&self, i: usize, start: usize, products: &[f32], nearest: &mut Nearest) {
        let mut bar = nearest.bar();
        for (j, product) in (start..).zip(products) {
            // Candidates ascend and no similarity exceeds 1: nothing later can come in.
            if bar >= 1.0 {
                return;
            }
            // Also when the product says nothing, being NaN.
            let hopeless = product * self.scales[j] < bar - self.margin;
            if !hopeless {
                nearest.offer(j as u32, self.similarity(i, j));
                bar = nearest.bar();
            }
        }
    }

    fn similarity(&self, i: usize, j: usize) -> f32 {
        let norms = self.norms[i] * self.norms[j];
        if norms == 0.0 {
            return 0.0;
        }
        let cosine = precise_dot(&self.features.row(i), &self.features.row(j)) / norms;
        // Adding 0 turns -0 into 0, which is no different.
        cosine.clamp(-1.0, 1.0) as f32 + 0.0
    }
}

impl Knn {
    /// The graph in which no item has a neighbour.
    pub fn without_neighbours(n_items: usize) -> Knn {
        Knn { n_items, k: 0, neighbours: Vec::new(), similarities: Vec::new() }
    }

    /// Number of items `I`.
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// Neighbours of each item: the `k` asked for, or the number of items if that is smaller.
    pub fn k(&self) -> usize {
        self.k
    }

    /// `I x k` items, each row ascending.
    pub fn neighbours(&self) -> &[u32] {
        &self.neighbours
    }

    /// The similarity of each of [`neighbours`](Self::neighbours), in `[-1, 1]`.
    pub fn similarities(&self) -> &[f32] {
        &self.similarities
    }

    /// `S` with the similarities as weights. Where a row sum is not positive, which takes negative
    /// similarities or zero features, its reciprocal root is 0. Entries that are 0 are not stored.
    pub fn weighted(&self) -> Csr {
        self.normalised(|_, _, similarity| f64::from(similarity))
    }

    /// `S` with weight 1 for every neighbour, similar or not. An item without features has no edge, whichever
    /// way: it is not even similar to itself.
    pub fn binary(&self) -> Csr {
        // Any other item is as similar as can be to itself, and so to its nearest.
        let present = |i: usize| self.similarities[self.row(i)].iter().any(|&similarity| similarity > 0.0);
        let present: Vec<bool> = (0..self.n_items).map(present).collect();
        self.normalised(|i, j, _| f64::from(u8::from(present[i] && present[j])))
    }

    /// Where row `i` stands.
    fn row(&self, i: usize) -> Range<usize> {
        i * self.k..(i + 1) * self.k
    }

    /// Neighbours of item `i` with their similarities.
    fn neighbours_of(&self, i: usize) -> impl Iterator<Item = (usize, f32)> {
        let neighbours = self.neighbours[self.row(i)].iter().map(|&j| j as usize);
        neighbours.zip(self.similarities[self.row(i)].iter().copied())
    }

    /// `S` of weights `weight(i, j, similarity)`.
    fn normalised(&self, weight: impl Fn(usize, usize, f32) -> f64) -> Csr {
        let degree = |i| self.neighbours_of(i).map(|(j, similarity)| weight(i, j, similarity)).sum::<f64>();
        let degrees: Vec<f64> = (0..self.n_items).map(degree).collect();
        let mut matrix = Csr::with_capacity(self.n_items, self.n_items, self.neighbours.len());
        for (i, &to) in degrees.iter().enumerate() {
            for (j, similarity) in self.neighbours_of(i) {
                let (weight, from) = (weight(i, j, similarity), degrees[j]);
                if weight != 0.0 && to > 0.0 && from > 0.0 {
                    matrix.push(j as u32, (weight / (to * from).sqrt()) as f32);
                }
            }
            matrix.end_row();
        }
        matrix
    }
}
