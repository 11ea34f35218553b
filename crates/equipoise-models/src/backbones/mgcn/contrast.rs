//! The contrastive loss between what a node's modalities say and what its interactions say.

use crate::{BatchTriples, Occurrences, Tables};
use burn::tensor::{Tensor, TensorData};
use equipoise_nn::{gather_rows, log_partition, normalise_rows};

/// Equation (10) of the [backbone](super).
pub struct Contrast {
    /// `lambda_c`.
    pub weight: f64,
    /// `tau`.
    pub tau: f64,
}

impl Contrast {
    /// The loss of a batch, given `C_mul` and `C_id` for the rows requested. Shape `[1]`.
    pub fn loss(&self, batch: &BatchTriples, content: &Tables, behaviour: &Tables) -> Tensor<1> {
        let items = self.info_nce(batch.positives(), &content.items, &behaviour.items);
        let users = self.info_nce(batch.users(), &content.users, &behaviour.users);
        (items + users) * self.weight
    }

    /// `InfoNCE(A, B)` of the given rows of two tables. A row that occurs `n` times adds `n` equal terms, and
    /// `n` times the same to every partition sum, so each distinct row is worked out once:
    /// ```text
    /// 1/B sum_r n_r ( ln sum_s n_s exp(a_r.b_s / tau) - a_r.b_r / tau )
    /// ```
    fn info_nce(&self, rows: &[u32], a: &Tensor<2>, b: &Tensor<2>) -> Tensor<1> {
        let of = Occurrences::of(rows);
        let unit = |table: &Tensor<2>| normalise_rows(gather_rows(table.clone(), &of.rows));
        let (a, b) = (unit(a) / self.tau, unit(b));
        let logs = of.counts.iter().map(|count| count.ln()).collect();
        let own = (a.clone() * b.clone()).sum_dim(1);
        let shares = TensorData::new(of.shares(), [of.rows.len(), 1]);
        let shares = Tensor::<2>::from_data(shares, &a.device());
        ((log_partition(a, b, &logs) - own) * shares).sum()
    }
}
