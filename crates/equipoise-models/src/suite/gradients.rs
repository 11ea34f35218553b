//! Gradients against difference quotients.

use super::data::{dataset, every_ablation, model, triples};
use super::observe::{Asked, Seen, observe_scores};
use crate::{BackboneConfig, Model};
use equipoise_data::Seed;

/// Half the width of a quotient, in units of the parameters.
const STEP: f32 = 1.0 / 256.0;
/// Quotients of two widths that differ by more than this share lie on a kink and say nothing.
const SMOOTH: f64 = 0.02;

/// For every parameter, the gradient along random directions is the central difference quotient of the loss:
/// margins under every ablation, penalty and own losses together. Where an own loss is the whole objective,
/// of margins and penalty alone: it may hold targets constant, and then no quotient tells its gradient.
/// Directions across a kink (a threshold, a maximum) are left out; most must remain.
pub fn gradients_are_difference_quotients(config: &BackboneConfig) {
    for n in 1..=3 {
        let data = dataset(n, 11);
        let mut model = model(config, &data, 3);
        if model.parameters.is_empty() {
            return;
        }
        spread(&mut model);
        for position in 0..model.parameters.len() {
            check_parameter(config, &mut model, n, position);
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

fn look(model: &Model, n: usize) -> Seen {
    let (triples, ablations) = (triples(9, 5), every_ablation(n));
    let asked = Asked {
        triples: &triples,
        ablations: &ablations,
        all_rows: false,
        penalty: 0.01,
        naive: false,
        step: 4,
    };
    observe_scores(model, &asked)
}

fn check_parameter(config: &BackboneConfig, model: &mut Model, n: usize, position: usize) {
    const DIRECTIONS: u64 = 5;
    let seen = look(model, n);
    let (name, gradient) = seen.gradients[position].clone();
    let frozen = model.parameters.is_frozen(&name);
    let mut usable = 0;
    for seed in 0..DIRECTIONS {
        let direction = direction(gradient.len(), seed);
        let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
        let (wide, narrow) =
            (quotient(model, n, &name, &direction, STEP), quotient(model, n, &name, &direction, STEP / 2.0));
        let scale = 1.0 + wide.abs().max(narrow.abs());
        if (wide - narrow).abs() > SMOOTH * scale {
            continue;
        }
        usable += 1;
        let within = frozen || (narrow - along).abs() <= SMOOTH * scale;
        let backbone = &config.name;
        assert!(within, "{backbone}, {n} modalities: gradient of {name}: found {along}, quotient {narrow}");
    }
    assert!(2 * usable > DIRECTIONS, "{}: {name} lies on kinks in most directions", config.name);
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
        f64::from(look(model, n).loss)
    };
    let slope = (at(h) - at(-h)) / f64::from(2.0 * h);
    model.parameters.write(name, start);
    slope
}
