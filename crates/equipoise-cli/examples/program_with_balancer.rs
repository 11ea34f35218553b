//! A balancer of one's own: each modality also ranks alone, the weakest with the largest weight.
//!
//! ```text
//! L   = L_BPR + strength sum_m w_m L_m
//! L_m = mean over the triples of softplus(-Delta_only(m)),      w_m = L_m / sum_k L_k, a constant
//! ```

use equipoise::Ablation;
use equipoise::author::losses::{bpr, mean_bpr};
use equipoise::author::{
    Balancer, BalancerSettings, FieldError, ModalityStep, Needs, Quantities, Setup, StepLoss, StepMargins,
    ranges, register_balancer,
};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

/// Its settings: the section `[balance.weakest]` of a configuration, or `--set balance.weakest.strength=0.5`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weakest {
    /// Weight of the modalities' own losses.
    pub strength: f64,
}

impl Default for Weakest {
    fn default() -> Self {
        Weakest { strength: 0.2 }
    }
}

impl BalancerSettings for Weakest {
    const NAME: &'static str = "weakest"; // what the program knows it by: `--balance weakest`
    const SOURCE: &'static str = "this example";
    const SUMMARY: &'static str = "every modality also ranks alone, the weakest with the largest weight";
    const QUANTITIES: Quantities = Quantities { ratio: None, effect: None, ..Quantities::GENERAL };

    fn check(&self) -> Result<(), FieldError> {
        ranges::not_negative("strength", self.strength)
    }

    fn without_effect() -> Option<Weakest> {
        Some(Weakest { strength: 0.0 })
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(OwnRanking { strength: self.strength, modalities: setup.modalities })
    }
}

struct OwnRanking {
    strength: f64,
    modalities: usize,
}

impl OwnRanking {
    /// Only modality `m` is kept: the others are replaced by their means.
    fn only(&self, m: usize) -> Ablation {
        Ablation::only(m, self.modalities)
    }
}

impl Balancer for OwnRanking {
    fn needs(&self) -> Needs {
        let ablations = (0..self.modalities).map(|m| self.only(m)).collect();
        Needs { ablations, ..Needs::default() }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let margins = step.bpr_margins;
        // `values` are plain numbers, constants of the loss; `of` is what gradients flow through.
        let alone = |m| mean_bpr(&margins.values(self.only(m)));
        let losses: Vec<f64> = (0..self.modalities).map(alone).collect();
        let total = losses.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut step = StepLoss::default();
        for (m, &loss) in losses.iter().enumerate() {
            let weight = loss / total;
            step.modalities.push(ModalityStep { weight, specific: Some(loss), ..ModalityStep::default() });
            let term = bpr(margins.of(self.only(m))) * (self.strength * weight);
            step.loss = Some(step.loss.into_iter().fold(term, |sum, others| others + sum));
        }
        step
    }
}

/// The whole command-line program, with one balancer more.
fn main() -> ExitCode {
    register_balancer(Weakest::ENTRY).expect("no other balancer is called `weakest`");
    equipoise_cli::main()
}
