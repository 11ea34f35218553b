//! The category term `c^m_g(i)`.

use super::{CategorySource, Config};
use crate::nodes::repeated_rows;
use crate::parts::Build;
use crate::{Inputs, Pass};
use burn::tensor::{Tensor, TensorData};
use equipoise_nn::init;
use std::sync::Arc;

/// The category `g(i)` of each item.
pub(super) struct OfItems {
    rows: Vec<u32>,
    /// Share of the items in each category.
    shares: Vec<f32>,
}

/// The categories that these settings ask for; `None` for no category term.
///
/// # Errors
/// If the data set has none and they must come from there.
pub(super) fn of_items(config: &Config, inputs: &Inputs) -> Result<Option<Arc<OfItems>>, String> {
    let per_item = || (0..inputs.n_items as u32).collect();
    let rows = match (config.categories, &inputs.categories) {
        (CategorySource::None, _) => return Ok(None),
        (CategorySource::PerItem, _) | (CategorySource::Auto, None) => per_item(),
        (CategorySource::Data | CategorySource::Auto, Some(data)) => data.resolve(config.min_count).1,
        (CategorySource::Data, None) => {
            let expected =
                "expected a data set with categories.json beside its splits, or auto, per_item or none";
            return Err(format!("categories = \"data\": {expected}"));
        }
    };
    Ok(Some(Arc::new(OfItems::new(rows))))
}

impl OfItems {
    fn new(rows: Vec<u32>) -> OfItems {
        let mut counts = vec![0u32; rows.iter().max().map_or(0, |&last| last as usize + 1)];
        rows.iter().for_each(|&row| counts[row as usize] += 1);
        let share = |count| (f64::from(count) / rows.len() as f64) as f32;
        OfItems { shares: counts.into_iter().map(share).collect(), rows }
    }
}

/// One modality's vectors, a table with one row per category.
pub(super) struct Category {
    of_items: Arc<OfItems>,
    table: String,
}

impl Category {
    /// Registers `category.<m>` of `C x d`.
    pub(super) fn new(of_items: Arc<OfItems>, m: usize, b: &mut Build) -> Category {
        let (table, group) = (format!("category.{}", b.inputs.modalities[m].name), b.group(m));
        b.table(&table, group, [of_items.shares.len(), b.width], init::xavier_uniform);
        Category { of_items, table }
    }

    /// `c_g(i)` of the items requested: `[items, d]`.
    pub(super) fn rows(&self, pass: &Pass) -> Tensor<2> {
        let category = |&item: &u32| self.of_items.rows[item as usize];
        repeated_rows(pass.table(&self.table), pass.item_rows().rows().iter().map(category))
    }

    /// `(1/I) sum_i c_g(i)`, one row.
    pub(super) fn mean(&self, pass: &Pass) -> Tensor<2> {
        let (table, shares) = (pass.table(&self.table), &self.of_items.shares);
        let shares = TensorData::new(shares.clone(), [1, shares.len()]);
        Tensor::<2>::from_data(shares, &table.device()).matmul(table)
    }
}
