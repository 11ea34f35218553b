//! Gradients against difference quotients.

use super::data::{dataset, every_ablation, model, triples};
use super::observe::{Observed, Probe, observe_scores};
use crate::{BackboneConfig, Model};
use equipoise_data::Seed;

/// Half the widths of quotients, in units of the parameters, each tried where the one before disagrees: a kink
/// within a wide quotient mostly lies outside a narrow one, which rounding makes less exact.
const STEPS: [f32; 3] = [1.0 / 256.0, 1.0 / 1024.0, 1.0 / 4096.0];
/// A gradient agrees with a quotient if they differ by no more than this share.
const CLOSE: f64 = 0.02;

/// For every parameter, the gradient along random directions is the central difference quotient of the loss:
/// margins under every ablation, penalty and own losses together. Across a kink (a threshold, a maximum) they
/// differ: quotients are narrowed until they agree, and one direction of four need not. Where an own loss is the
/// whole objective, of margins and penalty alone: it may hold targets constant, and then no quotient tells its
/// gradient.
pub fn gradients_are_difference_quotients(config: &BackboneConfig) {
    for n in 1..=3 {
        let data = dataset(n, 11);
        let mut model = model(config, &data, 3);
        if model.parameters.is_empty() {
            return;
        }
        spread(&mut model);
        for (name, gradient) in look(&model, n, true).gradients {
            check_parameter(config, &mut model, n, &name, &gradient);
        }
    }
}

/// Values of a size at which every term matters: published initial values are so small that products vanish.
fn spread(model: &mut Model) {
    let mut stream = Seed(17).stream("suite/spread");
    let names: Vec<String> = model.parameters.iter().map(|(name, _, _)| name.to_owned()).collect();
    for name in names {
        let values = model.parameters.read(&name);
        let moved = values.iter().map(|v| v + (stream.unit() - 0.5) as f32).collect();
        model.parameters.write(&name, moved);
    }
}

fn look(model: &Model, n: usize, gradients: bool) -> Observed {
    let (triples, ablations) = (triples(9, 5), every_ablation(n));
    let probe = Probe {
        triples: &triples,
        ablations: &ablations,
        all_rows: false,
        penalty: 0.01,
        naive: false,
        step: 4,
    };
    observe_scores(model, &probe, gradients)
}

fn check_parameter(config: &BackboneConfig, model: &mut Model, n: usize, name: &str, gradient: &[f32]) {
    const DIRECTIONS: u64 = 4;
    if model.parameters.is_frozen(name) {
        return;
    }
    let mut disagreeing = Vec::new();
    for seed in 0..DIRECTIONS {
        let direction = direction(gradient.len(), seed);
        let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
        let mut quotients = STEPS.iter().map(|&h| quotient(model, n, name, &direction, h));
        if !quotients.any(|q| (q - along).abs() <= CLOSE * (1.0 + q.abs())) {
            disagreeing.push((along, quotient(model, n, name, &direction, STEPS[STEPS.len() - 1])));
        }
    }
    // One direction may have a kink closer than the narrowest quotient.
    let backbone = &config.name;
    let found = format!("{backbone}, {n} modalities: gradient of {name}: (found, quotient) {disagreeing:?}");
    assert!(disagreeing.len() <= 1, "{found}");
}

fn direction(n: usize, seed: u64) -> Vec<f32> {
    let mut stream = Seed(seed).stream("suite/direction");
    (0..n).map(|_| if stream.unit() < 0.5 { -1.0 } else { 1.0 }).collect()
}

fn quotient(model: &mut Model, n: usize, name: &str, direction: &[f32], h: f32) -> f64 {
    let start = model.parameters.read(name);
    let mut at = |h: f32| {
        let moved = start.iter().zip(direction).map(|(v, d)| v + h * d).collect();
        model.parameters.write(name, moved);
        f64::from(look(model, n, false).loss)
    };
    let slope = (at(h) - at(-h)) / f64::from(2.0 * h);
    model.parameters.write(name, start);
    slope
}
