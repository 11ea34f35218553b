//! Every backbone trains on another device as on the processor.
//!
//! Run with `--features equipoise-nn/vulkan -E 'test(devices::)' --run-ignored all` (docs/gpu.md); `EQUIPOISE_DEVICE` names the
//! device, `vulkan` if unset.

use crate::common;

use common::World;
use equipoise_balance::balancers;
use equipoise_models::{AblationEffect, built_in};
use equipoise_train::events::read_epochs;
use equipoise_train::{Outcome, RunConfig};

fn other() -> Option<String> {
    let name = std::env::var("EQUIPOISE_DEVICE").unwrap_or_else(|_| "vulkan".into());
    equipoise_nn::device(&name).inspect_err(|error| println!("skipped: {error}")).ok().map(|_| name)
}

/// The losses and the validation metric of every epoch.
fn course(outcome: &Outcome) -> Vec<(f64, f64)> {
    let epochs = read_epochs(&outcome.run.events_path()).unwrap();
    epochs.iter().map(|e| (e.loss, e.validation.unwrap_or(0.0))).collect()
}

/// Single-precision sums in another order, carried through a few steps.
fn alike(what: &str, world: &World, mut config: RunConfig, device: &str) {
    let here = course(&world.run(&config, &format!("{what} here")).unwrap());
    config.device = device.into();
    let there = course(&world.run(&config, &format!("{what} there")).unwrap());
    assert_eq!(here.len(), there.len(), "{what}");
    for (epoch, (h, t)) in here.iter().zip(&there).enumerate() {
        let loss = (h.0 - t.0).abs() <= 1e-3 * (1e-3 + h.0.abs());
        let metric = (h.1 - t.1).abs() <= 0.02;
        assert!(loss && metric, "{what}, epoch {epoch}: {h:?} here, {t:?} there");
    }
}

#[test]
#[ignore = "needs a device"]
fn every_backbone_trains_alike_plain_and_distilled() {
    let Some(device) = other() else { return };
    let world = World::new();
    for backbone in built_in() {
        for balancer in ["none", "ckd"] {
            if balancer == "ckd" && !backbone.ablation_effect.shows() {
                continue;
            }
            let mut config = world.distilled();
            (config.backbone.name, config.balance.name) = (backbone.name.into(), balancer.into());
            alike(&format!("{} {balancer}", backbone.name), &world, config, &device);
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn every_balancer_trains_alike() {
    let Some(device) = other() else { return };
    let world = World::new();
    let additive =
        built_in().iter().find(|b| b.ablation_effect == AblationEffect::Additive).expect("VBPR is one");
    for balancer in balancers() {
        let mut config = world.distilled();
        (config.backbone.name, config.balance.name) = (additive.name.into(), balancer.name.into());
        alike(balancer.name, &world, config, &device);
    }
}
