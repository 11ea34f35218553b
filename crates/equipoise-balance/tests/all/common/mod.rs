//! Steps on the reference fixtures, their loss put together as the trainer does.
#![allow(dead_code)] // each test file uses its part

#[path = "../../../../equipoise-models/tests/all/common/mod.rs"]
mod models;

pub use models::*;

use equipoise_balance::weights::{Denominator, Guard, Level, Shape, Sum, WeightMode};
use equipoise_balance::{
    Balancer, Ckd, HeadLosses, Heads, Losses, ModalityStep, OwnGroups, Owner, Setup, StepMargins, Teacher,
    Update,
};
use equipoise_data::{Seed, Triples};
use equipoise_models::{Ablation, AblationEffect, Mode, Model, Request, RowSet};
use equipoise_nn::RowWeights;
use equipoise_nn::math::softplus;
use serde_json::Value;
use std::sync::Arc;

/// A model, its teachers, and the triples of a step.
pub struct Fixture {
    pub model: Model,
    pub teachers: Vec<Teacher>,
    pub bpr: Triples,
    pub generic: Triples,
}

impl Fixture {
    /// The fixture of that name in `ckd.json`.
    pub fn named(golden: &Value, name: &str) -> Fixture {
        let case = list(&golden["fixtures"]).iter().find(|f| f["name"] == name);
        let case = case.unwrap_or_else(|| panic!("no fixture `{name}`"));
        let teacher = |t: &Value| {
            Teacher::new(text(t, "name"), floats(&t["users"]), floats(&t["items"]), count(t, "width"))
        };
        Fixture {
            model: reference_model("vbpr", case),
            teachers: list(&case["teachers"]).iter().map(teacher).collect(),
            bpr: triples(&case["triples"]),
            generic: triples(&case["generic"]),
        }
    }

    pub fn n(&self) -> usize {
        self.model.inputs.n_modalities()
    }

    /// What a balancer of this model starts from, its heads all alike.
    pub fn setup(&self) -> Setup {
        let (before, after) =
            (Losses { train: 0.7, validation: 0.7 }, Losses { train: 0.4, validation: 0.5 });
        let heads = vec![HeadLosses { before, after }; self.n() + 1];
        let setup = Setup::new(self.n(), AblationEffect::Additive, Seed(1));
        Setup { teachers: self.teachers.clone(), heads, ..setup }
    }
}

/// The parts of one step's loss, its gradient by parameter as the balancer leaves it, and what each parameter's
/// step is multiplied by.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub bpr: f64,
    pub penalty: f64,
    pub balance: f64,
    pub total: f64,
    pub modalities: Vec<ModalityStep>,
    pub ids: Option<ModalityStep>,
    pub gradients: Vec<(String, Vec<f32>)>,
    pub rates: Vec<f64>,
}

/// One step without the update: `softplus(-margin).mean() + reg/2/B * squares + balancer`, the first term left out
/// where the balancer replaces it.
pub fn step(f: &Fixture, primary: Ablation, balancer: &mut dyn Balancer, reg: f64) -> Step {
    let needs = balancer.needs();
    let mut ablations = vec![primary];
    let groups = groups(&f.model);
    let own = OwnGroups::needed(&needs, primary, &groups, f.n());
    let elsewhere = |a| own.as_ref().is_some_and(|own| own.answers(a));
    ablations.extend(needs.ablations.iter().filter(|&&a| a != primary && !elsewhere(a)));
    let none = Triples::default();
    let generic = if needs.generic_triples > 0 { &f.generic } else { &none };
    let (users, items) = rows(&f.bpr, generic);
    let values = f.model.parameters.values(true);
    let request = Request {
        primary,
        users: &users,
        items: &items,
        constants: reg != 0.0 && primary != Ablation::FULL,
        mode: Mode::Training,
        ..Request::inference(&values, &f.model.inputs, &ablations)
    };
    let mut encoded = f.model.backbone.encode(&request);
    let leaves = own.map(|own| own.encode(&f.model, &request, &mut encoded)).unwrap_or_default();
    let all = positions(&joined(&f.bpr, generic), &users, &items);
    let terms = encoded.terms(all.clone(), Some(Arc::new(counts(&f.bpr, &users, &items))));
    let (bpr_margins, beyond) = (terms.margins(0..f.bpr.len()), f.bpr.len()..all.len());
    let generic_margins = (!beyond.is_empty()).then(|| terms.margins(beyond));
    let bpr = softplus(bpr_margins.of(primary).neg()).mean();
    let scales = balancer.penalty_scales(&groups).unwrap_or_else(|| vec![1.0; groups.len()]);
    let scaled = values.scaled(&scales);
    let alone = [primary];
    let counted = Some(Arc::new(counts(&f.bpr, &users, &items)));
    let again =
        f.model.backbone.encode(&Request { values: &scaled, ablations: &alone, batch: None, ..request });
    let norm = again.terms(Arc::default(), counted).square_norm(primary);
    let penalty = norm * (reg * 0.5 / f.bpr.len() as f64);
    let generic = generic_margins.as_ref().map(|m| (generic, m));
    let seen = balancer.loss(&StepMargins { bpr: &f.bpr, bpr_margins: &bpr_margins, generic });
    let base = if needs.replaces_ranking { penalty.clone() } else { bpr.clone() + penalty.clone() };
    let total = seen.loss.clone().into_iter().fold(base, |sum, extra| sum + extra);
    let mut gradients = total.backward();
    let of_own = leaves.iter().map(|leaves| leaves.gradients(&mut gradients)).collect();
    let plain = Update::new(&groups, values.gradients(&mut gradients));
    let mut update = Update { own: of_own, modalities: seen.modalities, ..plain };
    balancer.modulate(&mut update);
    let Update { gradients, rates, modalities, .. } = update;
    let filled = f
        .model
        .parameters
        .iter()
        .zip(gradients)
        .map(|((name, _, shape), g)| (name.to_owned(), g.map_or(vec![0.0; shape[0] * shape[1]], vector)));
    Step {
        bpr: number(bpr),
        penalty: number(penalty),
        balance: seen.loss.map_or(0.0, number),
        total: number(total),
        modalities,
        ids: seen.ids,
        gradients: filled.collect(),
        rates,
    }
}

/// Whose each parameter is, by the end of its name.
fn groups(model: &Model) -> Vec<Owner> {
    let names = model.inputs.names();
    let modality = |name: &str| names.iter().position(|m| name.ends_with(&format!(".{m}")));
    let other = |name: &str| if name.ends_with(".id") { Owner::Ids } else { Owner::Shared };
    let owner = |name| modality(name).map_or_else(|| other(name), Owner::Modality);
    model.parameters.iter().map(|(name, _, _)| owner(name)).collect()
}

/// No model to measure: for balancers that do not ask.
pub struct NoHeads;

impl Heads for NoHeads {
    fn now(&mut self) -> Vec<Losses> {
        unreachable!("nothing is asked")
    }

    fn alone(&mut self, _epochs: usize) -> Vec<Losses> {
        unreachable!("nothing is asked")
    }
}

fn rows(bpr: &Triples, generic: &Triples) -> (RowSet, RowSet) {
    let items = [&bpr.positives[..], &bpr.negatives, &generic.positives, &generic.negatives];
    (RowSet::distinct([&bpr.users[..], &generic.users].concat()), RowSet::distinct(items.concat()))
}

fn joined(a: &Triples, b: &Triples) -> Triples {
    Triples {
        users: [&a.users[..], &b.users].concat(),
        positives: [&a.positives[..], &b.positives].concat(),
        negatives: [&a.negatives[..], &b.negatives].concat(),
    }
}

/// How often each row occurs in the BPR triples.
fn counts(bpr: &Triples, users: &RowSet, items: &RowSet) -> RowWeights {
    let of = |set: &RowSet, rows: &[u32]| {
        let occurs = |row: &u32| rows.iter().filter(|r| *r == row).count() as f32;
        set.rows().iter().map(occurs).collect()
    };
    let both = [&bpr.positives[..], &bpr.negatives].concat();
    RowWeights { users: of(users, &bpr.users), items: of(items, &both) }
}

fn number(x: burn::tensor::Tensor<1>) -> f64 {
    f64::from(vector(x.inner())[0])
}

/// Plain margins of the fixture's triples under an ablation.
pub fn margins(f: &Fixture, triples: &Triples, a: Ablation) -> Vec<f32> {
    let index = positions(triples, f.model.inputs.all_users(), f.model.inputs.all_items());
    f.model.encode_all(&[a]).margins(index).values(a)
}

/// A reference configuration in this crate's words.
pub fn ckd_config(config: &Value) -> Ckd {
    let number = |key: &str| config[key].as_f64().unwrap_or_else(|| panic!("no `{key}`"));
    let base = Ckd {
        lambda_kd: number("lambda_kd"),
        lambda_g: number("lambda_g"),
        tau: number("tau"),
        specific: serde_json::from_value(config["specific"].clone()).expect("a specific loss"),
        ..Ckd::default()
    };
    weighted(base, &config["weights"])
}

fn weighted(base: Ckd, w: &Value) -> Ckd {
    match text(w, "mode") {
        "released" => Ckd { weights: WeightMode::Released, ..base },
        "sign_safe" => Ckd {
            level: Some(Level::Triple),
            denominator: Some(Denominator::Student),
            guard: Some(Guard::Floored),
            sum: Some(Sum::Modalities),
            ..base
        },
        _ => Ckd {
            weights: if w["reweight"] == false { WeightMode::Uniform } else { WeightMode::Paper },
            level: (w["weight_level"] == "triple").then_some(Level::Triple),
            denominator: (w["rho_denominator"] == "student").then_some(Denominator::Student),
            sum: (w["weight_scale"] == "sum_nM").then_some(Sum::Modalities),
            shape: if w["weight_shape"] == "inverse" { Shape::Inverse } else { Shape::Complement },
            ..base
        },
    }
}
