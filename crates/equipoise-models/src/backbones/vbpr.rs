//! VBPR: visual Bayesian personalised ranking (He & McAuley, AAAI 2016), extended to any number of modalities
//! as in the experiments of counterfactual knowledge distillation (ACM MM 2024).
//!
//! # Equations
//! ```text
//! Y_u = [ x_u ; p_u^1 ; ... ; p_u^n ]                                  D = (1 + n) d
//! Z_i = [ x_i ; W_1 e_i^1 + b_1 ; ... ; W_n e_i^n + b_n ]
//! y_hat(u, i) = <x_u, x_i> + sum_m < p_u^m , W_m e_i^m + b_m >
//! ```
//! No biases of users or items, no nonlinearity, no dropout; features are frozen.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `x_u`, `x_i` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `p_u^m` | `user.<m>` | `U x d` | Xavier uniform |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//!
//! # Ablation
//! The score is a sum of blocks, so an ablated prediction is the same sum with that modality's block replaced
//! by a constant, which moves no margin: with `D_id = <x_u, x_i - x_j>` and `D_m = <p_u^m, W_m (e_i - e_j)>`,
//! ```text
//! Delta_full = D_id + sum_m D_m      Delta_only(m) = D_id + D_m      treatment effect of m = D_m
//! ```
//! No pass beyond the plain one is needed.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every block | 1 to 4096 |

use crate::backbone::{mean_preference, pick, project_mean};
use crate::registry::{BackboneConfig, BackboneEntry};
use crate::{Backbone, Block, Encoded, Inputs, Pass, Request, Tables, View};
use burn::tensor::Tensor;
use equipoise_data::Stream;
use equipoise_nn::{Group, Parameters, init, project_rows};

/// The registry's entry.
pub const ENTRY: BackboneEntry = BackboneEntry {
    name: "vbpr",
    title: "VBPR",
    source: "He & McAuley, AAAI 2016",
    summary: "matrix factorisation plus one projected block per modality",
    build,
};

/// Names of one modality's parameters.
struct Names {
    preference: String,
    weight: String,
    bias: String,
}

impl Names {
    fn new(modality: &str) -> Names {
        Names {
            preference: format!("user.{modality}"),
            weight: format!("weight.{modality}"),
            bias: format!("bias.{modality}"),
        }
    }
}

/// See the [module documentation](self).
pub struct Vbpr {
    names: Vec<Names>,
}

fn build(
    config: &BackboneConfig,
    inputs: &Inputs,
    parameters: &mut Parameters,
    stream: &mut Stream,
) -> Box<dyn Backbone> {
    let (d, users, items) = (config.width, inputs.n_users, inputs.n_items);
    let table = |rows, stream: &mut Stream| init::xavier_uniform(rows, d, stream);
    parameters.add("user.id", Group::Shared, [users, d], table(users, stream));
    parameters.add("item.id", Group::Shared, [items, d], table(items, stream));
    let mut names = Vec::new();
    for modality in &inputs.modalities {
        let (n, w) = (Names::new(&modality.name), modality.features.width());
        let group = Group::Modality(modality.name.clone());
        parameters.add(&n.preference, group.clone(), [users, d], table(users, stream));
        parameters.add(&n.weight, group.clone(), [d, w], init::linear(d * w, w, stream));
        parameters.add(&n.bias, group, [1, d], init::linear(d, w, stream));
        names.push(n);
    }
    Box::new(Vbpr { names })
}

impl Backbone for Vbpr {
    fn forward(&self, pass: &Pass) -> Tables {
        let (mut users, mut items) = (vec![pass.users("user.id")], vec![pass.items("item.id")]);
        for (m, n) in self.names.iter().enumerate() {
            users.push(pass.preferences(m, &n.preference));
            items.push(pass.projected(m, &n.weight, &n.bias));
        }
        Tables { users: Tensor::cat(users, 1), items: Tensor::cat(items, 1) }
    }

    fn encode(&self, request: &Request) -> Encoded {
        let values = request.values;
        let rows = |name: &str, rows| pick(values.get(name), rows);
        let id = Block::varying(rows("user.id", request.users), rows("item.id", request.items));
        let mut blocks = vec![id];
        let mut views: Vec<View> =
            request.ablations.iter().map(|&ablation| View { ablation, blocks: vec![0] }).collect();
        for (m, n) in self.names.iter().enumerate() {
            let (kept, silenced): (Vec<_>, Vec<_>) = views.iter_mut().partition(|v| !v.ablation.silences(m));
            if !kept.is_empty() {
                kept.into_iter().for_each(|v| v.blocks.push(blocks.len()));
                blocks.push(self.modality_block(request, m, n));
            }
            if request.constants && !silenced.is_empty() {
                silenced.into_iter().for_each(|v| v.blocks.push(blocks.len()));
                blocks.push(self.mean_block(request, m, n));
            }
        }
        Encoded { blocks, views }
    }
}

impl Vbpr {
    fn modality_block(&self, request: &Request, m: usize, n: &Names) -> Block {
        let values = request.values;
        let (weight, bias) = (values.get(&n.weight), values.get(&n.bias));
        let features = &request.inputs.modalities[m].features;
        Block::varying(
            pick(values.get(&n.preference), request.users),
            project_rows(weight, bias, features, request.items.rows()),
        )
    }

    fn mean_block(&self, request: &Request, m: usize, n: &Names) -> Block {
        let values = request.values;
        let (weight, bias) = (values.get(&n.weight), values.get(&n.bias));
        Block::constant(
            mean_preference(values.get(&n.preference)),
            project_mean(request.inputs, m, weight, bias),
        )
    }
}
