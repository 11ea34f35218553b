//! Checks that every balancer must pass, a user's own included.
//!
//! ```no_run
//! # let my_entry = *equipoise_balance::find("ckd").unwrap();
//! equipoise_balance::suite::check(&my_entry);
//! ```
//!
//! | check | what must hold |
//! |---|---|
//! | [`describes_itself`] | name, source, summary and words are there; the entry says whether the ranking loss is replaced |
//! | [`stays_finite`] | loss, gradient, rates and numbers of several steps, for small margins and for large ones |
//! | [`follows_its_seed`] | two balancers of one seed do the same |
//! | [`goes_on_from_its_state`] | one that is built anew and given the state of another goes on as that one does |
//! | [`gradients_are_difference_quotients`] | the gradient of the loss it adds, with what it reads by [`Margins::values`] held constant |
//! | [`does_nothing_at_strength_zero`] | with its settings [`without_effect`](crate::BalancerSettings::without_effect), the step is the plain one |
//! | [`ignores_the_order_of_modalities`] | loss, gradient and numbers belong to modalities, wherever they stand |
//! | [`reports_its_numbers`] | one entry per modality where it does anything, and no number that it has no words for |
//!
//! Each check panics with what it found. They take steps with one to three modalities, on a backbone whose score is a
//! sum over modalities and on one whose modalities interact, in a few seconds together.

use crate::balancer::{Balancer, StepMargins};
use crate::config::BalanceConfig;
use crate::entry::{BalancerEntry, Setup};
use crate::heads::{HeadLosses, Heads, Losses};
use crate::losses::{bpr, number};
use crate::modality_step::ModalityStep;
use crate::own_groups::OwnGroups;
use crate::robust::ChannelSetup;
use crate::stacking::Stack;
use crate::teacher::Teacher;
use crate::update::{Owner, Update};
use burn::tensor::Tensor;
use equipoise_data::{Dataset, Seed, Stream, Triples};
use equipoise_models::suite::{dataset, model, triples};
use equipoise_models::{
    Ablation, AblationEffect, BackboneConfig, BackboneSettings, Encoded, Margins, Mmgcn, Mode, Model,
    Request, Vbpr,
};
use equipoise_nn::{Group, Values};
use std::fmt::Display;
use std::sync::Arc;

/// All checks, with the balancer's default settings.
///
/// # Panics
/// If one fails.
pub fn check(entry: &BalancerEntry) {
    check_with(entry, &BalanceConfig::named(entry.name));
}

/// All checks, with settings of your own.
///
/// # Panics
/// If one fails.
pub fn check_with(entry: &BalancerEntry, config: &BalanceConfig) {
    describes_itself(entry, config);
    stays_finite(entry, config);
    follows_its_seed(entry, config);
    goes_on_from_its_state(entry, config);
    gradients_are_difference_quotients(entry, config);
    does_nothing_at_strength_zero(entry);
    ignores_the_order_of_modalities(entry, config);
    reports_its_numbers(entry, config);
}

/// Name, source, summary and the words for its numbers are there, the settings are within their ranges, and the entry
/// and the balancer agree on whether the ranking loss is replaced.
pub fn describes_itself(entry: &BalancerEntry, config: &BalanceConfig) {
    let of = |q: &crate::Quantity| [q.symbol, q.word, q.title, q.meaning];
    let words = &entry.quantities;
    let quantities = [Some(words.weight), words.ratio, words.effect];
    let words = quantities.iter().flatten().flat_map(of).chain([words.intro]);
    for words in words.chain([entry.name, entry.source, entry.summary]) {
        assert!(!words.trim().is_empty(), "{}: an empty description", entry.name);
    }
    assert_eq!(entry.check(&config.sections), Ok(()), "{}: its settings", entry.name);
    for scene in scenes() {
        let replaces = scene.balancer(entry, config).needs().replaces_ranking;
        assert_eq!(replaces, entry.replaces_ranking, "{}: whether it replaces the ranking loss", entry.name);
    }
}

/// Loss, gradient, rates and numbers are finite in several steps, for the small margins of a new model and for large
/// ones.
pub fn stays_finite(entry: &BalancerEntry, config: &BalanceConfig) {
    for scene in scenes().into_iter().chain(scenes().into_iter().map(|scene| scene.scaled(30.0))) {
        let mut balancer = scene.balancer(entry, config);
        for _ in 0..3 {
            let step = scene.step(balancer.as_mut());
            let numbers = step.modalities.iter().flat_map(numbers);
            let gradients = step.gradients.iter().flat_map(|(_, g)| g).map(|&g| f64::from(g));
            let finite = numbers.chain(gradients).chain(step.rates.iter().copied()).all(f64::is_finite);
            assert!(step.total.is_finite() && finite, "{}, {}: {step:?}", entry.name, scene.name);
        }
    }
}

/// Two balancers of one seed do the same.
pub fn follows_its_seed(entry: &BalancerEntry, config: &BalanceConfig) {
    for scene in scenes() {
        let take = || scene.step(scene.balancer(entry, config).as_mut());
        assert_eq!(take(), take(), "{}, {}: the same seed", entry.name, scene.name);
    }
}

/// Epochs in which [`goes_on_from_its_state`] takes one step each, and those in which another balancer takes over.
const COURSE: usize = 12;
const TAKEN_OVER: [usize; 3] = [2, 5, 9];

/// A balancer that is built anew and given the state of another goes on as that one does, to the last bit: over several
/// epochs, in which margins and heads change.
pub fn goes_on_from_its_state(entry: &BalancerEntry, config: &BalanceConfig) {
    for scene in scenes() {
        let what = format!("{}, {}", entry.name, scene.name);
        let course = scene.course();
        let mut first = scene.balancer(entry, config);
        let mut others: Vec<(usize, Box<dyn Balancer>)> = Vec::new();
        for epoch in 2..=COURSE {
            let mut all: Vec<&mut Box<dyn Balancer>> = vec![&mut first];
            all.extend(others.iter_mut().map(|(_, other)| other));
            for balancer in all {
                balancer.begin_epoch(epoch, &mut Moving { heads: &scene.heads, epoch });
            }
            if TAKEN_OVER.contains(&epoch) {
                let mut other = scene.built(entry, config);
                let taken = other.load_state(&first.save_state());
                taken.unwrap_or_else(|fault| panic!("{what}: its own state is refused: {fault}"));
                others.push((epoch, other));
            }
            let now = &course[epoch % course.len()];
            let expected = now.step(first.as_mut());
            for (since, other) in &mut others {
                let found = now.step(other.as_mut());
                assert!(
                    found == expected,
                    "{what}: taken over in epoch {since}, its step in epoch {epoch} is another one; \
                     `save_state` and `load_state` leave something out"
                );
            }
        }
    }
}

/// The gradient of the loss that it adds is the difference quotient of that loss along random directions of each
/// parameter. What it reads by [`Margins::values`] is held as it was: weights are constants. Across a kink the two
/// differ: quotients are narrowed until they agree, and one direction of four need not.
pub fn gradients_are_difference_quotients(entry: &BalancerEntry, config: &BalanceConfig) {
    for mut scene in scenes() {
        let (loss, gradients) = scene.added(entry, config, None);
        let Some(loss) = loss else { continue };
        let base = scene.model.parameters.snapshot();
        for (parameter, gradient) in gradients {
            check_parameter(entry, config, &mut scene, &parameter, &gradient, loss);
            scene.model.parameters.restore(&base);
        }
    }
}

/// With its settings without effect, if it has any, a step is the plain one: gradients and rates.
pub fn does_nothing_at_strength_zero(entry: &BalancerEntry) {
    let Some(sections) = entry.without_effect() else { return };
    let config = BalanceConfig { sections, ..BalanceConfig::named(entry.name) };
    for scene in scenes() {
        let mut balancer = scene.balancer(entry, &config);
        for _ in 0..2 {
            let (step, plain) = (scene.step(balancer.as_mut()), scene.plain());
            let what = format!("{}, {}: strength 0", entry.name, scene.name);
            assert_eq!(step.rates, plain.rates, "{what}: rates");
            close(&what, &step.gradients, &plain.gradients, 1e-6);
        }
    }
}

/// Where the modalities stand in the other order, a step has the same loss and gradient, and the numbers of each
/// modality are the same.
pub fn ignores_the_order_of_modalities(entry: &BalancerEntry, config: &BalanceConfig) {
    for scene in scenes() {
        let turned = scene.turned();
        let (mut one, mut other) = (scene.balancer(entry, config), turned.balancer(entry, config));
        for _ in 0..2 {
            let (step, mut other) = (scene.step(one.as_mut()), turned.step(other.as_mut()));
            let what = format!("{}, {}: modalities in another order", entry.name, scene.name);
            other.gradients.sort_by_key(|(name, _)| step.gradients.iter().position(|(n, _)| n == name));
            close(&what, &step.gradients, &other.gradients, 1e-4);
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-4 * (1.0 + a.abs());
            assert!(near(step.total, other.total), "{what}: loss {} and {}", step.total, other.total);
            for (a, b) in step.modalities.iter().zip(other.modalities.iter().rev()) {
                let same = numbers(a).zip(numbers(b)).all(|(a, b)| near(a, b));
                assert!(same, "{what}: {a:?} and {b:?}");
            }
        }
    }
}

/// Where its step is not the plain one it reports one entry per modality, and it reports no ratio and no effect that it
/// has no words for.
pub fn reports_its_numbers(entry: &BalancerEntry, config: &BalanceConfig) {
    for scene in scenes() {
        let (step, plain) = (scene.step(scene.balancer(entry, config).as_mut()), scene.plain());
        let what = format!("{}, {}", entry.name, scene.name);
        let (found, n) = (step.modalities.len(), scene.n());
        let acts = step.gradients != plain.gradients || step.rates != plain.rates;
        assert!(found == n || found == 0 && !acts, "{what}: numbers of {found} modalities of {n}");
        for m in &step.modalities {
            let clamped = m.clamped.unwrap_or(0.0);
            assert!((0.0..=1.0).contains(&clamped), "{what}: a share clamped of {clamped}");
            assert!(entry.quantities.ratio.is_some() || m.rho.is_none(), "{what}: a ratio without words");
            assert!(
                entry.quantities.effect.is_some() || m.effect.is_none(),
                "{what}: an effect without words"
            );
        }
    }
}

/// A model, its teachers and the triples of a step.
struct Scene {
    name: String,
    data: Dataset,
    config: BackboneConfig,
    effect: AblationEffect,
    model: Model,
    teachers: Vec<Teacher>,
    channels: ChannelSetup,
    heads: Vec<HeadLosses>,
    bpr: Triples,
    generic: Triples,
}

/// One step: what the balancer and the ranking loss make of it, without the update.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    total: f64,
    modalities: Vec<ModalityStep>,
    gradients: Vec<(String, Vec<f32>)>,
    rates: Vec<f64>,
}

/// One to three modalities, whose parts of the score add up or interact.
fn scenes() -> Vec<Scene> {
    let additive = (1..=3).map(|n| Scene::new(Vbpr::default(), n));
    additive.chain((1..=3).map(|n| Scene::new(Mmgcn { layers: 1, ..Mmgcn::default() }, n))).collect()
}

impl Scene {
    fn new<T: BackboneSettings>(settings: T, n: usize) -> Scene {
        let config = BackboneConfig { width: 5, ..BackboneConfig::of(settings) };
        let data = dataset(n, 21);
        let model = spread(model(&config, &data, 1), "suite/balance");
        let taught = |name: &dyn Display| {
            spread(equipoise_models::suite::model(&config, &data, 2), &format!("suite/teacher/{name}"))
        };
        let teacher = |m| Teacher::of(&taught(&m), m);
        let silenced = |m| Teacher::under(&taught(&m), Ablation::ids_only(n), "silenced");
        let of_ids = |name: &str| Teacher::under(&taught(&name), Ablation::ids_only(n), "ids");
        let weight = |m: usize| 0.5 + 0.4 * m as f64;
        let stack = Stack {
            ids: [0.8, 0.3],
            silenced: (0..n).map(|m| weight(m) * 0.5).collect(),
            content: (0..n).map(weight).collect(),
        };
        let silenced = (0..n).map(silenced).collect();
        let channels = ChannelSetup { ids: ["ids", "ids-2"].map(of_ids), silenced, stack, gate: 0.8 };
        let heads = (0..=n).map(|k| head(k as f64)).collect();
        let (bpr, generic) = (triples(11, 3), triples(9, 4));
        let teachers = (0..n).map(teacher).collect();
        let name = format!("{} of {n} modalities", T::TITLE);
        let effect = T::ABLATION_EFFECT;
        Scene { name, data, config, effect, model, teachers, channels, heads, bpr, generic }
    }

    fn n(&self) -> usize {
        self.data.modalities.len()
    }

    /// The same with every parameter that many times as large.
    fn scaled(mut self, factor: f32) -> Scene {
        let names: Vec<String> = self.model.parameters.iter().map(|(name, _, _)| name.to_owned()).collect();
        for name in names {
            let scaled = self.model.parameters.read(&name).iter().map(|v| v * factor).collect();
            self.model.parameters.write(&name, scaled);
        }
        Scene { name: format!("{} with large margins", self.name), ..self }
    }

    /// The same with its modalities in the other order.
    fn turned(&self) -> Scene {
        let mut data = self.data.clone();
        data.modalities.reverse();
        let mut model = model(&self.config, &data, 1);
        let names: Vec<String> = self.model.parameters.iter().map(|(name, _, _)| name.to_owned()).collect();
        names.iter().for_each(|name| model.parameters.write(name, self.model.parameters.read(name)));
        let teachers = self.teachers.iter().rev().cloned().collect();
        let mut heads = self.heads.clone();
        heads[..self.n()].reverse();
        let mut channels = self.channels.clone();
        channels.silenced.reverse();
        channels.stack.silenced.reverse();
        channels.stack.content.reverse();
        let (bpr, generic) = (self.bpr.clone(), self.generic.clone());
        let (name, config) = (self.name.clone(), self.config.clone());
        Scene { name, data, config, effect: self.effect, model, teachers, channels, heads, bpr, generic }
    }

    /// Several of the same modalities, with margins of different sizes.
    fn course(&self) -> Vec<Scene> {
        let like = || Scene {
            name: self.name.clone(),
            data: self.data.clone(),
            config: self.config.clone(),
            effect: self.effect,
            model: copy(self),
            teachers: self.teachers.clone(),
            channels: self.channels.clone(),
            heads: self.heads.clone(),
            bpr: self.bpr.clone(),
            generic: self.generic.clone(),
        };
        [1.0, 0.5, 3.0].map(|factor| like().scaled(factor)).into()
    }

    /// The balancer before its first epoch.
    fn built(&self, entry: &BalancerEntry, config: &BalanceConfig) -> Box<dyn Balancer> {
        let setup = Setup::new(self.n(), self.effect, Seed(9));
        let (teachers, heads) = (self.teachers.clone(), self.heads.clone());
        let setup = Setup { teachers, heads, channels: Some(self.channels.clone()), ..setup };
        entry.build(&config.sections, setup)
    }

    /// The balancer in its first epoch.
    fn balancer(&self, entry: &BalancerEntry, config: &BalanceConfig) -> Box<dyn Balancer> {
        let mut balancer = self.built(entry, config);
        balancer.begin_epoch(1, &mut Fixed(&self.heads));
        balancer
    }

    fn plain(&self) -> Step {
        self.step(&mut crate::none::NoBalance)
    }

    /// The step with a balancer; the ranking loss is left out where it replaces that.
    fn step(&self, balancer: &mut dyn Balancer) -> Step {
        let (needs, values) = (balancer.needs(), self.model.parameters.values(true));
        let (groups, mut asked) = (self.groups(), ablations(balancer));
        let own = OwnGroups::needed(&needs, Ablation::FULL, &groups, self.n());
        asked.retain(|&ablation| own.as_ref().is_none_or(|own| !own.answers(ablation)));
        let request = Request::inference(&values, &self.model.inputs, &asked);
        let request = Request { mode: Mode::Training, ..request };
        let mut encoded = self.model.backbone.encode(&request);
        let leaves = own.map(|own| own.encode(&self.model, &request, &mut encoded)).unwrap_or_default();
        let (of_bpr, of_generic) = (margins(&encoded, &self.bpr), margins(&encoded, &self.generic));
        let generic = (needs.generic_triples > 0).then_some((&self.generic, &of_generic));
        let seen = balancer.loss(&StepMargins { bpr: &self.bpr, bpr_margins: &of_bpr, generic });
        let ranking = (!needs.replaces_ranking).then(|| bpr(of_bpr.of(Ablation::FULL)));
        let total = ranking.into_iter().chain(seen.loss).reduce(|a, b| a + b).expect("a step has a loss");
        let mut tape = total.clone().backward();
        let gradients = values.gradients(&mut tape);
        let own = leaves.iter().map(|leaves| leaves.gradients(&mut tape)).collect();
        let mut update = Update { own, modalities: seen.modalities, ..Update::new(&groups, gradients) };
        balancer.modulate(&mut update);
        let Update { gradients, rates, modalities, .. } = update;
        Step { total: number(&total), modalities, gradients: named(&self.model, gradients), rates }
    }

    /// The loss that a new balancer adds, and its gradient. With `held`, plain margins are those of that model.
    fn added(
        &self,
        entry: &BalancerEntry,
        config: &BalanceConfig,
        held: Option<&Model>,
    ) -> (Option<f64>, Vec<(String, Vec<f32>)>) {
        let mut balancer = self.balancer(entry, config);
        let (needs, asked) = (balancer.needs(), ablations(balancer.as_ref()));
        let (values, model) = (self.model.parameters.values(true), held.unwrap_or(&self.model));
        let held = model.parameters.values(false);
        let (encoded, held) = (encode(&self.model, &values, &asked), encode(model, &held, &asked));
        let of = |triples| margins(&encoded, triples).held_at(&margins(&held, triples));
        let (of_bpr, of_generic) = (of(&self.bpr), of(&self.generic));
        let generic = (needs.generic_triples > 0).then_some((&self.generic, &of_generic));
        let seen = balancer.loss(&StepMargins { bpr: &self.bpr, bpr_margins: &of_bpr, generic });
        let Some(loss) = seen.loss else { return (None, Vec::new()) };
        let gradients = values.gradients(&mut loss.clone().backward());
        (Some(number(&loss)), named(&self.model, gradients))
    }

    /// Whose each parameter is.
    fn groups(&self) -> Vec<Owner> {
        Owner::of(&self.model.parameters, &self.model.inputs)
    }
}

/// Half the widths of quotients, each tried where the one before disagrees.
const WIDTHS: [f32; 3] = [1.0 / 256.0, 1.0 / 1024.0, 1.0 / 4096.0];
/// A gradient agrees with a quotient if they differ by no more than this share of the gradient's length.
const CLOSE: f64 = 0.02;

fn check_parameter(
    entry: &BalancerEntry,
    config: &BalanceConfig,
    scene: &mut Scene,
    parameter: &str,
    gradient: &[f32],
    loss: f64,
) {
    let start = scene.model.parameters.read(parameter);
    let held = copy(scene);
    let length = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
    let mut disagreeing = Vec::new();
    for seed in 0..4 {
        let direction = direction(gradient.len(), seed);
        let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
        let mut at = |h: f32| {
            let moved = start.iter().zip(&direction).map(|(v, d)| v + h * d).collect();
            scene.model.parameters.write(parameter, moved);
            scene.added(entry, config, Some(&held)).0.expect("it had a loss a moment ago")
        };
        let mut quotient = |h: f32| (at(h) - at(-h)) / f64::from(2.0 * h);
        // Losses are float32: their last digits divided by the width.
        let within = |h: f32, q: f64| CLOSE * (q.abs() + length) + 4e-7 * loss.abs() / f64::from(h);
        let agrees = |&h: &f32| {
            let q = quotient(h);
            (q - along).abs() <= within(h, q)
        };
        if !WIDTHS.iter().any(agrees) {
            disagreeing.push((along, quotient(WIDTHS[2])));
        }
    }
    let found = format!("{}, {}: gradient of {parameter}", entry.name, scene.name);
    assert!(disagreeing.len() <= 1, "{found}: (found, quotient) {disagreeing:?}");
}

/// A model of its own with the same parameters.
fn copy(scene: &Scene) -> Model {
    let mut copy = model(&scene.config, &scene.data, 1);
    copy.parameters.restore(&scene.model.parameters.snapshot());
    copy
}

fn direction(n: usize, seed: u64) -> Vec<f32> {
    let mut stream = Seed(seed).stream("suite/balance/direction");
    (0..n).map(|_| if stream.unit() < 0.5 { -1.0 } else { 1.0 }).collect()
}

/// Values of a size at which every term matters.
fn spread(mut model: Model, stream: &str) -> Model {
    let mut stream: Stream = Seed(17).stream(stream);
    let names: Vec<String> = model.parameters.iter().map(|(name, _, _)| name.to_owned()).collect();
    for name in names {
        let values = model.parameters.read(&name);
        let moved = values.iter().map(|v| v + (stream.unit() - 0.5) as f32).collect();
        model.parameters.write(&name, moved);
    }
    model
}

fn ablations(balancer: &dyn Balancer) -> Vec<Ablation> {
    let mut all = vec![Ablation::FULL];
    all.extend(balancer.needs().ablations.into_iter().filter(|a| *a != Ablation::FULL));
    all
}

fn encode(model: &Model, values: &Values, ablations: &[Ablation]) -> Encoded {
    let request = Request::inference(values, &model.inputs, ablations);
    model.backbone.encode(&Request { mode: Mode::Training, ..request })
}

fn margins<'a>(encoded: &'a Encoded, triples: &Triples) -> Margins<'a> {
    encoded.margins(Arc::new(triples.clone()))
}

/// Gradients by parameter; zeros where the loss does not reach.
fn named(model: &Model, gradients: Vec<Option<Tensor<2>>>) -> Vec<(String, Vec<f32>)> {
    let of = |((name, _, [rows, columns]), gradient): ((&str, &Group, [usize; 2]), Option<Tensor<2>>)| {
        let zeros = || vec![0.0; rows * columns];
        let values = |g: Tensor<2>| g.into_data().try_into_vec().expect("gradients are float32");
        (name.to_owned(), gradient.map_or_else(zeros, values))
    };
    model.parameters.iter().zip(gradients).map(of).collect()
}

fn numbers(m: &ModalityStep) -> impl Iterator<Item = f64> {
    let measured = [m.rho, m.effect, m.teacher_margin, m.clamped, m.specific, m.generic];
    std::iter::once(m.weight).chain(measured.into_iter().flatten())
}

fn close(what: &str, found: &[(String, Vec<f32>)], expected: &[(String, Vec<f32>)], tolerance: f32) {
    for ((name, found), (of, expected)) in found.iter().zip(expected) {
        assert_eq!(name, of, "{what}: parameters");
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() <= tolerance * (1.0 + e.abs()), "{what}: gradient of {name}: {f} and {e}");
        }
    }
}

/// A head that gained, and overfitted by how much `k` says.
fn head(k: f64) -> HeadLosses {
    let before = Losses { train: 0.7, validation: 0.7 };
    HeadLosses { before, after: Losses { train: 0.4 - 0.02 * k, validation: 0.5 + 0.03 * k } }
}

/// Heads that gain and overfit more from one epoch to the next, each in its own way.
struct Moving<'a> {
    heads: &'a [HeadLosses],
    epoch: usize,
}

impl Moving<'_> {
    fn after(&self, epochs: usize) -> Vec<Losses> {
        let of = |(k, head): (usize, &HeadLosses)| {
            let (share, Losses { train, validation }) =
                (epochs as f64 / (COURSE * (k + 2)) as f64, head.before);
            Losses { train: train * (1.0 - share), validation: validation * (1.0 - 0.8 * share) }
        };
        self.heads.iter().enumerate().map(of).collect()
    }
}

impl Heads for Moving<'_> {
    fn now(&mut self) -> Vec<Losses> {
        self.after(self.epoch)
    }

    fn alone(&mut self, epochs: usize) -> Vec<Losses> {
        self.after(self.epoch + epochs)
    }
}

/// Heads that were measured already.
struct Fixed<'a>(&'a [HeadLosses]);

impl Heads for Fixed<'_> {
    fn now(&mut self) -> Vec<Losses> {
        self.0.iter().map(|head| head.before).collect()
    }

    fn alone(&mut self, _epochs: usize) -> Vec<Losses> {
        self.0.iter().map(|head| head.after).collect()
    }
}
