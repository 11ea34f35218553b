//! The ablations of the paper's Table 3 by configuration: what each leaves out or replaces, and that it leaves the
//! rest alone.

use crate::common;

use common::*;
use equipoise_balance::ckd::{Distillation, Specific};
use equipoise_balance::none::NoBalance;
use equipoise_balance::weights::{Sum, WeightMode};
use equipoise_balance::{Balancer, Ckd};
use equipoise_models::Ablation;

const REG: f64 = 0.01;
const FIXTURES: [&str; 4] = ["m1_open", "m2_open", "m3_open", "m2_guarded"];

fn base() -> Ckd {
    Ckd { lambda_kd: 0.5, lambda_g: 0.5, ..Ckd::default() }
}

fn read(json: &str) -> Ckd {
    serde_json::from_str(json).unwrap()
}

fn seen(f: &Fixture, config: &Ckd) -> Step {
    step(f, Ablation::FULL, &mut Distillation::new(config.clone(), f.teachers.clone(), f.n()), REG)
}

fn fixtures() -> Vec<Fixture> {
    let golden = golden("ckd");
    FIXTURES.iter().map(|name| Fixture::named(&golden, name)).collect()
}

/// `balance` less the sum of `lambda_kd weight_m loss_m` of the parts that are left: 0.
fn rest(s: &Step, lambda_kd: f64, lambda_g: f64) -> f64 {
    let part = |m: &equipoise_balance::ModalityStep| {
        m.weight * (m.specific.unwrap() + lambda_g * m.generic.unwrap_or(0.0))
    };
    s.balance - lambda_kd * s.modalities.iter().map(part).sum::<f64>()
}

#[test]
fn without_the_generic_loss_no_generic_triple_is_drawn_and_the_specific_one_is_as_it_was() {
    assert_eq!(read(r#"{"lambda_g": 0}"#).lambda_g, 0.0);
    for f in fixtures() {
        let config = Ckd { lambda_g: 0.0, ..base() };
        let needs = Distillation::new(config.clone(), f.teachers.clone(), f.n()).needs();
        assert_eq!(needs.generic_triples, 0);
        let (without, with) = (seen(&f, &config), seen(&f, &base()));
        assert!(rest(&without, 0.5, 0.0).abs() < 1e-6 && rest(&with, 0.5, 0.5).abs() < 1e-6);
        for (a, b) in without.modalities.iter().zip(&with.modalities) {
            assert_eq!((a.generic, a.weight), (None, b.weight));
            assert!((a.specific.unwrap() - b.specific.unwrap()).abs() < 1e-6 && b.generic.unwrap() > 0.0);
        }
    }
}

#[test]
fn without_re_weighting_every_weight_is_the_active_sums_equal_share() {
    assert_eq!(read(r#"{"weights": "uniform"}"#).weights, WeightMode::Uniform);
    for f in fixtures() {
        for (sum, total) in [
            (None, 1.0),
            (Some(Sum::One), 1.0),
            (Some(Sum::Modalities), f.n() as f64),
            (Some(Sum::Printed), f.n() as f64 - 1.0),
        ] {
            let uniform = seen(&f, &Ckd { weights: WeightMode::Uniform, sum, ..base() });
            let share = total / f.n() as f64;
            assert!(uniform.modalities.iter().all(|m| (m.weight - share).abs() < 1e-12), "{sum:?}");
            let other = seen(&f, &Ckd { sum, ..base() });
            let losses = |s: &Step| s.modalities.iter().map(|m| (m.specific, m.generic)).collect::<Vec<_>>();
            assert_eq!(losses(&uniform), losses(&other), "the losses are as they were");
            assert!(rest(&uniform, 0.5, 0.5).abs() < 1e-6);
            assert!(f.n() == 1 || uniform.gradients != other.gradients);
        }
    }
}

/// The hinge's replacements, per triple, from plain margins.
fn replaced(kind: Specific, tau: f64, student: f64, teacher: f64) -> f64 {
    let p = |margin: f64| 1.0 / (1.0 + (-margin / tau).exp());
    let (s, t) = (p(student), p(teacher));
    match kind {
        Specific::Hinge => (teacher - student).max(0.0),
        Specific::Kl => t * (t / s).ln() + (1.0 - t) * ((1.0 - t) / (1.0 - s)).ln(),
        Specific::Mse => (teacher - student).powi(2),
    }
}

#[test]
fn replacements_of_the_hinge_are_what_they_are_called_and_nothing_else_changes() {
    let words = [("hinge", Specific::Hinge), ("kl", Specific::Kl), ("mse", Specific::Mse)];
    for (word, specific) in words {
        assert_eq!(read(&format!(r#"{{"specific": "{word}"}}"#)).specific, specific);
        for f in fixtures() {
            // At this temperature no probability rounds to 0 or 1.
            let config = Ckd { specific, tau: 1.0, ..base() };
            let (found, hinge) =
                (seen(&f, &config), seen(&f, &Ckd { specific: Specific::Hinge, ..config.clone() }));
            for (m, numbers) in found.modalities.iter().enumerate() {
                let student = margins(&f, &f.bpr, Ablation::only(m, f.n()));
                let pairs = student.iter().zip(f.teachers[m].margins(&f.bpr));
                let each = pairs.map(|(&s, t)| replaced(specific, 1.0, s.into(), t.into()));
                let expected = each.sum::<f64>() / f.bpr.len() as f64;
                assert!((numbers.specific.unwrap() - expected).abs() < 1e-5 * (1.0 + expected), "{word}");
                assert_eq!(
                    (numbers.weight, numbers.generic),
                    (hinge.modalities[m].weight, hinge.modalities[m].generic)
                );
            }
            assert!(rest(&found, 0.5, 0.5).abs() < 1e-6, "{word}");
        }
    }
}

#[test]
fn without_any_distillation_it_is_the_plain_step() {
    for f in fixtures() {
        let off = seen(&f, &Ckd { lambda_kd: 0.0, ..base() });
        let plain = step(&f, Ablation::FULL, &mut NoBalance, REG);
        assert_eq!((off.total, off.balance, off.gradients), (plain.total, 0.0, plain.gradients));
    }
}
