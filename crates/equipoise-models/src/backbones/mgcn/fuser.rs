//! The behaviour-aware fuser: attention over the channels of the modalities, gated by what users do.

use crate::Pass;
use crate::parts::{Build, Linear};
use burn::tensor::{Tensor, activation::softmax};
use equipoise_nn::{Group, init, sigmoid, tanh};

/// The channel of one modality, real or silenced.
pub struct Channel {
    /// `C_m`, one row per node.
    rows: Tensor<2>,
    /// `< q, tanh(Wa C_m + ba) >`, one number per node.
    logit: Tensor<2>,
}

/// Equations (5) to (8) of the [backbone](super), node by node.
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

    /// `P_m` of every modality, from `C_id`.
    pub fn gates(&self, pass: &Pass, behaviour: &Tensor<2>) -> Vec<Tensor<2>> {
        self.preferences.iter().map(|prefer| sigmoid(prefer.apply(pass, behaviour.clone()))).collect()
    }

    /// `C_mul` of one channel per modality.
    pub fn fuse(&self, gates: &[Tensor<2>], channels: &[&Channel]) -> Tensor<2> {
        let logits = channels.iter().map(|c| c.logit.clone()).collect();
        let weights = softmax(Tensor::cat(logits, 1), 1);
        let weighted = |(m, c): (usize, &&Channel)| c.rows.clone() * weights.clone().narrow(1, m, 1);
        let shared = channels.iter().enumerate().map(weighted).reduce(|a, b| a + b);
        let shared = shared.expect("a data set has a modality");
        let specific =
            channels.iter().zip(gates).map(|(c, gate)| (c.rows.clone() - shared.clone()) * gate.clone());
        let sum = specific.fold(shared.clone(), |sum, part| sum + part);
        sum / (channels.len() + 1) as f64
    }
}
