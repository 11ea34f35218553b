//! No balancing: the plain multimodal model, BPR and its penalty alone.

use crate::registry::{BalancerEntry, Requirement};
use crate::{Balancer, Needs, StepLoss, StepMargins};

/// The registry's entry.
pub const ENTRY: BalancerEntry = BalancerEntry {
    name: "none",
    source: "-",
    summary: "the plain multimodal model",
    requirement: |_| Requirement::Nothing,
    check: |_, _| Ok(()),
    build: |_, _| Box::new(NoBalance),
};

/// Adds nothing.
pub struct NoBalance;

impl Balancer for NoBalance {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn loss(&mut self, _step: &StepMargins) -> StepLoss {
        StepLoss::default()
    }
}
