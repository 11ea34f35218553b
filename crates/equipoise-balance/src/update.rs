//! What an optimiser is about to do, before it does it.

use burn::tensor::Tensor;

/// One step's gradients and rates, in the order of the model's parameters.
pub struct Update<'a> {
    /// The modality in whose group each parameter is, by position; `None` for shared ones.
    pub groups: &'a [Option<usize>],
    /// Gradient of each parameter; `None` where the loss does not reach.
    pub gradients: Vec<Option<Tensor<2>>>,
    /// What each parameter's step is multiplied by, 1 unless changed.
    pub rates: Vec<f64>,
}

impl Update<'_> {
    /// An update as the loss asks for it.
    pub fn new(groups: &[Option<usize>], gradients: Vec<Option<Tensor<2>>>) -> Update<'_> {
        Update { groups, gradients, rates: vec![1.0; groups.len()] }
    }

    /// Replaces the gradient of parameter `k`, if it has one.
    pub fn map_gradient(&mut self, k: usize, change: impl FnOnce(Tensor<2>) -> Tensor<2>) {
        self.gradients[k] = self.gradients[k].take().map(change);
    }
}
