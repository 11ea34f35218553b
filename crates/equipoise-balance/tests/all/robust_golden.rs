//! The sum of teachers against an independent implementation, and what it promises.

use crate::common;

use common::{close, floats, golden, list, numbers, text};
use equipoise_balance::robust::TeacherMargins;
use equipoise_balance::stacking::{HeldOut, Stack};
use proptest::prelude::*;
use serde_json::Value;

fn rows(value: &Value) -> Vec<Vec<f32>> {
    list(value).iter().map(floats).collect()
}

fn margins(teachers: &Value) -> TeacherMargins {
    let ids = rows(&teachers["ids"]).try_into().expect("two ids teachers");
    TeacherMargins { ids, silenced: rows(&teachers["silenced"]), own: rows(&teachers["own"]) }
}

fn held_out(margins: &TeacherMargins, users: &[u32]) -> HeldOut {
    let wide = |column: &Vec<f32>| column.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let contents = (0..margins.own.len()).map(|m| margins.content(m).collect());
    HeldOut::new(margins.ids.iter().chain(&margins.silenced).map(wide).chain(contents).collect(), users)
}

fn flat(stack: &Stack) -> Vec<f64> {
    stack.ids.iter().chain(&stack.silenced).chain(&stack.content).copied().collect()
}

fn near(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < 1e-7 * (1.0 + b.abs()), "{what}: found {found:?}, expected {expected:?}");
    }
}

#[test]
fn weights_gains_and_targets_are_the_reference_ones() {
    let golden = golden("robust");
    let mut cases = 0;
    for case in list(&golden["stacks"]) {
        let (name, expected) = (text(case, "name"), &case["expected"]);
        let users: Vec<u32> = numbers(&case["users"]).iter().map(|&u| u as u32).collect();
        let margins = margins(&case["teachers"]);
        let (stack, gains) = held_out(&margins, &users).stack(margins.own.len());
        near(&format!("{name} weights"), &flat(&stack), &numbers(&expected["weights"]));
        let of = |what: fn(&equipoise_balance::stacking::Gain) -> f64| {
            gains.iter().map(what).collect::<Vec<f64>>()
        };
        near(&format!("{name} gains"), &of(|g| g.mean), &numbers(&expected["gains"]));
        near(&format!("{name} errors"), &of(|g| g.error), &numbers(&expected["errors"]));
        let other: Vec<f64> = floats(&case["other"]).into_iter().map(f64::from).collect();
        let worth = held_out(&margins, &users).gain_over(&other, &stack);
        near(&format!("{name} worth"), &[worth.mean, worth.error], &numbers(&expected["worth"]));
        let [ids, whole] = margins.targets(&stack);
        close(&format!("{name} ids"), &ids, &numbers(&expected["ids"]));
        close(&format!("{name} whole"), &whole, &numbers(&expected["whole"]));
        cases += 1;
    }
    assert!(cases >= 8, "the reference file is whole: {cases} cases");
}

/// Numbers in `[-0.5, 0.5)`, as many as wanted, the same for a seed.
fn draws(seed: u64, count: usize) -> Vec<f64> {
    let mut stream = equipoise_data::Seed(seed).stream("margins");
    (0..count).map(|_| stream.unit() - 0.5).collect()
}

/// Two ids teachers, and of each modality a teacher whose content is `worth` what the ids are; 300 users of three triples.
fn taught(seed: u64, worth: &[f64]) -> (TeacherMargins, Vec<u32>) {
    let users: Vec<u32> = (0..900).map(|t| t / 3).collect();
    let noise = |part: u64| draws(seed * 100 + part, users.len());
    let of = |part: u64, shift: f64| noise(part).iter().map(|x| (2.0 * x + shift) as f32).collect();
    let silenced: Vec<Vec<f32>> = (0..worth.len()).map(|m| of(10 + m as u64, 0.3)).collect();
    let own = silenced.iter().zip(worth).enumerate().map(|(m, (ids, worth))| {
        let content = noise(20 + m as u64);
        ids.iter().zip(content).map(|(ids, x)| ids + (2.0 * x + 0.3 * worth) as f32).collect()
    });
    (TeacherMargins { ids: [of(1, 0.3), of(2, 0.3)], own: own.collect(), silenced }, users)
}

fn stacked((margins, users): &(TeacherMargins, Vec<u32>)) -> Stack {
    held_out(margins, users).stack(margins.own.len()).0
}

/// The stack of modalities in their order, and that of the same ones in reverse, put back.
fn both_orders(seed: u64, worth: &[f64]) -> (Stack, Stack) {
    let (margins, users) = taught(seed, worth);
    let turned = TeacherMargins {
        ids: margins.ids.clone(),
        silenced: margins.silenced.iter().rev().cloned().collect(),
        own: margins.own.iter().rev().cloned().collect(),
    };
    let (one, mut other) = (stacked(&(margins, users.clone())), stacked(&(turned, users)));
    other.silenced.reverse();
    other.content.reverse();
    (one, other)
}

/// Here a step cuts two weights back to 0 at once, and what is left of it lowers nothing.
#[test]
fn a_fit_does_not_end_where_a_step_is_cut_back() {
    let (one, other) = both_orders(638, &[-0.06682667564002995, 1.4890680960076312, 0.0]);
    near("the other order", &flat(&other), &flat(&one));
}

/// Content that has nothing to do with what users choose weighs little, whatever its teacher makes of ids; content that has, weighs.
#[test]
fn noise_has_next_to_no_weight() {
    let mut weights = Vec::new();
    for seed in 0..20 {
        let stack = stacked(&taught(seed, &[1.0, 0.0]));
        assert!(stack.content[0] > 0.5, "{stack:?}");
        assert!(stack.silenced[1] > 0.5, "what it knows of ids counts: {stack:?}");
        weights.push(stack.content[1]);
    }
    let out = weights.iter().filter(|&&weight| weight == 0.0).count();
    assert!(out >= 16, "left out in {out} of 20: {weights:?}");
    assert!(weights.iter().sum::<f64>() < 0.1 * 20.0, "{weights:?}");
}

#[test]
fn content_that_misleads_has_no_weight() {
    for seed in 0..5 {
        assert_eq!(stacked(&taught(seed, &[1.0, -1.0])).content[1], 0.0);
    }
}

/// The sum is worth something beside one of its teachers, and nothing beside itself, however many weights it has.
#[test]
fn a_sum_is_worth_what_it_says_of_users_that_it_was_not_fitted_to() {
    let (mut open, mut sum) = (0, 0.0);
    for seed in 0..20 {
        let (margins, users) = taught(seed, &[1.0, 0.0]);
        let held_out = held_out(&margins, &users);
        let (stack, _) = held_out.stack(2);
        let [_, whole] = margins.targets(&stack);
        let wide = |column: &[f32]| column.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let beside_one = held_out.gain_over(&wide(&margins.own[0]), &stack);
        assert!(beside_one.shrinkage() > 0.5, "{beside_one:?}");
        let beside_itself = held_out.gain_over(&wide(&whole), &stack);
        sum += beside_itself.mean;
        open += usize::from(beside_itself.shrinkage() > 0.0);
    }
    // Its weights are fitted anew, to half of the users, and those of contents are not shrunken.
    assert!(sum / 20.0 < 0.002 && open <= 3, "worth {} beside itself, open in {open} of 20", sum / 20.0);
}

/// Content is in the sum as far as it says what no other says.
#[test]
fn the_same_content_twice_is_one() {
    let (margins, users) = taught(3, &[1.0, 0.0]);
    let twice = TeacherMargins {
        silenced: vec![margins.silenced[0].clone(), margins.silenced[0].clone()],
        own: vec![margins.own[0].clone(), margins.own[0].clone()],
        ids: margins.ids.clone(),
    };
    let once = TeacherMargins {
        silenced: margins.silenced[..1].to_vec(),
        own: margins.own[..1].to_vec(),
        ids: margins.ids,
    };
    let (twice, once) = (stacked(&(twice, users.clone())), stacked(&(once, users)));
    let sum: f64 = twice.content.iter().sum();
    assert!((sum - once.content[0]).abs() < 0.02, "{twice:?}, {once:?}");
    assert!(twice.content.contains(&0.0), "one of them goes: {twice:?}");
}

#[test]
fn without_teachers_that_know_anything_there_is_no_sum() {
    let users: Vec<u32> = (0..30).collect();
    let nothing = || vec![0.0f32; 30];
    let margins =
        TeacherMargins { ids: [nothing(), nothing()], silenced: vec![nothing()], own: vec![nothing()] };
    let stack = stacked(&(margins, users));
    assert_eq!(flat(&stack), vec![0.0; 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_order_of_modalities_changes_nothing(seed in 0u64..1000, worth in prop::collection::vec(-0.5..1.5f64, 1..4)) {
        let (one, other) = both_orders(seed, &worth);
        for (a, b) in flat(&one).iter().zip(flat(&other)) {
            prop_assert!((a - b).abs() < 1e-6, "{one:?} {other:?}");
        }
    }

    /// No weight is negative, and none could be moved for the better.
    #[test]
    fn weights_are_a_minimum(seed in 0u64..1000, worth in prop::collection::vec(-0.5..1.5f64, 1..4)) {
        let (margins, users) = taught(seed, &worth);
        let held = held_out(&margins, &users);
        let weights = held.fitted(&vec![true; 2 + 2 * worth.len()]);
        let mean = |weights: &[f64]| {
            let losses = held.losses(weights);
            losses.iter().sum::<f64>() / losses.len() as f64
        };
        prop_assert!(weights.iter().all(|&weight| weight >= 0.0));
        for c in 0..weights.len() {
            for by in [0.9, 1.1] {
                let mut moved = weights.clone();
                moved[c] *= by;
                // The penalty weighs less than this.
                prop_assert!(mean(&moved) >= mean(&weights) - 1e-3);
            }
        }
    }
}
