//! Rows of a batch, each once, with how often it occurs.

use burn::tensor::Tensor;
use equipoise_nn::{Rows, gather_rows, weighted_square_sum};

/// Distinct rows and their counts: a sum over a batch in which rows repeat is a sum over these, weighted.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrences {
    /// The distinct rows, ascending.
    pub rows: Rows,
    /// How often each occurs.
    pub counts: Vec<f32>,
}

impl Occurrences {
    /// Of these rows.
    ///
    /// # Examples
    /// ```
    /// let of = equipoise_models::Occurrences::of(&[7, 2, 7]);
    /// assert_eq!((&of.rows[..], &of.counts[..]), (&[2, 7][..], &[1.0, 2.0][..]));
    /// ```
    pub fn of(rows: &[u32]) -> Occurrences {
        let mut sorted = rows.to_vec();
        sorted.sort_unstable();
        let runs = sorted.chunk_by(|a, b| a == b);
        let (rows, counts): (Vec<u32>, Vec<f32>) = runs.map(|run| (run[0], run.len() as f32)).unzip();
        Occurrences { rows: rows.into(), counts }
    }

    /// `scale` times the sum over all occurrences of `||x_row||^2`, shape `[1]`.
    pub fn square_norm(&self, table: Tensor<2>, scale: f64) -> Tensor<1> {
        let weights: Vec<f32> = self.counts.iter().map(|&count| (scale * f64::from(count)) as f32).collect();
        weighted_square_sum(gather_rows(table, &self.rows), &weights.into())
    }

    /// The share of each row in the whole.
    pub fn shares(&self) -> Vec<f32> {
        let total: f32 = self.counts.iter().sum();
        self.counts.iter().map(|count| count / total).collect()
    }
}
