//! EgoGCN: *Breaking Isolation: Multimodal Graph Fusion for Multimedia Recommendation by Edge-wise Modulation*
//! (Chen et al., ACM MM 2022). In each modality's graph, what a neighbour says may be a mix of what it is in all
//! modalities; which edges carry the mix is decided edge by edge, or how much of it by gates.
//!
//! # Equations
//! Nodes are users and items, `N = U + I`; `N(n)` are the neighbours of `n` in the train graph, without `n`. `nrm`
//! divides a row by its length, `LR` is the leaky ReLU of slope 0.01, `*` is by entry. In the channel of `m`:
//! ```text
//! (1)  x^m = [ nrm(P^m) ; nrm(LR(W_m e_i^m + b_m)) ]                        N x d
//! (2)  a_{j->n} = softmax_{j in N(n)} <x^m_n, x^m_j>                         an edge each way per interaction
//! (3)  hard:  t_{j->n} = (1/n) sum_k x^k_j   where a_{j->n} > theta, else x^m_j
//!      soft:  t_j = (1/n) ( x^m_j + sum_{k != m} sigmoid(V^m_k x^k_j + v^m_k) * x^k_j )
//! (4)  a_{j->n} <- softmax_{j in N(n)} <x^m_n, t_{j->n}>                     if `reattention`
//! (5)  h^m_n = nrm( sum_{j in N(n)} a_{j->n} t_{j->n} )                     N x d, the node itself left out
//! (6)  `layers` times:  h_n <- nrm( h_n + sum_{j in N(n)} softmax_j(<h_n, h_j>) h_j )
//! ```
//! and beside the channels, with `S = D^-1/2 A D^-1/2` of the train graph,
//! ```text
//! (7)  H_0 = nrm([X_U ; X_I]),  H_l = S H_{l-1},  C_id = H_0 + H_1 + H_2 + H_3
//! (8)  [Y ; Z] = [ C_id | h^1 | ... | h^n ]                                 D = (1 + n) d
//! ```
//! A node without interactions has zero rows in all channels, and its row of `H_0` in `C_id`.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `X_U`, `X_I` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier normal, as one table of `N` rows |
//! | `P^m` | `user.<m>` | `U x d` | Xavier normal; under `project` with unit rows |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `V^m_k`, `v^m_k` | `gate.<m>.<k>.weight`, `gate.<m>.<k>.bias` | `d x d`, `1 x d` | `U(-1/sqrt(d), 1/sqrt(d))` |
//!
//! One gate per ordered pair of modalities, in the group of the receiving channel; without gradient under `hard`.
//!
//! # Ablation
//! Every channel hears every modality, so silencing one changes all channels: all of them run again for each
//! ablation, and a channel alone says almost as much as the whole model. Shared are `C_id`, which reads no
//! modality; the node tables and gated tables of modalities that are not silenced; and (2) in their own channels.
//! A silenced modality has one row for all users and one for all items:
//! ```text
//! a_{j->n} = 1 / deg(n)        gates are two rows        soft, (4): <x_n, t_j> is a number of the sender alone
//! ```
//! Under `hard` its channel still differs between nodes: `1 / deg(n) > theta` decides for each receiver. See
//! [`shared`].
//!
//! # Variants
//! * `modulation`: (3). The comparison is strict and the chosen edges have no gradient; `theta = 1` chooses none,
//!   so that no channel hears another. Attention is near `1 / deg(n)` where rows are nearly orthogonal: the
//!   threshold 0.1 lets nodes of fewer than 10 neighbours or so hear the mix, a published one of few only.
//! * `reattention = false`: (5) takes the weights of (2).
//! * `id_layers = "released"`: the public code feeds `H_1` to the third layer, `C_id = H_0 + H_1 + 2 S H_1`.
//! * `pref_norm = "project"`: the public code writes the unit rows back into `P^m` before each pass. Here the pass
//!   reads unit rows, their gradient is taken as that of `P^m`, and `P^m` keeps its lengths. A silenced modality
//!   has the mean of the unit rows, divided by its length; that division is differentiated.
//! * `reg_inputs`: the published penalty, `reg_inputs` times the mean squares of the batch's id rows and of its
//!   users' preferences. The penalty of training is on final rows instead.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every block | 1 to 4096 |
//! | `modulation` | `hard` | which messages are mixed, (3) | `hard`, `soft` |
//! | `theta` | 0.1 | threshold under `hard`; published: 0.4 and 0.6 | 0 to 1 |
//! | `reattention` | true | whether (4) runs | |
//! | `layers` | 1 | steps of (6); published: 1 and 3 | 0 to 8 |
//! | `id_layers` | `intended` | what the third layer of (7) reads | `intended`, `released` |
//! | `pref_norm` | `differentiable` | how preferences get length 1 | `differentiable`, `project` |
//! | `reg_inputs` | 0 | weight of the published penalty | 0 or more |

mod build;
mod channel;
pub mod config;
pub mod shared;

pub use build::ENTRY;
pub use config::Config;

use crate::nodes::{input_penalty, unit_content, unit_ids};
use crate::parts::{Content, Linear};
use crate::pass::repeat;
use crate::requested::{RequestedNodes, select};
use crate::{Backbone, Encoded, Pass, Request, Tables};
use burn::tensor::Tensor;
use channel::Source;
use config::{IdLayers, PrefNorm};
use equipoise_data::graph::Normalisation;
use equipoise_nn::{collect, normalise_rows, stack};

/// See the [module documentation](self).
pub struct EgoGcn {
    config: Config,
    modalities: Vec<Modality>,
}

struct Modality {
    content: Content,
    /// Name of the preferences' table.
    preferences: String,
    /// The gate of each other modality in this one's channel.
    gates: Vec<Option<Linear>>,
}

impl EgoGcn {
    /// `x^m`; the pass is over everything.
    fn nodes(&self, pass: &Pass, m: usize) -> Tensor<2> {
        let content = &self.modalities[m].content;
        let users = match (self.config.pref_norm, pass.ablation().silences(m)) {
            (PrefNorm::Differentiable, _) => normalise_rows(content.preferences(pass)),
            (PrefNorm::Project, false) => self.unit_preferences(pass, m),
            (PrefNorm::Project, true) => repeat(self.mean_preference(pass, m), pass.inputs().n_users),
        };
        collect(stack(users, unit_content(content.projected(pass))))
    }

    /// The row that every user has in a silenced channel.
    fn mean_preference(&self, pass: &Pass, m: usize) -> Tensor<2> {
        normalise_rows(match self.config.pref_norm {
            PrefNorm::Differentiable => self.modalities[m].content.mean_preference(pass),
            PrefNorm::Project => self.unit_preferences(pass, m).mean_dim(0),
        })
    }

    /// `nrm(P^m)` with the gradient of `P^m`.
    fn unit_preferences(&self, pass: &Pass, m: usize) -> Tensor<2> {
        let table = pass.table(&self.modalities[m].preferences);
        let fixed = table.clone().inner();
        // Exactly the unit rows: the difference is zero and carries the gradient.
        (table - fixed.clone()) + normalise_rows(fixed)
    }

    /// The rows of `C_id` of (7) that are requested.
    fn id_branch(&self, pass: &Pass, requested: &RequestedNodes) -> Tensor<2> {
        let graph = pass.inputs().graphs.propagation(Normalisation::Sym);
        let coefficients: &[f32] = match self.config.id_layers {
            IdLayers::Intended => &[1.0, 1.0, 1.0, 1.0],
            IdLayers::Released => &[1.0, 1.0, 2.0],
        };
        requested.propagate_layers(&graph, unit_ids(pass), coefficients)
    }

    fn penalty(&self, pass: &Pass) -> Option<Tensor<1>> {
        if self.config.reg_inputs == 0.0 {
            return None;
        }
        let contents: Vec<&Content> = self.modalities.iter().map(|m| &m.content).collect();
        input_penalty(pass, &contents).map(|penalty| penalty * self.config.reg_inputs)
    }
}

impl Backbone for EgoGcn {
    fn forward(&self, pass: &Pass) -> Tables {
        let (all, nodes) = (pass.everything(), RequestedNodes::all(pass.inputs().n_users));
        let sources = (0..self.modalities.len()).map(|m| self.source(&all, m, self.nodes(&all, m)));
        let sources: Vec<Source> = sources.collect();
        let sources: Vec<&Source> = sources.iter().collect();
        let mut blocks = vec![self.id_branch(&all, &nodes)];
        blocks.extend(self.channels(&all, &nodes.edges(all.inputs().graphs.edges()), &sources));
        Tables { extra: self.penalty(pass), ..select(pass, Tensor::cat(blocks, 1)) }
    }

    fn encode(&self, request: &Request) -> Encoded {
        self.encode_shared(request)
    }
}
