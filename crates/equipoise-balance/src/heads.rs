//! Heads of a model: its channels `only(m)` and the whole of it, each with a loss on pairs it learns from and on
//! pairs it does not.

use serde::{Deserialize, Serialize};

/// BPR losses of one head on fixed triples, as many of train pairs as of validation pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// `L^T`, on train pairs.
    pub train: f64,
    /// `L^V`, on validation pairs.
    pub validation: f64,
}

impl Losses {
    /// `O = L^V - L^T`: how much better the head knows what it was shown.
    pub fn overfitting(self) -> f64 {
        self.validation - self.train
    }
}

/// One head before and after it was trained alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeadLosses {
    /// Before.
    pub before: Losses,
    /// After.
    pub after: Losses,
}

/// Measures heads during training, when a balancer asks: one entry per modality in the data set's order, then
/// the whole model.
pub trait Heads {
    /// The heads of the model as it stands.
    fn now(&mut self) -> Vec<Losses>;

    /// The heads of copies of the model as it stands, each trained alone for that many epochs.
    fn alone(&mut self, epochs: usize) -> Vec<Losses>;
}
