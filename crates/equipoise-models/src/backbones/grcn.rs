//! GRCN: *Graph-Refined Convolutional Network for Multimedia Recommendation with Implicit Feedback* (Wei et al.,
//! ACM MM 2020). Each modality weighs every training edge by attention; ids are propagated over the edges so
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
//! ablation.
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
//! | `weight_mode` | `confid` | how the modalities' weights of an edge are combined | `confid`, `max`, `mean` |
//! | `confidence` | `xavier` | initial confidences | `xavier`, `one` |
//! | `prune` | false | negative weights become 0 | |
//! | `fusion` | `concat` | how blocks make the final rows | `concat`, `id`, `mean` |
//! | `layers` | 2 | layers of (6) | 0 to 8 |
//! | `dropout` | 0 | share of edges of (6) left out in training | 0 to below 1 |
//! | `reg_inputs` | 0 | weight of the published penalty | 0 or more |

use crate::entry::{AblationEffect, BackboneSettings};
use crate::nodes::{even_attention, input_penalty, repeated_rows, unit_content, unit_ids};
use crate::parts::{Build, Content};
use crate::requested::{RequestedEdges, RequestedNodes, select};
use crate::{Ablation, Backbone, Block, Encoded, Pass, Request, Tables, View, ranges};
use burn::tensor::{Tensor, activation};
use equipoise_data::FieldError;
use equipoise_nn::{
    by_sender, collect, edge_softmax, init, larger, normalise_rows, residual_attention, stack,
};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Whether users receive from their items before edges are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// Users receive from their items `n_route` times.
    #[default]
    Paper,
    /// They do not, as in the public code.
    Released,
}

/// How the modalities' weights of an edge are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModalityWeight {
    /// `max_m alpha^m c_m`, with the sender's confidences.
    #[default]
    Confid,
    /// `max_m alpha^m`.
    Max,
    /// `(1/n) sum_m alpha^m`.
    Mean,
}

/// Initial confidences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Xavier normal: small, of both signs.
    #[default]
    Xavier,
    /// 1 everywhere.
    One,
}

/// How blocks make the final rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// Side by side.
    #[default]
    Concat,
    /// The ids' block alone.
    Id,
    /// Their mean.
    Mean,
}

/// Settings; the module documentation has the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether users receive from their items before edges are weighted.
    pub routing: Routing,
    /// How often.
    pub n_route: usize,
    /// How the modalities' weights of an edge are combined.
    pub weight_mode: ModalityWeight,
    /// Initial confidences.
    pub confidence: Confidence,
    /// Whether negative weights become 0.
    pub prune: bool,
    /// How blocks make the final rows.
    pub fusion: Fusion,
    /// Layers of the ids' branch.
    pub layers: usize,
    /// Share of that branch's edges left out in training.
    pub dropout: f64,
    /// Weight of the published penalty.
    pub reg_inputs: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            routing: Routing::Paper,
            n_route: 3,
            weight_mode: ModalityWeight::Confid,
            confidence: Confidence::Xavier,
            prune: false,
            fusion: Fusion::Concat,
            layers: 2,
            dropout: 0.0,
            reg_inputs: 0.0,
        }
    }
}

struct Grcn {
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

    /// The weight that one modality gives every edge: `alpha^m c_m`, or `alpha^m` alone.
    fn edge_weights(&self, pass: &Pass, modality: &Modality, attention: Tensor<1>) -> Tensor<1> {
        match self.config.weight_mode {
            ModalityWeight::Max | ModalityWeight::Mean => attention,
            ModalityWeight::Confid => {
                let confidence = pass.table(&modality.confidence);
                collect(by_sender(&pass.inputs().graphs.edges(), attention, confidence))
            }
        }
    }

    /// `w` of (5) from the weights of all modalities.
    fn weights(&self, pass: &Pass, edge_weights: Vec<Tensor<1>>) -> Tensor<1> {
        let n = edge_weights.len() as f32;
        let pairs = edge_weights.into_iter();
        let weights = match self.config.weight_mode {
            ModalityWeight::Mean => pairs.reduce(|a, b| a + b).map(|sum| sum / n),
            ModalityWeight::Confid | ModalityWeight::Max => pairs.reduce(larger),
        };
        let weights = weights.expect("a model has a modality");
        let weights = if self.config.prune { activation::relu(weights) } else { weights };
        let edges = weights.dims()[0];
        pass.dropout(weights.reshape([edges, 1]), self.config.dropout, "grcn/edges").reshape([edges])
    }

    /// The rows of `C_id` of (6) that are requested, from `H_0` and all modalities' edge_weights.
    fn id_branch(
        &self,
        pass: &Pass,
        requested: &RequestedEdges,
        start: Tensor<2>,
        edge_weights: Vec<Tensor<1>>,
    ) -> Tensor<2> {
        requested.weighted_layers(self.weights(pass, edge_weights), start, self.config.layers)
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
        let edge_weights = self.modalities.iter().zip(&channels);
        let edge_weights =
            edge_weights.map(|(m, channel)| self.edge_weights(&all, m, channel.attention.clone())).collect();
        let mut blocks = vec![self.id_branch(&all, &requested, unit_ids(&all), edge_weights)];
        if self.config.fusion != Fusion::Id {
            blocks.extend(channels.iter().map(|channel| channel.rows(&requested)));
        }
        Tables { extra: self.penalty(pass), ..select(pass, self.fuse(blocks)) }
    }

    fn encode(&self, request: &Request) -> Encoded {
        self.encode_shared(request)
    }
}

impl BackboneSettings for Config {
    const NAME: &'static str = "grcn";
    const TITLE: &'static str = "GRCN";
    const SOURCE: &'static str = "Wei et al., ACM MM 2020";
    const SUMMARY: &'static str = "a graph of ids whose edges are weighted by attention in every modality";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Inputs;

    fn check(&self) -> Result<(), FieldError> {
        ranges::layers("n_route", self.n_route)?;
        ranges::layers("layers", self.layers)?;
        ranges::below_one("dropout", self.dropout)?;
        ranges::not_negative("reg_inputs", self.reg_inputs)
    }

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        b.ids_as_one_table();
        let mut contents = Vec::new();
        for m in 0..b.n_modalities() {
            b.preferences(m, init::xavier_normal);
            contents.push(b.projection(m));
        }
        let confidences = confidences(self.confidence, b);
        let modalities = contents.into_iter().zip(confidences);
        let modalities = modalities.map(|(content, confidence)| Modality { content, confidence }).collect();
        Box::new(Grcn { config: self.clone(), modalities })
    }
}

/// Registers `confidence.<m>` for every modality, drawn as one table of `N x n`; returns the names.
fn confidences(initial: Confidence, b: &mut Build) -> Vec<String> {
    let (nodes, n) = (b.inputs.n_users + b.inputs.n_items, b.n_modalities());
    let values = match initial {
        Confidence::Xavier => init::xavier_normal(nodes, n, b.stream),
        Confidence::One => vec![1.0; nodes * n],
    };
    let register = |m: usize| {
        let (name, group) = (format!("confidence.{}", b.inputs.modalities[m].name), b.group(m));
        let column = values.iter().skip(m).step_by(n).copied().collect();
        b.parameters.add(&name, group, [nodes, 1], column);
        name
    };
    (0..n).map(register).collect()
}

// All ablations of a step at once: attention once per modality, silenced channels in closed form, the ids' branch once per ablation. The last layer of each is made for the requested nodes alone.

/// What a modality contributes, real or silenced.
struct State {
    /// Its part of the final rows, where the fusion has one and it is needed.
    block: Option<Block>,
    /// Its weight of every edge.
    edge_weights: Tensor<1>,
}

/// Both states of a modality, those that some ablation needs.
struct States {
    real: Option<State>,
    silenced: Option<State>,
}

impl States {
    fn under(&self, silenced: bool) -> &State {
        let state = if silenced { &self.silenced } else { &self.real };
        state.as_ref().expect("made for the ablations requested")
    }
}

impl Grcn {
    fn encode_shared(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL).everything();
        let ids = collect(unit_ids(&pass));
        let requested = RequestedNodes::of(request).edges(pass.inputs().graphs.edges());
        let even = even_attention(requested.all(), &ids.device());
        let states = |(m, modality): (usize, &Modality)| {
            let needed = |silenced| request.ablations.iter().any(|a| a.silences(m) == silenced);
            States {
                real: needed(false).then(|| self.real(&pass, &requested, modality)),
                silenced: needed(true).then(|| self.silenced(request, &pass, modality, even.clone())),
            }
        };
        let states: Vec<States> = self.modalities.iter().enumerate().map(states).collect();
        let mut encoded = Encoded::default();
        for &ablation in request.ablations {
            let pass = request.pass(ablation);
            let states = states.iter().enumerate().map(|(m, s)| s.under(ablation.silences(m)));
            encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
            encoded.blocks.push(self.block_of_ids(
                &pass,
                &requested,
                ids.clone(),
                &states.collect::<Vec<_>>(),
            ));
            encoded.extra = encoded.extra.or_else(|| self.penalty(&pass));
        }
        if self.config.fusion == Fusion::Concat {
            states.into_iter().enumerate().for_each(|(m, states)| append(&mut encoded, m, states));
        }
        encoded
    }

    /// The block that each ablation has for itself: `C_id`, or the mean of all blocks.
    fn block_of_ids(
        &self,
        pass: &Pass,
        requested: &RequestedEdges,
        ids: Tensor<2>,
        states: &[&State],
    ) -> Block {
        let edge_weights = states.iter().map(|s| s.edge_weights.clone()).collect();
        let rows = self.id_branch(pass, requested, ids, edge_weights);
        let Tables { users, items, .. } = requested.nodes().tables(rows);
        if self.config.fusion != Fusion::Mean {
            return Block::varying(users, items);
        }
        let blocks = || states.iter().filter_map(|s| s.block.as_ref());
        let users = std::iter::once(users).chain(blocks().map(|b| b.users.clone())).collect();
        let items = std::iter::once(items).chain(blocks().map(|b| b.items.clone())).collect();
        Block::varying(mean(users), mean(items))
    }

    fn real(&self, pass: &Pass, requested: &RequestedEdges, modality: &Modality) -> State {
        let channel = self.channel(pass, modality);
        let block = (self.config.fusion != Fusion::Id).then(|| {
            let tables = requested.nodes().tables(channel.rows(requested));
            Block::varying(tables.users, tables.items)
        });
        State { block, edge_weights: self.edge_weights(pass, modality, channel.attention) }
    }

    fn silenced(&self, request: &Request, pass: &Pass, modality: &Modality, even: Tensor<1>) -> State {
        let isolated = Isolated::new(request);
        // Equal rows for all items move no margin: only the penalty and a mean of blocks see them.
        let wanted = match self.config.fusion {
            Fusion::Concat => request.constants || isolated.items.is_some(),
            Fusion::Id => false,
            Fusion::Mean => true,
        };
        let block = wanted.then(|| self.closed_form(pass, modality, &isolated));
        State { block, edge_weights: self.edge_weights(pass, modality, even) }
    }

    /// The block of a silenced channel, without a look at edges.
    fn closed_form(&self, pass: &Pass, modality: &Modality, isolated: &Isolated) -> Block {
        let user = normalise_rows(modality.content.mean_preference(pass));
        let item = unit_content(modality.content.projected_mean(pass));
        let routed = (0..self.iterations()).fold(user.clone(), |q, _| normalise_rows(q + item.clone()));
        let connected = routed + item.clone();
        if isolated.users.is_none() && isolated.items.is_none() {
            return Block::constant(connected.clone(), connected);
        }
        let users = spread(connected.clone(), user, &isolated.users, isolated.n_users);
        Block::varying(users, spread(connected, item, &isolated.items, isolated.n_items))
    }
}

/// Which of the requested rows have no neighbour; `None` on a side of the graph where every node has one.
struct Isolated {
    users: Option<Vec<bool>>,
    items: Option<Vec<bool>>,
    n_users: usize,
    n_items: usize,
}

impl Isolated {
    fn new(request: &Request) -> Isolated {
        let (graph, users) = (request.inputs.graphs.bipartite(), request.inputs.n_users);
        let side = |nodes: Range<usize>, rows: &[u32]| {
            let flag = |&r: &u32| graph.degree(nodes.start + r as usize) == 0;
            nodes.clone().any(|n| graph.degree(n) == 0).then(|| rows.iter().map(flag).collect())
        };
        Isolated {
            users: side(0..users, request.users.rows()),
            items: side(users..graph.n_nodes(), request.items.rows()),
            n_users: request.users.len(),
            n_items: request.items.len(),
        }
    }
}

/// One row for connected nodes, another for isolated ones.
fn spread(connected: Tensor<2>, isolated: Tensor<2>, flags: &Option<Vec<bool>>, n: usize) -> Tensor<2> {
    let both = Tensor::cat(vec![connected, isolated], 0);
    let row = |k: usize| flags.as_ref().map_or(0, |flags| u32::from(flags[k]));
    repeated_rows(both, (0..n).map(row))
}

/// Adds a modality's blocks to the views that hold it in that state.
fn append(encoded: &mut Encoded, m: usize, states: States) {
    for (silenced, state) in [(false, states.real), (true, states.silenced)] {
        if let Some(block) = state.and_then(|s| s.block) {
            let views = encoded.views.iter_mut().filter(|v| v.ablation.silences(m) == silenced);
            views.for_each(|view| view.blocks.push(encoded.blocks.len()));
            encoded.blocks.push(block);
        }
    }
}
