//! Robust weights against an independent implementation, and what they promise.

mod common;

use common::{close, floats, golden, list, numbers, text};
use equipoise_balance::robust::{ChannelGain, ChannelMargins, Gate, RobustWeigher};
use proptest::prelude::*;
use serde_json::Value;

fn rows(value: &Value) -> Vec<Vec<f32>> {
    list(value).iter().map(floats).collect()
}

fn margins(step: &Value) -> ChannelMargins {
    let (student, teacher) = (&step["student"], &step["teacher"]);
    ChannelMargins {
        full: floats(&student["full"]),
        ids: floats(&student["ids"]),
        only: rows(&student["only"]),
        without: rows(&student["without"]),
        teachers: [vec![floats(&teacher["ids"])], rows(&teacher["own"])].concat(),
        silenced: rows(&teacher["silenced"]),
    }
}

fn wide(values: impl Iterator<Item = f64>) -> Vec<f32> {
    values.map(|v| v as f32).collect()
}

fn gates(gates: &[f64], goals: &[f64]) -> Vec<Gate> {
    gates.iter().zip(goals).map(|(&gate, &goal)| Gate { gate, goal }).collect()
}

#[test]
fn weights_are_the_reference_ones_step_after_step() {
    let golden = golden("robust");
    let mut steps = 0;
    for course in list(&golden["courses"]) {
        let mut weigher = RobustWeigher::new(gates(&numbers(&course["gates"]), &numbers(&course["goals"])));
        for (k, step) in list(&course["steps"]).iter().enumerate() {
            let what = |part: &str| format!("{} step {k} {part}", text(course, "name"));
            let (observed, expected) = (margins(step).observed(), &step["expected"]);
            close(&what("gamma"), &wide(observed.iter().map(|o| o.gamma)), &numbers(&expected["gamma"]));
            close(&what("tau"), &wide(observed.iter().map(|o| o.tau)), &numbers(&expected["tau"]));
            close(
                &what("variance"),
                &wide(observed.iter().map(|o| o.variance)),
                &numbers(&expected["variance"]),
            );
            let weights = weigher.weigh(&observed);
            close(&what("weight"), &wide(weights.iter().map(|w| w.weight)), &numbers(&expected["weight"]));
            if !step["channels"].is_null() {
                weigher.evaluated(&numbers(&step["channels"]));
                close(&what("fade"), &wide(weigher.fade().iter().copied()), &numbers(&step["fade"]));
            }
            steps += 1;
        }
    }
    assert!(steps >= 20, "the reference file is whole: {steps} steps");
}

/// Numbers of a step, and of the gates.
fn channel() -> impl Strategy<Value = (ChannelGain, Gate)> {
    (-1.0..1.0f64, -1.0..1.0f64, 0.0..0.2f64, 0.0..1.0f64, 0.0..0.5f64).prop_map(
        |(gamma, tau, variance, gate, goal)| (ChannelGain { gamma, tau, variance }, Gate { gate, goal }),
    )
}

proptest! {
    #[test]
    fn weights_lie_between_nothing_and_the_gate_and_each_is_its_channels_own(
        channels in prop::collection::vec(channel(), 1..6),
        metrics in prop::collection::vec(0.0..0.5f64, 6),
    ) {
        let (observed, open): (Vec<ChannelGain>, Vec<Gate>) = channels.iter().copied().unzip();
        let mut all = RobustWeigher::new(open.clone());
        for _ in 0..3 {
            let together = all.weigh(&observed);
            for (k, weight) in together.iter().enumerate() {
                prop_assert!(weight.weight >= 0.0 && weight.weight <= open[k].gate);
                // A teacher that gains nothing teaches nothing.
                prop_assert!(observed[k].tau > 0.0 || weight.weight == 0.0);
                // A student that gains as much as its teacher is taught nothing.
                prop_assert!(observed[k].gamma < observed[k].tau || weight.weight == 0.0);
            }
            all.evaluated(&metrics[..observed.len()]);
        }
        for k in 0..observed.len() {
            let mut alone = RobustWeigher::new(vec![open[k]]);
            let mut whole = RobustWeigher::new(open.clone());
            prop_assert_eq!(alone.weigh(&observed[k..=k])[0], whole.weigh(&observed)[k]);
        }
    }

    #[test]
    fn teaching_ends_when_channels_are_as_good_as_their_teachers(step in channel()) {
        let (observed, gate) = step;
        let mut weigher = RobustWeigher::new(vec![gate]);
        for _ in 0..60 {
            weigher.evaluated(&[gate.goal]);
        }
        prop_assert!(weigher.weigh(&[observed])[0].weight < 1e-15);
    }
}
