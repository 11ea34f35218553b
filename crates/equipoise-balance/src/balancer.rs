//! The trait that every balancer implements.

use crate::heads::Heads;
use crate::modality_step::ModalityStep;
use crate::state::{BalancerState, StateError};
use crate::update::{Owner, Update};
use burn::tensor::Tensor;
use equipoise_data::Triples;
use equipoise_models::{Ablation, Margins};

/// What a balancer asks for in every step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Ablations whose margins it reads, besides the full one.
    pub ablations: Vec<Ablation>,
    /// Number of generic triples, 0 for none.
    pub generic_triples: usize,
    /// Distinct items that they are drawn from in one step; all if `None`.
    pub generic_items: Option<usize>,
    /// Whether its loss replaces the ranking loss instead of being added to it.
    pub replaces_ranking: bool,
    /// Whether losses of the margins under `only(m)` move the parameters of `m`'s group and the shared ones alone.
    /// A backbone whose modalities meet before the score needs a pass of its own for each `m` then.
    pub own_groups: bool,
    /// Whether, besides, the gradients of such losses are handed out apart, in [`Update::own`], for a balancer that combines
    /// them. A step takes a pass for each `m` then, whatever the backbone.
    pub own_gradients: bool,
}

/// What a balancer reads of one step: triples and the student's margins on them.
///
/// [`Margins::of`] is on the tape; [`Margins::values`] are constants, from which weights and ratios are computed.
pub struct StepMargins<'a> {
    /// BPR triples, by user and item index.
    pub bpr: &'a Triples,
    /// The student's margins on them, under every ablation asked for.
    pub bpr_margins: &'a Margins<'a>,
    /// Generic triples and the student's margins on them, where asked for.
    pub generic: Option<(&'a Triples, &'a Margins<'a>)>,
}

/// What a balancer adds to the loss, and what it saw.
#[derive(Default)]
pub struct StepLoss {
    /// Shape `[1]`, on the tape; `None` when it adds nothing.
    pub loss: Option<Tensor<1>>,
    /// One entry per modality, empty when the balancer measures nothing.
    pub modalities: Vec<ModalityStep>,
    /// The same of the ids, where the balancer treats them as a channel.
    pub ids: Option<ModalityStep>,
}

/// Decides what a step's loss is and, where it wants to, how its gradient becomes an update.
pub trait Balancer: Send {
    /// What it asks for, the same in every step.
    fn needs(&self) -> Needs;

    /// Before the first step of an epoch, counted from 1. `heads` measures the model when asked; a balancer that
    /// does not ask costs nothing.
    fn begin_epoch(&mut self, _epoch: usize, _heads: &mut dyn Heads) {}

    /// The loss it adds to this step.
    fn loss(&mut self, step: &StepMargins) -> StepLoss;

    /// What the gradient of the penalty on final rows is multiplied by in each parameter, given whose it is, for a balancer whose losses
    /// reach some parameters by a part of their weight only. `None` leaves it as it is, and costs nothing.
    fn penalty_scales(&self, _owners: &[Owner]) -> Option<Vec<f64>> {
        None
    }

    /// Changes the update that follows from the loss of this step, and may complete the numbers of the step.
    fn modulate(&mut self, _update: &mut Update) {}

    /// Everything that it keeps from one step or epoch to the next: counters, averages, weights that it computed, random
    /// streams. A training that was interrupted goes on with it, so what is left out here makes the rest of such a training
    /// another one; [`suite::goes_on_from_its_state`](crate::suite::goes_on_from_its_state) finds that. The default is right
    /// for a balancer whose methods change nothing in it.
    fn save_state(&self) -> BalancerState {
        BalancerState::default()
    }

    /// Goes on from what [`save_state`](Self::save_state) gave, in a balancer that was just built from the same settings and
    /// setup.
    ///
    /// # Errors
    /// If the state is that of another balancer.
    fn load_state(&mut self, state: &BalancerState) -> Result<(), StateError> {
        state.nothing()
    }
}
