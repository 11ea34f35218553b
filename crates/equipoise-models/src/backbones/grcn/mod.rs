//! GRCN: *Graph-Refined Convolutional Network for Multimedia Recommendation with Implicit Feedback* (Wei et al.,
//! ACM MM 2020). Each modality judges every training edge by attention; a graph of ids runs over the edges so
//! weighted.
//!
//! # Equations
//! Nodes `n` are users and items, `N = U + I`; `N(n)` are the neighbours of `n` in the train graph, without `n`.
//! `nrm` divides a row by its length, `LR` is the leaky ReLU of slope 0.01.
//! ```text
//! (1)  F^m = nrm(LR(W_m e_i^m + b_m))                                       I x d
//! (2)  p^m = nrm(P^m), then `n_route` times                                 U x d
//!      p_u <- nrm( p_u + sum_{i in N(u)} softmax_i(<p_u, F_i>) F_i )
//! (3)  X^m = [p^m ; F^m],  alpha^m_{j->n} = softmax_{j in N(n)} <X_n, X_j>   an edge each way per interaction
//! (4)  C_m = X^m + ( sum_{j in N(n)} alpha^m_{j->n} X_j )_n                 N x d, not normalised
//! (5)  w_{j->n} = max_m ( alpha^m_{j->n} c_{j,m} )                          c: confidence of the sender
//! (6)  H_0 = nrm([X_U ; X_I]),  H_l = ( sum_{j in N(n)} w_{j->n} H_{l-1,j} )_n,  C_id = H_0 + ... + H_layers
//! (7)  [Y ; Z] = [ C_id | C_1 | ... | C_n ]                                 D = (1 + n) d
//! ```
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `X_U`, `X_I` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier normal, as one table of `N` rows |
//! | `P^m` | `user.<m>` | `U x d` | Xavier normal |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `c_m` | `confidence.<m>` | `N x 1` | Xavier normal, as one table of `N x n` |
//!
//! # Ablation
//! A silenced channel has one row for all users and one for all items. Its logits are equal within each
//! neighbourhood, so `alpha_{j->n} = 1 / deg(n)` and a mean of neighbours is the row itself:
//! ```text
//! q_0 = nrm(p_bar),  q_{r+1} = nrm(q_r + F),  F = nrm(LR(W e_bar + b)),  q = q_{n_route}
//! C[u] = q + F, or q_0 where u has no neighbour        C[i] = F + q, or F where i has none
//! ```
//! No pass over edges; the block is constant up to isolated nodes. Real channels are computed once and shared
//! by all ablations that keep them. The weights (5) mix the modalities: the ids are propagated once for each
//! ablation. See [`shared`].
//!
//! # Variants
//! * `routing = "released"`: in the public code the messages of (2) run from users to items, so that users hear
//!   nothing and `p = nrm(P)`. The same as `n_route = 0`.
//! * `weight_mode`: (5), or `max_m alpha^m`, or `(1/n) sum_m alpha^m`; the last two read no confidence.
//! * `prune`: `w <- max(w, 0)`. The initial confidences have both signs: an edge whose sender is negative in every
//!   modality is silent, has no gradient, and stays so. `confidence = "one"` starts with all edges open; while
//!   confidences are equal, silenced modalities tie in (5), and one of them gets the gradient.
//! * `fusion`: (7), or `C_id` alone, or the mean of the `1 + n` blocks.
//! * `dropout`: on the weights `w`, the same mask in every layer and under every ablation.
//! * `reg_inputs`: the published penalty, `reg_inputs` times the mean squares of the batch's id rows and of its
//!   users' preferences. The penalty of training is on final rows instead.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every block | 1 to 4096 |
//! | `routing` | `paper` | whether (2) runs | `paper`, `released` |
//! | `n_route` | 3 | iterations of (2) | 0 to 8 |
//! | `weight_mode` | `confid` | how modalities judge an edge together | `confid`, `max`, `mean` |
//! | `confidence` | `xavier` | initial confidences | `xavier`, `one` |
//! | `prune` | false | negative weights become 0 | |
//! | `fusion` | `concat` | how blocks make the final rows | `concat`, `id`, `mean` |
//! | `layers` | 2 | layers of (6) | 0 to 8 |
//! | `dropout` | 0 | share of edges of (6) left out in training | 0 to below 1 |
//! | `reg_inputs` | 0 | weight of the published penalty | 0 or more |

mod build;
pub mod config;
pub mod shared;

pub use build::ENTRY;
pub use config::Config;

use crate::nodes::{input_penalty, unit_content, unit_ids};
use crate::parts::Content;
use crate::requested::{RequestedEdges, RequestedNodes, select};
use crate::{Backbone, Encoded, Pass, Request, Tables};
use burn::tensor::{Tensor, activation};
use config::{Fusion, Routing, WeightMode};
use equipoise_nn::{by_sender, collect, edge_softmax, larger, normalise_rows, residual_attention, stack};

/// See the [module documentation](self).
pub struct Grcn {
    config: Config,
    modalities: Vec<Modality>,
}

struct Modality {
    content: Content,
    confidence: String,
}

/// `X^m` and `alpha^m`.
struct Channel {
    nodes: Tensor<2>,
    attention: Tensor<1>,
}

impl Channel {
    /// The rows of `C_m` that are requested.
    fn rows(&self, requested: &RequestedEdges) -> Tensor<2> {
        requested.weighted_layers(self.attention.clone(), self.nodes.clone(), 1)
    }
}

impl Grcn {
    /// (1) to (3) of one modality; the pass is over everything.
    fn channel(&self, pass: &Pass, modality: &Modality) -> Channel {
        let items = collect(unit_content(modality.content.projected(pass)));
        let users = self.routed(pass, normalise_rows(modality.content.preferences(pass)), &items);
        let nodes = collect(stack(users, items));
        let attention = edge_softmax(&pass.inputs().graphs.edges(), nodes.clone(), nodes.clone());
        Channel { nodes, attention: collect(attention) }
    }

    fn routed(&self, pass: &Pass, mut users: Tensor<2>, items: &Tensor<2>) -> Tensor<2> {
        let edges = pass.inputs().graphs.edges_to_users();
        for _ in 0..self.iterations() {
            users = normalise_rows(residual_attention(&edges, users, items.clone()));
        }
        users
    }

    fn iterations(&self) -> usize {
        match self.config.routing {
            Routing::Paper => self.config.n_route,
            Routing::Released => 0,
        }
    }

    /// What one modality says of every edge: `alpha^m c_m`, or `alpha^m` alone.
    fn vote(&self, pass: &Pass, modality: &Modality, attention: Tensor<1>) -> Tensor<1> {
        match self.config.weight_mode {
            WeightMode::Max | WeightMode::Mean => attention,
            WeightMode::Confid => {
                let confidence = pass.table(&modality.confidence);
                collect(by_sender(&pass.inputs().graphs.edges(), attention, confidence))
            }
        }
    }

    /// `w` of (5) from all modalities' votes.
    fn weights(&self, pass: &Pass, votes: Vec<Tensor<1>>) -> Tensor<1> {
        let n = votes.len() as f32;
        let pairs = votes.into_iter();
        let weights = match self.config.weight_mode {
            WeightMode::Mean => pairs.reduce(|a, b| a + b).map(|sum| sum / n),
            WeightMode::Confid | WeightMode::Max => pairs.reduce(larger),
        };
        let weights = weights.expect("a model has a modality");
        let weights = if self.config.prune { activation::relu(weights) } else { weights };
        let edges = weights.dims()[0];
        pass.dropout(weights.reshape([edges, 1]), self.config.dropout, "grcn/edges").reshape([edges])
    }

    /// The rows of `C_id` of (6) that are requested, from `H_0` and all modalities' votes.
    fn id_branch(
        &self,
        pass: &Pass,
        requested: &RequestedEdges,
        start: Tensor<2>,
        votes: Vec<Tensor<1>>,
    ) -> Tensor<2> {
        requested.weighted_layers(self.weights(pass, votes), start, self.config.layers)
    }

    /// (7), or the mean of the blocks.
    fn fuse(&self, blocks: Vec<Tensor<2>>) -> Tensor<2> {
        match self.config.fusion {
            Fusion::Concat | Fusion::Id => Tensor::cat(blocks, 1),
            Fusion::Mean => mean(blocks),
        }
    }

    fn penalty(&self, pass: &Pass) -> Option<Tensor<1>> {
        if self.config.reg_inputs == 0.0 {
            return None;
        }
        let contents: Vec<&Content> = self.modalities.iter().map(|m| &m.content).collect();
        input_penalty(pass, &contents).map(|penalty| penalty * self.config.reg_inputs)
    }
}

/// The mean of tables; one of a single row counts for every row.
fn mean(tables: Vec<Tensor<2>>) -> Tensor<2> {
    let n = tables.len() as f32;
    tables.into_iter().reduce(|a, b| a + b).expect("the ids' block is always there") / n
}

impl Backbone for Grcn {
    fn forward(&self, pass: &Pass) -> Tables {
        let all = pass.everything();
        let requested = RequestedNodes::all(all.inputs().n_users).edges(all.inputs().graphs.edges());
        let channels: Vec<Channel> = self.modalities.iter().map(|m| self.channel(&all, m)).collect();
        let votes = self.modalities.iter().zip(&channels);
        let votes = votes.map(|(m, channel)| self.vote(&all, m, channel.attention.clone())).collect();
        let mut blocks = vec![self.id_branch(&all, &requested, unit_ids(&all), votes)];
        if self.config.fusion != Fusion::Id {
            blocks.extend(channels.iter().map(|channel| channel.rows(&requested)));
        }
        Tables { extra: self.penalty(pass), ..select(pass, self.fuse(blocks)) }
    }

    fn encode(&self, request: &Request) -> Encoded {
        self.encode_shared(request)
    }
}
