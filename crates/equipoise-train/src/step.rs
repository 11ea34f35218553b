//! One optimisation step: sample, encode, lose, differentiate, update.
//!
//! ```text
//! L = (1/B) sum sp(-Delta(u,i,j)) + reg * (1/B) * 1/2 * sum (||Y_u||^2 + ||Z_i||^2 + ||Z_j||^2) + balancer + extra
//! ```
//! `Delta` and the penalty are taken under the model's own ablation: full for a student, `only(m)` for a teacher.
//! `extra` is what the backbone adds of its own; one with [`Objective::Own`] has it in the place of the first term.

use crate::batch::StepBatch;
use crate::config::TrainConfig;
use burn::tensor::Tensor;
use equipoise_balance::{Balancer, ModalityStep, StepLoss, StepMargins};
use equipoise_data::{BprSampler, GenericSampler, Interactions, SamplerError, Seed, Stream, Triples};
use equipoise_models::{Ablation, BatchTriples, Mode, Model, Objective, Request, Terms};
use equipoise_nn::Adam;
use equipoise_nn::math::softplus;

/// What one step measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepNumbers {
    /// The whole loss.
    pub loss: f64,
    /// Its BPR part.
    pub bpr: f64,
    /// Its penalty on final rows.
    pub penalty: f64,
    /// What the balancer added.
    pub balance: f64,
    /// What the backbone added of its own.
    pub extra: f64,
    /// The balancer's numbers per modality.
    pub modalities: Vec<ModalityStep>,
}

/// Everything that a step changes: model, optimiser, balancer and random streams.
pub struct Stepper {
    /// The model in training.
    pub model: Model,
    primary: Ablation,
    ablations: Vec<Ablation>,
    balancer: Box<dyn Balancer>,
    optimiser: Adam,
    reg: f64,
    bpr: BprSampler,
    generic: Option<GenericSampler>,
    batches: Stream,
    generics: Stream,
    dropout: Seed,
    triples: (Triples, Triples),
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
        config: &TrainConfig,
        seed: Seed,
    ) -> Result<Stepper, SamplerError> {
        let needs = balancer.needs();
        let mut ablations = vec![primary];
        for ablation in needs.ablations {
            if !ablations.contains(&ablation) {
                ablations.push(ablation);
            }
        }
        let sampler = || {
            let sampler = GenericSampler::new(train, needs.generic_triples)?;
            match needs.generic_items {
                Some(count) => sampler.with_items_per_step(count),
                None => Ok(sampler),
            }
        };
        let generic = (needs.generic_triples > 0).then(sampler);
        Ok(Stepper {
            model,
            primary,
            ablations,
            balancer,
            optimiser: Adam::new(config.adam()),
            reg: config.reg,
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
        let encoded = self.model.backbone.encode(&request);
        let weights = (self.reg != 0.0).then(|| batch.counts.clone());
        let terms = encoded.terms(batch.triples.clone(), weights);
        let objective = self.model.backbone.objective();
        let (mut parts, mut numbers) =
            recommendation_losses(&terms, batch.bpr, self.primary, self.reg, objective);
        let balanced = balancing_loss(self.balancer.as_mut(), &terms, &batch, &self.triples);
        numbers.modalities = balanced.modalities;
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
        let gradients = values.gradients(&mut loss.backward());
        // The tape holds references to the tables: it must go before they are updated in place.
        drop((loss, terms));
        drop((encoded, values));
        self.optimiser.step(&mut self.model.parameters, gradients);
        numbers
    }

    fn sample(&mut self, train: &Interactions) {
        let (bpr, generic) = &mut self.triples;
        self.bpr.sample(train, &mut self.batches, bpr);
        if let Some(sampler) = &mut self.generic {
            sampler.sample(train, &mut self.generics, generic);
        }
    }
}

/// BPR, unless the backbone has an objective of its own, and the penalty on final rows: under the model's own
/// ablation.
fn recommendation_losses(
    terms: &Terms,
    bpr: usize,
    primary: Ablation,
    reg: f64,
    objective: Objective,
) -> (Vec<Tensor<1>>, StepNumbers) {
    let ranking = softplus(terms.margins(0..bpr).of(primary).neg()).mean();
    let mut numbers = StepNumbers { bpr: number(&ranking), ..StepNumbers::default() };
    let mut parts = if objective == Objective::Own { Vec::new() } else { vec![ranking] };
    if reg != 0.0 {
        let penalty = terms.square_norm(primary) * (reg * 0.5 / bpr as f64);
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

fn number(x: &Tensor<1>) -> f64 {
    f64::from(x.clone().inner().into_scalar::<f32>())
}
