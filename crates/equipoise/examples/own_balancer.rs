//! A balancer of one's own: every modality also learns to rank alone.
//!
//! ```text
//! L = L_BPR + strength sum_m mean over the triples of softplus(-Delta_only(m))
//! ```
//!
//! `docs/add-a-balancer.md` walks through a larger one, with numbers for the report.
//!
//! ```text
//! cargo run --release -p equipoise --example own_balancer
//! ```

use equipoise::Ablation;
use equipoise::author::losses::bpr;
use equipoise::author::{Balancer, BalancerSettings, ModalityStep, Needs, Setup, StepLoss, StepMargins};
use equipoise::author::{balancer_suite, register_balancer};
use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;
use serde::{Deserialize, Serialize};

/// Its settings: the section `[balance.alone]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alone {
    /// Weight of the modalities' own losses.
    pub strength: f64,
}

impl Default for Alone {
    fn default() -> Alone {
        Alone { strength: 0.2 }
    }
}

impl BalancerSettings for Alone {
    const NAME: &'static str = "alone";
    const SOURCE: &'static str = "this example";
    const SUMMARY: &'static str = "every modality also learns to rank alone";

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        let n = setup.modalities;
        let channels = (0..n).map(|m| Ablation::only(m, n)).collect();
        Box::new(OwnLosses { strength: self.strength, channels })
    }
}

struct OwnLosses {
    strength: f64,
    channels: Vec<Ablation>,
}

impl Balancer for OwnLosses {
    fn needs(&self) -> Needs {
        Needs { ablations: self.channels.clone(), ..Needs::default() }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let losses = self.channels.iter().map(|&only| bpr(step.bpr_margins.of(only)) * self.strength);
        let numbers = ModalityStep { weight: self.strength, ..ModalityStep::default() };
        StepLoss {
            loss: losses.reduce(|a, b| a + b),
            modalities: vec![numbers; self.channels.len()],
            ..StepLoss::default()
        }
    }
}

/// Holds it to what every balancer must do, then trains VBPR with and without it.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    register_balancer(Alone::ENTRY)?;
    balancer_suite::check(&Alone::ENTRY);

    let place = tempfile::tempdir()?;
    let path = place.path().join("my-data");
    write_demo(&path, &DemoConfig { users: 300, items: 150, ..DemoConfig::default() })?;
    let data = Dataset::open(path)?.load()?;
    let training = || Training::new(&data).set("train.lr", 5e-3).set("train.epochs", 10);
    let (plain, balanced) = (training().run()?, training().balancer(Alone { strength: 0.5 }).run()?);
    for modality in data.modalities() {
        let channel = |run: &TrainedRun| run.channel_metric(modality, "recall@20");
        println!("only {modality}: {:.4} plain, {:.4} balanced", channel(&plain)?, channel(&balanced)?);
    }
    Ok(())
}
