//! What an optimiser is about to do, before it does it.

use crate::modality_step::ModalityStep;
use burn::tensor::Tensor;
use equipoise_models::Inputs;
use equipoise_nn::{Group, Parameters};
use serde::{Deserialize, Serialize};

/// Whose a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Every modality's: layers after modalities meet.
    Shared,
    /// An embedding of users or of items.
    Ids,
    /// That of the modality at this position.
    Modality(usize),
}

impl Owner {
    /// The owner of each parameter, in order, of a model with these modalities.
    pub fn of(parameters: &Parameters, inputs: &Inputs) -> Vec<Owner> {
        let names = inputs.names();
        let owner = |group: &Group| match group {
            Group::Shared => Owner::Shared,
            Group::Ids => Owner::Ids,
            Group::Modality(name) => {
                names.iter().position(|n| n == name).map_or(Owner::Shared, Owner::Modality)
            }
        };
        parameters.iter().map(|(_, group, _)| owner(group)).collect()
    }

    /// The modality, if it is one's.
    pub fn modality(self) -> Option<usize> {
        match self {
            Owner::Modality(m) => Some(m),
            Owner::Shared | Owner::Ids => None,
        }
    }
}

/// One step's gradients and rates, in the order of the model's parameters.
pub struct Update<'a> {
    /// Whose each parameter is.
    pub groups: &'a [Owner],
    /// Gradient of each parameter; `None` where the loss does not reach, whose values and moments then stay as they are.
    pub gradients: Vec<Option<Tensor<2>>>,
    /// What each parameter's step is multiplied by, 1 unless changed.
    pub rates: Vec<f64>,
    /// For [`Needs::own_gradients`](crate::Needs::own_gradients): the gradients of what was added to the loss of each
    /// modality's margins under `only(m)`, which are not in `gradients`. They are `None` in the groups of other modalities.
    pub own: Vec<Vec<Option<Tensor<2>>>>,
    /// The numbers of the step as its loss gave them, for what only the gradient tells.
    pub modalities: Vec<ModalityStep>,
}

impl Update<'_> {
    /// An update as the loss asks for it.
    pub fn new(groups: &[Owner], gradients: Vec<Option<Tensor<2>>>) -> Update<'_> {
        let rates = vec![1.0; groups.len()];
        Update { groups, gradients, rates, own: Vec::new(), modalities: Vec::new() }
    }

    /// Replaces the gradient of parameter `k`, if it has one.
    pub fn map_gradient(&mut self, k: usize, change: impl FnOnce(Tensor<2>) -> Tensor<2>) {
        self.gradients[k] = self.gradients[k].take().map(change);
    }
}

/// What a factor multiplies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Apply {
    /// The gradient, before the optimiser: one that keeps moments undoes a constant factor.
    #[default]
    Grad,
    /// The optimiser's step.
    Update,
}

impl Apply {
    /// Multiplies the gradient or the step of parameter `k`.
    pub fn to(self, update: &mut Update, k: usize, factor: f64) {
        match self {
            Apply::Grad if factor != 1.0 => update.map_gradient(k, |g| g * factor),
            Apply::Grad => {}
            Apply::Update => update.rates[k] = factor,
        }
    }
}
