//! One optimisation step: sample, encode, lose, differentiate, update.
//!
//! ```text
//! L = (1/B) sum sp(-Delta(u,i,j)) + reg * (1/B) * 1/2 * sum (||Y_u||^2 + ||Z_i||^2 + ||Z_j||^2) + balancer + extra
//! ```
//! The gradient of the penalty with respect to parameters of modalities is multiplied by `reg_content`. A balancer may put its loss in the
//! place of the first term, and change the update that follows.
//!
//! `Delta` and the penalty are taken under the model's own ablation: full for a student, `only(m)` for a teacher.
//! `extra` is what the backbone adds of its own; one with [`Objective::Own`] has it in the place of the first term.

use crate::batch::StepBatch;
use crate::config::{Checked, RunConfig};
use burn::tensor::Tensor;
use equipoise_balance::losses::number;
use equipoise_balance::{
    Balancer, BalancerState, ModalityStep, Needs, OwnGroups, Owner, StateError, StepLoss, StepMargins,
    Update, losses,
};
use equipoise_data::{
    BprSampler, GenericSampler, Interactions, SamplerError, Seed, Stream, StreamState, Triples,
};
use equipoise_models::{Ablation, BatchTriples, Mode, Model, Objective, Request, Terms};
use equipoise_nn::{Adam, RowWeights, Snapshot};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What one step measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepNumbers {
    /// The whole loss.
    pub loss: f64,
    /// Its BPR part.
    pub bpr: f64,
    /// Its penalty on final rows.
    pub penalty: f64,
    /// The balancer's loss: what it added, or put in the place of BPR.
    pub balance: f64,
    /// What the backbone added of its own.
    pub extra: f64,
    /// The balancer's numbers per modality.
    pub modalities: Vec<ModalityStep>,
    /// The same of the ids, where the balancer treats them as a channel.
    pub ids: Option<ModalityStep>,
}

/// Everything that a step changes: model, optimiser, balancer and random streams.
pub struct Stepper {
    /// The model in training.
    pub model: Model,
    primary: Ablation,
    ablations: Vec<Ablation>,
    own: Option<OwnGroups>,
    balancer: Box<dyn Balancer>,
    ranks: bool,
    groups: Vec<Owner>,
    optimiser: Adam,
    reg: f64,
    reg_content: f64,
    bpr: BprSampler,
    generic: Option<GenericSampler>,
    batches: Stream,
    generics: Stream,
    dropout: Seed,
    triples: (Triples, Triples),
}

/// Where the random streams of a stepper stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Streams {
    batches: StreamState,
    generic: StreamState,
}

impl Stepper {
    /// A stepper before its first step. BPR triples come from the stream `batches` of the seed, generic ones
    /// from the stream `generic`: switching distillation on does not change the batches.
    ///
    /// # Errors
    /// If there is nothing to sample from.
    pub fn new(
        model: Model,
        primary: Ablation,
        balancer: Box<dyn Balancer>,
        train: &Interactions,
        config: &Checked<RunConfig>,
        seed: Seed,
    ) -> Result<Stepper, SamplerError> {
        let (needs, config) = (balancer.needs(), &config.train);
        let groups = Owner::of(&model.parameters, &model.inputs);
        let (ablations, own) = passes(primary, &needs, &groups, model.inputs.n_modalities());
        let sampler = || {
            let sampler = GenericSampler::new(train, needs.generic_triples)?;
            match needs.generic_items {
                Some(count) => sampler.with_items_per_step(count),
                None => Ok(sampler),
            }
        };
        let generic = (needs.generic_triples > 0).then(sampler);
        Ok(Stepper {
            primary,
            ablations,
            own,
            balancer,
            ranks: !needs.replaces_ranking && model.backbone.objective() == Objective::Bpr,
            groups,
            model,
            optimiser: Adam::new(config.adam()),
            reg: config.reg,
            reg_content: config.reg_content,
            bpr: BprSampler::new(train, config.batch_size, config.sampling)?,
            generic: generic.transpose()?,
            batches: seed.stream("batches"),
            generics: seed.stream("generic"),
            dropout: seed.part("dropout"),
            triples: (Triples::default(), Triples::default()),
        })
    }

    /// Steps in one epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.bpr.steps_per_epoch()
    }

    /// The balancer and the model that it balances, for what happens between steps.
    pub fn balancer(&mut self) -> (&mut dyn Balancer, &Model) {
        (self.balancer.as_mut(), &self.model)
    }

    /// What its balancer keeps from step to step.
    pub(crate) fn balancer_state(&self) -> BalancerState {
        self.balancer.save_state()
    }

    /// Where its random streams stand.
    pub(crate) fn streams(&self) -> Streams {
        Streams { batches: self.batches.state(), generic: self.generics.state() }
    }

    /// The optimiser, with its moments in the order of the model's parameters.
    pub(crate) fn optimiser(&self) -> &Adam {
        &self.optimiser
    }

    /// Goes on from where another stepper of the same making stood. Samplers need nothing: what they draw follows from the
    /// streams alone.
    ///
    /// # Errors
    /// If the state is not that of this balancer.
    pub(crate) fn go_on(
        &mut self,
        parameters: &Snapshot,
        optimiser: Adam,
        streams: &Streams,
        balancer: &BalancerState,
    ) -> Result<(), StateError> {
        self.balancer.load_state(balancer)?;
        self.model.parameters.restore(parameters);
        self.optimiser = optimiser;
        (self.batches, self.generics) =
            (Stream::restore(&streams.batches), Stream::restore(&streams.generic));
        Ok(())
    }

    /// One step. When the loss is not finite the parameters are left as they were.
    pub fn step(&mut self, train: &Interactions) -> StepNumbers {
        self.sample(train);
        let batch = StepBatch::new(&self.triples.0, &self.triples.1);
        let values = self.model.parameters.values(true);
        let rows = BatchTriples { triples: batch.triples.clone(), bpr: batch.bpr };
        let request = Request {
            values: &values,
            inputs: &self.model.inputs,
            ablations: &self.ablations,
            primary: self.primary,
            users: &batch.users,
            items: &batch.items,
            constants: self.reg != 0.0 && self.primary != Ablation::FULL,
            mode: Mode::Training,
            batch: Some(&rows),
            step: self.optimiser.steps(),
            dropout: self.dropout,
        };
        let mut encoded = self.model.backbone.encode(&request);
        let own = match &self.own {
            Some(own) => own.encode(&self.model, &request, &mut encoded),
            None => Vec::new(),
        };
        let weights = (self.reg != 0.0).then(|| batch.counts.clone());
        let terms = encoded.terms(batch.triples.clone(), weights.clone());
        let scales = self.penalty_scales().filter(|_| self.reg != 0.0);
        let norm = weights.map(|weights| match scales {
            None => terms.square_norm(self.primary),
            Some(scales) => scaled_norm(&self.model, &request, &scales, weights),
        });
        let (mut parts, mut numbers) = recommendation_losses(
            &terms,
            batch.bpr,
            self.primary,
            norm.map(|norm| (norm, self.reg)),
            self.ranks,
        );
        let balanced = balancing_loss(self.balancer.as_mut(), &terms, &batch, &self.triples);
        (numbers.modalities, numbers.ids) = (balanced.modalities, balanced.ids);
        if let Some(part) = balanced.loss {
            numbers.balance = number(&part);
            parts.push(part);
        }
        if let Some(part) = &encoded.extra {
            numbers.extra = number(part);
            parts.push(part.clone());
        }
        let loss = parts.into_iter().reduce(|sum, part| sum + part).expect("own or BPR, there is a loss");
        numbers.loss = number(&loss);
        if !numbers.loss.is_finite() {
            return numbers;
        }
        let mut tape = loss.backward();
        let gradients = values.gradients(&mut tape);
        let of_own = own.iter().map(|leaves| leaves.gradients(&mut tape)).collect();
        // The tape holds references to the tables: it must go before they are updated in place.
        drop((loss, terms));
        drop((encoded, values, own, tape));
        let seen = std::mem::take(&mut numbers.modalities);
        let mut update = Update { own: of_own, modalities: seen, ..Update::new(&self.groups, gradients) };
        self.balancer.modulate(&mut update);
        let Update { gradients, rates, modalities, .. } = update;
        numbers.modalities = modalities;
        self.optimiser.step_at(&mut self.model.parameters, gradients, &rates);
        numbers
    }

    /// What the gradient of the penalty is multiplied by, for each parameter: the balancer's number times `reg_content` where content owns
    /// it. `None` if all are 1.
    fn penalty_scales(&self) -> Option<Vec<f64>> {
        let balanced = self.balancer.penalty_scales(&self.groups);
        if self.reg_content == 1.0 {
            return balanced;
        }
        let mut scales = balanced.unwrap_or_else(|| vec![1.0; self.groups.len()]);
        let owned = scales.iter_mut().zip(&self.groups).filter(|(_, owner)| owner.modality().is_some());
        owned.for_each(|(scale, _)| *scale *= self.reg_content);
        Some(scales)
    }

    fn sample(&mut self, train: &Interactions) {
        let (bpr, generic) = &mut self.triples;
        self.bpr.sample(train, &mut self.batches, bpr);
        if let Some(sampler) = &mut self.generic {
            sampler.sample(train, &mut self.generics, generic);
        }
    }
}

/// The ablations of the one pass for all, each once, and those that have passes of their own.
fn passes(
    primary: Ablation,
    needs: &Needs,
    owners: &[Owner],
    n: usize,
) -> (Vec<Ablation>, Option<OwnGroups>) {
    let own = OwnGroups::needed(needs, primary, owners, n);
    let mut ablations = vec![primary];
    for &ablation in &needs.ablations {
        let elsewhere = own.as_ref().is_some_and(|own| own.answers(ablation));
        if !ablations.contains(&ablation) && !elsewhere {
            ablations.push(ablation);
        }
    }
    (ablations, own)
}

/// The squared norm of the final rows with its gradient of each parameter multiplied by a number of its own: a pass by itself.
fn scaled_norm(model: &Model, request: &Request, scales: &[f64], weights: Arc<RowWeights>) -> Tensor<1> {
    let (values, ablations) = (request.values.scaled(scales), [request.primary]);
    let request = Request { values: &values, ablations: &ablations, batch: None, ..*request };
    let encoded = model.backbone.encode(&request);
    encoded.terms(Arc::default(), Some(weights)).square_norm(request.primary)
}

/// BPR where it `ranks`, and the penalty on final rows: under the model's own ablation.
fn recommendation_losses(
    terms: &Terms,
    bpr: usize,
    primary: Ablation,
    norm: Option<(Tensor<1>, f64)>,
    ranks: bool,
) -> (Vec<Tensor<1>>, StepNumbers) {
    let ranking = losses::bpr(terms.margins(0..bpr).of(primary));
    let mut numbers = StepNumbers { bpr: number(&ranking), ..StepNumbers::default() };
    let mut parts = if ranks { vec![ranking] } else { Vec::new() };
    if let Some((norm, reg)) = norm {
        let penalty = norm * (reg * 0.5 / bpr as f64);
        numbers.penalty = number(&penalty);
        parts.push(penalty);
    }
    (parts, numbers)
}

fn balancing_loss(
    balancer: &mut dyn Balancer,
    terms: &Terms,
    batch: &StepBatch,
    (bpr, generic): &(Triples, Triples),
) -> StepLoss {
    let margins = terms.margins(0..batch.bpr);
    let beyond = batch.bpr..batch.triples.len();
    let generic_margins = (!beyond.is_empty()).then(|| terms.margins(beyond));
    balancer.loss(&StepMargins {
        bpr,
        bpr_margins: &margins,
        generic: generic_margins.as_ref().map(|margins| (generic, margins)),
    })
}
