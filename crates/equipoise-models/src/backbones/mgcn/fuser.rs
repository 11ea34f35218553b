//! The behaviour-aware fuser: attention over the channels of the modalities, gated by what users do.

use crate::Pass;
use crate::parts::{Build, Linear};
use burn::tensor::{Tensor, activation::softmax};
use equipoise_nn::{Group, gated, init, sigmoid, tanh};

/// The channel of one modality, real or silenced.
pub struct Channel {
    /// `C_m`, one row per node.
    rows: Tensor<2>,
    /// `< q, tanh(Wa C_m + ba) >`, one number per node.
    logit: Tensor<2>,
}

/// What equation (8) takes from `C_id`, the same for every ablation.
pub struct Gates {
    /// `P_m / (n + 1)` of every modality.
    of_modality: Vec<Tensor<2>>,
    /// `(1 - sum_m P_m) / (n + 1)`.
    rest: Tensor<2>,
}

/// Equations (5) to (8) of the [backbone](super), node by node. (8) sorted by channels is one operation for each:
/// ```text
/// C_mul = sum_m C_m * ( w^m (1 - sum_k P_k) + P_m ) / (n + 1)
/// ```
pub struct Fuser {
    attention: Linear,
    query: String,
    preferences: Vec<Linear>,
}

impl Fuser {
    /// Registers the parameters.
    pub fn new(b: &mut Build) -> Fuser {
        let (d, n) = (b.width, b.n_modalities());
        let mut prefer = |m: usize| {
            let (name, group) = (format!("prefer.{}", b.inputs.modalities[m].name), b.group(m));
            b.linear(&name, group, [d, d])
        };
        let preferences = (0..n).map(&mut prefer).collect();
        let attention = b.linear("attention", Group::Shared, [d, d]);
        let query = "attention.query".to_owned();
        b.table(&query, Group::Shared, [1, d], |rows, fan_in, s| init::linear(rows * fan_in, fan_in, s));
        Fuser { attention, query, preferences }
    }

    /// A channel with its logit, which no other channel changes.
    pub fn channel(&self, pass: &Pass, rows: Tensor<2>) -> Channel {
        let heard = tanh(self.attention.apply(pass, rows.clone()));
        Channel { rows, logit: heard.matmul(pass.table(&self.query).transpose()) }
    }

    /// The gates (7), from `C_id`.
    pub fn gates(&self, pass: &Pass, behaviour: &Tensor<2>) -> Gates {
        let share = 1.0 / (self.preferences.len() + 1) as f64;
        let gate = |prefer: &Linear| sigmoid(prefer.apply(pass, behaviour.clone())) * share;
        let of_modality: Vec<Tensor<2>> = self.preferences.iter().map(gate).collect();
        let sum = of_modality.iter().cloned().reduce(|a, b| a + b).expect("a data set has a modality");
        Gates { of_modality, rest: -sum + share }
    }

    /// `C_mul` of one channel per modality.
    pub fn fuse(&self, gates: &Gates, channels: &[&Channel]) -> Tensor<2> {
        let logits = channels.iter().map(|c| c.logit.clone()).collect();
        let weights = softmax(Tensor::cat(logits, 1), 1);
        let part = |(m, (c, gate)): (usize, (&&Channel, &Tensor<2>))| {
            gated(c.rows.clone(), weights.clone().narrow(1, m, 1), gates.rest.clone(), gate.clone())
        };
        let parts = channels.iter().zip(&gates.of_modality).enumerate().map(part);
        parts.reduce(|a, b| a + b).expect("a data set has a modality")
    }
}
