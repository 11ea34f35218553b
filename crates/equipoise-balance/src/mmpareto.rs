//! MMPareto (Wei & Hu, ICML 2024), carried over to pairwise ranking.
//!
//! # Equations
//! ```text
//! L_m  = strength mean sp(-Ds^m)                   own loss of modality m                                  (1)
//! g_0, g_1 ... g_n                                 gradients of the whole model's loss and of each L_m
//! G    = {0, m} for the parameters of modality m,  {0, 1 ... n} for shared ones
//! a_k  = 1 / |G|            if  <g_j, g_k> >= 0  for all j and k of G                                      (2)
//!        argmin | sum_k a_k g_k |,  sum_k a_k = 1, a >= 0,  otherwise                                      (3)
//! h    = |G| sum_k a_k g_k                                                                                 (4)
//! g   <- gamma h | sum_k g_k | / | h |                                                                     (5)
//! ```
//! `Ds^m` is the margin with every modality but `m` silenced. All parameters of a group count as one vector. Where gradients
//! agree (2) is their sum; where they are in conflict (3) is the point of their convex hull that is nearest to zero, a direction
//! in which no loss rises, and (5) gives it back the size that the sum would have. Where `h` vanishes (no direction lowers all)
//! it is left as it is. With one modality the own loss is that of the model, and nothing changes.
//!
//! # What is adapted
//! The paper has a classifier on each modality's encoder; here the prediction of a modality is the model's own under an
//! ablation, so there is no new parameter. `L_m` moves `m`'s own group and the shared parameters, as a uni-modal loss does in
//! the paper. `g_0` is the gradient of all that the model is trained by without a balancer: ranking loss, penalty and what a
//! backbone adds of its own.
//!
//! The paper integrates two gradients in each uni-modal encoder. Shared parameters (id embeddings, layers after the
//! modalities meet) see `n + 1` losses; they are treated as the paper treats an encoder that several tasks share, by the
//! same rule over all of them. `shared = "sum"` adds their gradients up instead.
//!
//! The paper enlarges every integrated gradient by a constant as well (`gamma` above 1). Adam undoes a constant factor, so it
//! is 1 here.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `strength` | 1 | weight of the modalities' own losses | >= 0 |
//! | `gamma` | 1 | factor of every integrated gradient | > 0 |
//! | `shared` | `pareto` | how gradients of shared parameters are combined | `pareto`, `sum` |

use crate::balancer::{Balancer, Needs, StepLoss, StepMargins};
use crate::entry::{BalancerSettings, Setup};
use crate::losses::{bpr, number};
use crate::modality_step::ModalityStep;
use crate::quantities::{Quantities, Quantity};
use crate::update::{Owner, Update};
use burn::tensor::Tensor;
use equipoise_data::FieldError;
use equipoise_models::{Ablation, ranges};
use serde::{Deserialize, Serialize};

/// How gradients of shared parameters are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shared {
    /// As those of a modality's group, over all losses.
    #[default]
    Pareto,
    /// Added up.
    Sum,
}

/// Settings of `mmpareto`; see the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Weight of the modalities' own losses.
    pub strength: f64,
    /// Factor of every integrated gradient.
    pub gamma: f64,
    /// How gradients of shared parameters are combined.
    pub shared: Shared,
}

impl Default for Config {
    fn default() -> Self {
        Config { strength: 1.0, gamma: 1.0, shared: Shared::default() }
    }
}

impl BalancerSettings for Config {
    const NAME: &'static str = "mmpareto";
    const SOURCE: &'static str = "after Wei & Hu, ICML 2024";
    const SUMMARY: &'static str =
        "each modality also ranks alone; gradients in conflict give way to a common direction";
    const QUANTITIES: Quantities = Quantities {
        intro: "What the balancer saw and did: where the gradient of a modality's own loss is in conflict with the \
                whole model's, both are weighed so that neither loss rises.",
        weight: Quantity {
            symbol: "a",
            word: "weight",
            title: "Weight of the own gradient",
            meaning: "Weight of the own loss's gradient in the modality's group; the rest is the whole model's",
        },
        ratio: Some(Quantity {
            symbol: "cos",
            word: "agreement",
            title: "Agreement",
            meaning: "Cosine of the own loss's gradient and the whole model's in the modality's group",
        }),
        effect: None,
    };

    fn check(&self) -> Result<(), FieldError> {
        ranges::not_negative("strength", self.strength)?;
        ranges::positive("gamma", self.gamma)
    }

    fn without_effect() -> Option<Config> {
        Some(Config { strength: 0.0, ..Config::default() })
    }

    fn build(&self, setup: Setup) -> Box<dyn Balancer> {
        Box::new(ParetoIntegration { config: *self, modalities: setup.modalities })
    }
}

/// See the [module documentation](self).
pub struct ParetoIntegration {
    config: Config,
    modalities: usize,
}

impl ParetoIntegration {
    fn acts(&self) -> bool {
        self.config.strength != 0.0 && self.modalities > 1
    }

    fn only(&self, m: usize) -> Ablation {
        Ablation::only(m, self.modalities)
    }

    /// Replaces the gradients of the parameters at `places` by what the whole model's gradient and those of the own losses
    /// `own` make together, each times its factor; returns the cosine of the first two and the weights `a`.
    fn integrate(&self, update: &mut Update, places: &[usize], own: &[usize]) -> (f64, Vec<f64>) {
        let mut gram = vec![vec![0.0; own.len() + 1]; own.len() + 1];
        for &k in places {
            add_products(
                &mut gram,
                &each(update, k, own).map(|g| g.cloned().map(values)).collect::<Vec<_>>(),
            );
        }
        let weights = match self.config.shared {
            Shared::Sum if own.len() > 1 => vec![1.0 / gram.len() as f64; gram.len()],
            _ => weights(&gram),
        };
        let scale = self.config.gamma * size(&gram, &weights);
        for &k in places {
            let parts = each(update, k, own).zip(&weights);
            let scaled = parts.filter_map(|(g, weight)| Some(g?.clone() * (weight * scale)));
            update.gradients[k] = scaled.reduce(|sum, part| sum + part);
        }
        (cosine(&gram), weights)
    }
}

/// The gradients of parameter `k`: the whole model's, then those of the own losses `own`.
fn each<'a>(update: &'a Update, k: usize, own: &'a [usize]) -> impl Iterator<Item = Option<&'a Tensor<2>>> {
    let first = std::iter::once(update.gradients[k].as_ref());
    first.chain(own.iter().map(move |&m| update.own[m][k].as_ref()))
}

fn values(gradient: Tensor<2>) -> Vec<f32> {
    gradient.into_data().try_into_vec().expect("gradients are float32")
}

/// Adds the inner products of one parameter's gradients; what is missing is zero. Summed in order and in float64, so that
/// threads change nothing.
fn add_products(gram: &mut [Vec<f64>], gradients: &[Option<Vec<f32>>]) {
    for (row, a) in gram.iter_mut().zip(gradients) {
        for (sum, b) in row.iter_mut().zip(gradients) {
            if let (Some(a), Some(b)) = (a, b) {
                *sum += a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
            }
        }
    }
}

/// Cosine of the first two gradients; 0 where one vanishes.
fn cosine(gram: &[Vec<f64>]) -> f64 {
    let length = (gram[0][0] * gram[1][1]).sqrt();
    if length > 0.0 { gram[0][1] / length } else { 0.0 }
}

/// `a` of equations (2) and (3) from the inner products of the gradients.
pub fn weights(gram: &[Vec<f64>]) -> Vec<f64> {
    let equal = vec![1.0 / gram.len() as f64; gram.len()];
    if gram.iter().flatten().all(|&product| product >= 0.0) { equal } else { nearest(gram, equal) }
}

/// A step that lowers less than this share of the squares is none.
const PRECISION: f64 = 1e-13;
/// Most steps; two gradients need one.
const STEPS: usize = 10_000;

/// Weights of the point of the convex hull that is nearest to zero. From `start`, weight goes from the gradient that the
/// point leans on most to the one that it leans on least, as much as is best, until there is nothing to gain.
fn nearest(gram: &[Vec<f64>], start: Vec<f64>) -> Vec<f64> {
    let mut a = start;
    let total: f64 = (0..a.len()).map(|k| gram[k][k]).sum();
    for _ in 0..STEPS {
        let slopes: Vec<f64> = gram.iter().map(|row| row.iter().zip(&a).map(|(g, a)| g * a).sum()).collect();
        let by_slope = |&x: &usize, &y: &usize| slopes[x].total_cmp(&slopes[y]);
        let to = (0..a.len()).min_by(by_slope).expect("there are gradients");
        let from = (0..a.len()).filter(|&k| a[k] > 0.0).max_by(by_slope).expect("weights sum to 1");
        let gain = slopes[from] - slopes[to];
        if gain <= PRECISION * total {
            break;
        }
        let curvature = gram[from][from] + gram[to][to] - 2.0 * gram[from][to];
        let moved = if curvature > 0.0 { (gain / curvature).min(a[from]) } else { a[from] };
        // The weights sum to 1 up to rounding, which must not lift one above it.
        (a[from], a[to]) = (a[from] - moved, (a[to] + moved).min(1.0));
    }
    a
}

/// Least share of its size to which a sum may shrink and still be given it back.
const VANISHED: f64 = 1e-6;

/// What `sum_k a_k g_k` is multiplied by, equations (4) and (5): it gets the size of `sum_k g_k`.
pub fn size(gram: &[Vec<f64>], weights: &[f64]) -> f64 {
    let square = |a: &[f64]| -> f64 {
        let row = |row: &Vec<f64>| row.iter().zip(a).map(|(g, a)| g * a).sum::<f64>();
        gram.iter().map(row).zip(a).map(|(row, a)| row * a).sum::<f64>().max(0.0)
    };
    let (n, sum, found) = (weights.len() as f64, square(&vec![1.0; weights.len()]), square(weights));
    let equal = weights.iter().all(|&a| a == weights[0]);
    let vanished = found.sqrt() * n <= VANISHED * sum.sqrt();
    if equal || vanished { n } else { (sum / found).sqrt() }
}

impl Balancer for ParetoIntegration {
    fn needs(&self) -> Needs {
        let ablations = (0..self.modalities).map(|m| self.only(m)).collect();
        Needs { ablations, own_gradients: self.acts(), ..Needs::default() }
    }

    fn loss(&mut self, step: &StepMargins) -> StepLoss {
        let mut total: Option<Tensor<1>> = None;
        let mut modalities = Vec::new();
        for m in 0..self.modalities {
            let own = bpr(step.bpr_margins.of(self.only(m)));
            // The weight and the agreement follow when there are gradients.
            modalities.push(ModalityStep {
                weight: 0.5,
                specific: Some(number(&own)),
                ..ModalityStep::default()
            });
            total = Some(total.into_iter().fold(own, |own, sum| sum + own));
        }
        let loss = total.filter(|_| self.acts()).map(|sum| sum * self.config.strength);
        StepLoss { loss, modalities, ..StepLoss::default() }
    }

    fn modulate(&mut self, update: &mut Update) {
        if !self.acts() {
            return;
        }
        let places = |update: &Update, of: &dyn Fn(Owner) -> bool| -> Vec<usize> {
            (0..update.groups.len()).filter(|&k| of(update.groups[k])).collect()
        };
        for m in 0..self.modalities {
            let group = places(update, &|owner| owner == Owner::Modality(m));
            let (cosine, weights) = self.integrate(update, &group, &[m]);
            (update.modalities[m].rho, update.modalities[m].weight) = (Some(cosine), weights[1]);
        }
        let shared = places(update, &|owner| owner.modality().is_none());
        self.integrate(update, &shared, &(0..self.modalities).collect::<Vec<_>>());
    }
}
