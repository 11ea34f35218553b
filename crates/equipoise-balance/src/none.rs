//! No balancing: the plain multimodal model, BPR and its penalty alone.

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::entry::{BalancerSettings, Setup};
use crate::quantities::Quantities;
use serde::{Deserialize, Serialize};

/// There is nothing to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

impl BalancerSettings for Config {
    const NAME: &'static str = "none";
    const SOURCE: &'static str = "-";
    const SUMMARY: &'static str = "the plain multimodal model";
    /// It has no numbers: the empty columns of its report are those of the distillation that it is compared with.
    const QUANTITIES: Quantities = crate::ckd::Config::QUANTITIES;

    fn without_effect() -> Option<Config> {
        Some(Config {})
    }

    fn build(&self, _setup: Setup) -> Box<dyn Balancer> {
        Box::new(NoBalance)
    }
}

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
