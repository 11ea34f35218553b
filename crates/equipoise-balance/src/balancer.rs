//! The trait that every balancer implements.

use burn::tensor::Tensor;
use equipoise_data::Triples;
use equipoise_models::{Ablation, Margins};
use serde::{Deserialize, Serialize};

/// What a balancer asks for in every step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Ablations whose margins it reads, besides the full one.
    pub ablations: Vec<Ablation>,
    /// Number of generic triples, 0 for none.
    pub generic_triples: usize,
    /// Distinct items that they are drawn from in one step; all if `None`.
    pub generic_items: Option<usize>,
}

/// What a balancer sees of one step: triples and the student's margins on them.
pub struct StepMargins<'a> {
    /// BPR triples, by user and item index.
    pub bpr: &'a Triples,
    /// The student's margins on them, under every ablation asked for.
    pub bpr_margins: &'a Margins<'a>,
    /// Generic triples and the student's margins on them, where asked for.
    pub generic: Option<(&'a Triples, &'a Margins<'a>)>,
}

/// One modality's numbers in one step, or their means over several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModalityStep {
    /// Distillation weight `lambda_m` (its mean over triples where it varies).
    pub weight: f64,
    /// Ratio `rho^m` after the guard (its mean over triples where it varies).
    pub rho: f64,
    /// Average treatment effect `gamma^m`.
    pub effect: f64,
    /// Mean teacher margin `T_m` on the BPR triples.
    pub teacher_margin: f64,
    /// Share of ratios that the guard clamped, 0 to 1.
    pub clamped: f64,
    /// Specific loss `L_SD^m`.
    pub specific: f64,
    /// Generic loss `L_GD^m`.
    pub generic: f64,
}

impl ModalityStep {
    /// Adds `weight` times the numbers of another step: how means over steps are taken.
    pub fn add(&mut self, step: &ModalityStep, weight: f64) {
        self.weight += weight * step.weight;
        self.rho += weight * step.rho;
        self.effect += weight * step.effect;
        self.teacher_margin += weight * step.teacher_margin;
        self.clamped += weight * step.clamped;
        self.specific += weight * step.specific;
        self.generic += weight * step.generic;
    }
}

/// What a balancer adds to the loss, and what it saw.
pub struct StepLoss {
    /// Shape `[1]`, on the tape; `None` when it adds nothing.
    pub loss: Option<Tensor<1>>,
    /// One entry per modality, empty when the balancer measures nothing.
    pub modalities: Vec<ModalityStep>,
}

/// Decides what is added to the loss of a step.
pub trait Balancer: Send {
    /// What it asks for, the same in every step.
    fn needs(&self) -> Needs;

    /// The loss it adds to this step.
    fn loss(&mut self, step: &StepMargins) -> StepLoss;
}
