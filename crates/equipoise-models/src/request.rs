//! What a step requests from a backbone.

use crate::{Ablation, Inputs, RowSet};
use equipoise_data::{Seed, Triples};
use equipoise_nn::Values;
use std::ops::Range;
use std::sync::Arc;

/// Whether a pass is part of training (dropout on, gradients recorded) or of inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Part of a training step.
    Training,
    /// Evaluation, teacher tables, serving.
    Inference,
}

/// The BPR triples of a step, for backbones with losses of their own.
#[derive(Clone, Debug)]
pub struct BatchTriples {
    /// Every triple of the step, as positions among the users and items requested.
    pub triples: Arc<Triples>,
    /// How many of them, from the first, are BPR triples.
    pub bpr: usize,
}

impl BatchTriples {
    /// Positions of the users among the users requested, one per BPR triple.
    pub fn users(&self) -> &[u32] {
        &self.triples.users[self.range()]
    }

    /// Positions of the preferred items among the items requested.
    pub fn positives(&self) -> &[u32] {
        &self.triples.positives[self.range()]
    }

    /// Positions of the other items among the items requested.
    pub fn negatives(&self) -> &[u32] {
        &self.triples.negatives[self.range()]
    }

    /// Where the BPR triples stand among all.
    pub fn range(&self) -> Range<usize> {
        0..self.bpr
    }
}

/// What a step requests from a backbone: all ablations at once, so that it can share work.
pub struct Request<'a> {
    /// Its parameters.
    pub values: &'a Values<'a>,
    /// Sizes, features and graph.
    pub inputs: &'a Inputs,
    /// The ablations wanted, distinct.
    pub ablations: &'a [Ablation],
    /// The ablation under which the model itself is trained and used: full, or `only(m)` for a teacher. The
    /// backbone's own losses are taken under it.
    pub primary: Ablation,
    /// The users whose rows are needed.
    pub users: &'a RowSet,
    /// The items whose rows are needed.
    pub items: &'a RowSet,
    /// Whether blocks that are constant over users and items are wanted as well. They move no margin and no
    /// ranking; only a penalty on final rows sees them.
    pub constants: bool,
    /// Training or inference.
    pub mode: Mode,
    /// The batch of a training step; `None` elsewhere. A backbone with losses of its own adds them when it is
    /// there.
    pub batch: Option<&'a BatchTriples>,
    /// Number of the step and the seed of its dropout: masks derive from both, the same for every ablation.
    pub step: u64,
    /// See `step`.
    pub dropout: Seed,
}

impl<'a> Request<'a> {
    /// Tables of every user and item, in inference mode.
    pub fn inference(values: &'a Values<'a>, inputs: &'a Inputs, ablations: &'a [Ablation]) -> Request<'a> {
        Request {
            values,
            inputs,
            ablations,
            primary: Ablation::FULL,
            users: inputs.all_users(),
            items: inputs.all_items(),
            constants: false,
            mode: Mode::Inference,
            batch: None,
            step: 0,
            dropout: Seed(0),
        }
    }
}
