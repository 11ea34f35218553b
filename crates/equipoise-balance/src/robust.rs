//! Teaching that cannot favour what says nothing (`weights = robust`).
//!
//! # Targets
//! Beside the teacher of each modality there are two of the ids, trained with everything silenced. What they know together is a weighted
//! sum of their margins. `T`, `T'` are the margins of the ids teachers, `T^m` those of the teacher of `m`, and `T^m,0` those of the
//! same teacher with `m` silenced: what it knows of ids. `Ds`, `Ds^0` are the student's margins, whole and with everything silenced.
//! ```text
//! E^0 = b T + b' T' + sum_m b_m T^m,0                                    what all of them know of ids         (1)
//! E   = E^0 + sum_m a_m (T^m - T^m,0)                                    and of contents                      (2)
//! G   = max(S(d, se(d)), S(x, se(x))) where d > 0, else 0                is there anything to be taught?      (3)
//! S(x, e) = 1 - (2 e / x)^2 where that and x are positive, else 0                                             (4)
//! L   = L_BPR + lambda_kd G [L_D(E, Ds) + L_D(E^0, Ds^0)]                                                     (5)
//! ```
//! `L_D = L_SD + lambda_g L_GD` is the loss of [`ckd`](crate::ckd). The weights `a, b >= 0` are those that say most about
//! held-out interactions; see [`stacking`](crate::stacking). `E` and `E^0` are then multiplied by one number, so that margins of
//! `E` on those interactions are as large as the plain model's: a size that the penalty allows. `d` is the mean over users of
//! `M(E) - M(plain)`, for the metric `M` that selects models and the model without a balancer, and `x` what the sum is worth
//! beside that model in nats: equation (4) of [`stacking`](crate::stacking). The metric of some hundred users can hardly tell
//! models apart where their losses do; a sum that the metric does not prefer at all is not taught. Weights and gate are measured
//! once, before training, on one half of the users of validation. Models are selected on all of them: the sum has two or three
//! weights to speak of, which cannot be made for some hundred users, and half of the users select with less certainty.
//!
//! Equation (17) of the paper weighs what content adds to a margin against a teacher's whole margin, ids included: a modality
//! that says nothing has a ratio near 0 and is taught most, and what its teacher teaches is ids. Here ids are taught as ids. The
//! content of noise has a weight of about 0 in (2), and since the whole is taught a sum without it, noise is unlearned. The
//! targets agree with one another: a model whose score is a sum of parts reaches both at once. With the gate shut the training is
//! that of the plain model, draw for draw.

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::distillation::Teaching;
use crate::losses::{mean, number};
use crate::modality_step::ModalityStep;
use crate::stacking::Stack;
pub use crate::stacking::shrunken;
use crate::teacher::Teacher;
use burn::tensor::Tensor;
use equipoise_data::Triples;
use equipoise_models::Ablation;

/// What robust weights start from beside the teachers of the modalities.
#[derive(Clone, Debug)]
pub struct ChannelSetup {
    /// Two teachers that were trained on ids alone.
    pub ids: [Teacher; 2],
    /// The teacher of each modality, with that modality silenced.
    pub silenced: Vec<Teacher>,
    /// The weights of their sum.
    pub stack: Stack,
    /// How far teaching is open, 0 to 1 (3).
    pub gate: f64,
}

/// Margins of every teacher on the same triples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TeacherMargins {
    /// Of the two ids teachers.
    pub ids: [Vec<f32>; 2],
    /// Of each modality's teacher with the modality silenced.
    pub silenced: Vec<Vec<f32>>,
    /// Of each modality's teacher.
    pub own: Vec<Vec<f32>>,
}

impl TeacherMargins {
    /// What content adds to the margins of the teacher of `m`.
    pub fn content(&self, m: usize) -> impl Iterator<Item = f64> + '_ {
        let pairs = self.own[m].iter().zip(&self.silenced[m]);
        pairs.map(|(&own, &silenced)| f64::from(own) - f64::from(silenced))
    }

    /// `E^0` (1), then `E` (2).
    pub fn targets(&self, stack: &Stack) -> [Vec<f32>; 2] {
        let mut sum = vec![0.0; self.ids[0].len()];
        let of_ids = self.ids.iter().zip(&stack.ids).chain(self.silenced.iter().zip(&stack.silenced));
        for (margins, weight) in of_ids {
            sum.iter_mut().zip(margins).for_each(|(sum, &x)| *sum += weight * f64::from(x));
        }
        let ids = narrow(&sum);
        for (m, weight) in stack.content.iter().enumerate() {
            sum.iter_mut().zip(self.content(m)).for_each(|(sum, x)| *sum += weight * x);
        }
        [ids, narrow(&sum)]
    }
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

/// Distillation from the sum of all teachers (5).
pub struct RobustDistillation {
    strength: Strength,
    modalities: Vec<Teacher>,
    setup: ChannelSetup,
}

/// The settings of the losses.
pub(crate) struct Strength {
    pub(crate) lambda_kd: f64,
    pub(crate) lambda_g: f64,
    pub(crate) generic_triples: usize,
    pub(crate) generic_items: Option<usize>,
    pub(crate) teaching: Teaching,
}

/// What one of the two losses came to.
struct Taught {
    loss: Tensor<1>,
    specific: f64,
    generic: Option<f64>,
}

impl RobustDistillation {
    /// A balancer with one teacher per modality, in the data set's order, and what was measured before.
    ///
    /// # Panics
    /// If there is not one teacher per modality, with itself silenced and its two weights: the trainer checks that.
    pub(crate) fn new(
        strength: Strength,
        modalities: Vec<Teacher>,
        setup: ChannelSetup,
    ) -> RobustDistillation {
        let (n, stack) = (modalities.len(), &setup.stack);
        let found = (setup.silenced.len(), stack.silenced.len(), stack.content.len());
        assert_eq!(found, (n, n, n), "two teachers and two weights of each modality");
        RobustDistillation { strength, modalities, setup }
    }

    fn ids_only(&self) -> Ablation {
        Ablation::ids_only(self.modalities.len())
    }

    fn is_open(&self) -> bool {
        self.strength.lambda_kd > 0.0 && self.setup.gate > 0.0
    }

    fn margins(&self, triples: &Triples) -> TeacherMargins {
        let of = |teachers: &[Teacher]| teachers.iter().map(|t| t.margins(triples)).collect();
        TeacherMargins {
            ids: self.setup.ids.each_ref().map(|t| t.margins(triples)),
            silenced: of(&self.setup.silenced),
            own: of(&self.modalities),
        }
    }

    /// `L_D` of a channel, given its targets on the triples of the batch and on the generic ones.
    fn taught(
        &self,
        channel: Ablation,
        specific: &[f32],
        generic: Option<&[f32]>,
        step: &StepMargins,
    ) -> Taught {
        let teaching = &self.strength.teaching;
        let loss = teaching.specific(step.bpr_margins.of(channel), specific).mean();
        let mut taught = Taught { specific: number(&loss), loss, generic: None };
        if let Some((target, (_, margins))) = generic.zip(step.generic) {
            let ordered = teaching.ordered(margins.of(channel), target);
            taught.generic = Some(number(&ordered));
            taught.loss = taught.loss + ordered * self.strength.lambda_g;
        }
        taught
    }

    fn of_modality(&self, m: usize, margins: &TeacherMargins) -> ModalityStep {
        let content: Vec<f32> = narrow(&margins.content(m).collect::<Vec<_>>());
        let weight = self.setup.gate * self.setup.stack.content[m];
        ModalityStep { weight, teacher_margin: Some(mean(&content)), ..ModalityStep::default() }
    }
}

impl Balancer for RobustDistillation {
    fn needs(&self) -> Needs {
        if !self.is_open() {
            return Needs::default();
        }
        let Strength { lambda_g, generic_triples, generic_items, .. } = self.strength;
        Needs {
            ablations: vec![self.ids_only()],
            generic_triples: if lambda_g == 0.0 { 0 } else { generic_triples },
            generic_items,
            ..Needs::default()
        }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        if !self.is_open() {
            return StepLoss::default();
        }
        let margins = self.margins(step.bpr);
        let [ids, whole] = margins.targets(&self.setup.stack);
        let generic = step.generic.map(|(triples, _)| self.margins(triples).targets(&self.setup.stack));
        let (of_ids, of_whole) = generic.as_ref().map(|[ids, whole]| (&ids[..], &whole[..])).unzip();
        let all = self.taught(Ablation::FULL, &whole, of_whole, step);
        let of = self.taught(self.ids_only(), &ids, of_ids, step);
        let seen = ModalityStep {
            weight: self.setup.gate,
            teacher_margin: Some(mean(&ids)),
            specific: Some(of.specific),
            generic: of.generic,
            ..ModalityStep::default()
        };
        StepLoss {
            loss: Some((all.loss + of.loss) * (self.strength.lambda_kd * self.setup.gate)),
            modalities: (0..self.modalities.len()).map(|m| self.of_modality(m, &margins)).collect(),
            ids: Some(seen),
        }
    }
}
