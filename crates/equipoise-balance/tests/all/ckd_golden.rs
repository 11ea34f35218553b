//! Every term and gradient of a step, student and teacher, against an independent implementation.

use crate::common;

use common::*;
use equipoise_balance::ckd::Distillation;
use equipoise_balance::none::NoBalance;
use equipoise_balance::{Ckd, ModalityStep};
use equipoise_models::Ablation;
use serde_json::Value;

struct Case<'a> {
    name: &'a str,
    fixture: Fixture,
    expected: &'a Value,
    reg: f64,
}

fn cases<'a>(golden: &'a Value, objective: &str) -> Vec<(Case<'a>, &'a Value)> {
    let wanted = list(&golden["cases"]).iter().filter(|c| c["objective"] == objective);
    wanted
        .map(|c| {
            let (name, fixture) = (text(c, "name"), Fixture::named(golden, text(c, "fixture")));
            let reg = c["config"]["reg"].as_f64().expect("a penalty");
            (Case { name, fixture, expected: &c["expected"], reg }, &c["config"])
        })
        .collect()
}

impl Case<'_> {
    fn scalar(&self, key: &str, found: f64) {
        let expected = self.expected[key].as_f64().expect("a number");
        close(&format!("{} {key}", self.name), &[found as f32], &[expected]);
    }

    /// One number per modality, where the reference has them.
    fn per_modality(&self, expected: &Value, what: &str, seen: &Step, of: impl Fn(&ModalityStep) -> f64) {
        let found: Vec<f32> = seen.modalities.iter().map(|m| of(m) as f32).collect();
        close(&format!("{} {what}", self.name), &found, &numbers(expected));
    }

    fn gradients(&self, seen: &Step) {
        let expected = self.expected["gradients"].as_object().expect("gradients by parameter");
        assert_eq!(expected.len(), seen.gradients.len(), "{}", self.name);
        for (name, found) in &seen.gradients {
            close(&format!("{} gradient of {name}", self.name), found, &numbers(&expected[name]));
        }
    }

    fn sums(&self, seen: &Step) {
        self.scalar("bpr", seen.bpr);
        self.scalar("l2", seen.penalty);
        self.scalar("total", seen.total);
    }

    fn margins(&self) {
        let (f, n, expected) = (&self.fixture, self.fixture.n(), &self.expected["margins"]);
        let check = |key: &str, m: Option<usize>, found: Vec<f32>| {
            let row = m.map_or(&expected[key], |m| &expected[key][m]);
            close(&format!("{} margins {key} {m:?}", self.name), &found, &numbers(row));
        };
        check("full", None, margins(f, &f.bpr, Ablation::FULL));
        for m in 0..n {
            check("uni", Some(m), margins(f, &f.bpr, Ablation::only(m, n)));
            check("loo", Some(m), margins(f, &f.bpr, Ablation::without(m)));
            check("generic", Some(m), margins(f, &f.generic, Ablation::only(m, n)));
            check("teacher", Some(m), f.teachers[m].margins(&f.bpr));
            check("teacher_generic", Some(m), f.teachers[m].margins(&f.generic));
        }
    }

    fn weights(&self, seen: &Step) {
        let w = &self.expected["weights"];
        self.per_modality(&w["gamma"], "gamma", seen, |m| m.effect.unwrap());
        self.per_modality(&w["T"], "T", seen, |m| m.teacher_margin.unwrap());
        self.per_modality(&w["lambda"], "lambda", seen, |m| m.weight);
        if !w["rho"].is_null() {
            self.per_modality(&w["rho"], "rho", seen, |m| m.rho.unwrap());
        }
        if !w["ratio"].is_null() {
            let rows = list(&w["ratio"]).iter().map(numbers);
            let means: Vec<f64> = rows.map(|r| r.iter().sum::<f64>() / r.len() as f64).collect();
            self.per_modality(&means.into(), "mean ratio", seen, |m| m.rho.unwrap());
        }
    }

    fn losses(&self, seen: &Step, config: &Ckd) {
        self.scalar("distillation", seen.balance);
        if config.lambda_kd != 0.0 {
            self.per_modality(&self.expected["specific"], "specific", seen, |m| m.specific.unwrap());
        }
        if config.lambda_kd != 0.0 && config.lambda_g != 0.0 {
            self.per_modality(&self.expected["generic"], "generic", seen, |m| m.generic.unwrap());
        }
    }
}

#[test]
fn every_student_step_is_the_reference_one() {
    let golden = golden("ckd");
    let cases = cases(&golden, "student");
    assert!(cases.len() >= 50, "the reference file is whole: {} student cases", cases.len());
    for (case, config) in cases {
        let config = ckd_config(config);
        let mut ckd = Distillation::new(config.clone(), case.fixture.teachers.clone(), case.fixture.n());
        let seen = step(&case.fixture, Ablation::FULL, &mut ckd, case.reg);
        case.margins();
        case.weights(&seen);
        case.losses(&seen, &config);
        case.sums(&seen);
        case.gradients(&seen);
    }
}

#[test]
fn every_teacher_step_is_the_reference_one() {
    let golden = golden("ckd");
    let cases = cases(&golden, "teacher");
    assert!(cases.len() >= 6, "the reference file is whole: {} teacher cases", cases.len());
    for (case, config) in cases {
        let names = case.fixture.model.inputs.names();
        let kept = names.iter().position(|n| *n == text(config, "kept")).expect("a known modality");
        let primary = Ablation::only(kept, case.fixture.n());
        let seen = step(&case.fixture, primary, &mut NoBalance, case.reg);
        case.sums(&seen);
        case.gradients(&seen);
    }
}
