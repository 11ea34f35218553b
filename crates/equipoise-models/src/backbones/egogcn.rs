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
//! Every channel receives from every modality, so silencing one changes all channels: all of them run again for each
//! ablation, and a channel alone says almost as much as the whole model. Shared are `C_id`, which reads no
//! modality; the node tables and gated tables of modalities that are not silenced; and (2) in their own channels.
//! A silenced modality has one row for all users and one for all items:
//! ```text
//! a_{j->n} = 1 / deg(n)        gates are two rows        soft, (4): <x_n, t_j> is a number of the sender alone
//! ```
//! Under `hard` its channel still differs between nodes: `1 / deg(n) > theta` decides for each receiver.
//!
//! # Variants
//! * `modulation`: (3). The comparison is strict and the chosen edges have no gradient; `theta = 1` chooses none,
//!   so that no channel receives from another. Attention is near `1 / deg(n)` where rows are nearly orthogonal: the
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

use crate::entry::{AblationEffect, BackboneSettings};
use crate::nodes::{even_attention, input_penalty, mean, unit_content, unit_ids};
use crate::parts::{Build, Content, Linear};
use crate::pass::repeat;
use crate::requested::{RequestedEdges, RequestedNodes, select};
use crate::{Ablation, Backbone, Block, Encoded, Inputs, Pass, Request, Tables, View, ranges};
use burn::tensor::Tensor;
use equipoise_data::FieldError;
use equipoise_data::Stream;
use equipoise_data::graph::{Edges, Normalisation};
use equipoise_nn::{
    collect, edge_attention, edge_softmax, init, mixed_attention, normalise_rows, propagate_weighted,
    residual_attention, sigmoid, stack,
};
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;

/// Which messages are mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modulation {
    /// Those of edges whose attention exceeds `theta`.
    #[default]
    Hard,
    /// All, through gates.
    Soft,
}

/// What the third layer of the ids' branch reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdLayers {
    /// The second.
    #[default]
    Intended,
    /// The first, as in the public code.
    Released,
}

/// How preferences get length 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrefNorm {
    /// As part of the pass, differentiated like the rest.
    #[default]
    Differentiable,
    /// By projection, not differentiated, as in the public code.
    Project,
}

/// Settings; the module documentation has the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which messages are mixed.
    pub modulation: Modulation,
    /// Threshold under `hard`; null stands for the default.
    #[serde(deserialize_with = "number_or_default")]
    pub theta: f64,
    /// Whether attention is taken again over the mixed messages.
    pub reattention: bool,
    /// Steps of attention inside a channel after the mixing one.
    pub layers: usize,
    /// What the third layer of the ids' branch reads.
    pub id_layers: IdLayers,
    /// How preferences get length 1.
    pub pref_norm: PrefNorm,
    /// Weight of the published penalty.
    pub reg_inputs: f64,
}

const THETA: f64 = 0.1;

fn number_or_default<'de, D: Deserializer<'de>>(value: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or(THETA))
}

impl Default for Config {
    fn default() -> Self {
        Config {
            modulation: Modulation::Hard,
            theta: THETA,
            reattention: true,
            layers: 1,
            id_layers: IdLayers::Intended,
            pref_norm: PrefNorm::Differentiable,
            reg_inputs: 0.0,
        }
    }
}

struct EgoGcn {
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

impl BackboneSettings for Config {
    const NAME: &'static str = "egogcn";
    const TITLE: &'static str = "EgoGCN";
    const SOURCE: &'static str = "Chen et al., ACM MM 2022";
    const SUMMARY: &'static str =
        "attention in every modality's graph, its messages mixed with the other modalities";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Inputs;

    fn check(&self) -> Result<(), FieldError> {
        ranges::expect("theta", self.theta, (0.0..=1.0).contains(&self.theta), "0 to 1")?;
        ranges::layers("layers", self.layers)?;
        ranges::not_negative("reg_inputs", self.reg_inputs)
    }

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        let config = self.clone();
        b.ids_as_one_table();
        let preferences = match config.pref_norm {
            PrefNorm::Differentiable => init::xavier_normal,
            PrefNorm::Project => unit_normal,
        };
        let contents: Vec<Content> = (0..b.n_modalities())
            .map(|m| {
                b.preferences(m, preferences);
                b.projection(m)
            })
            .collect();
        let modality = |content: Content| Modality {
            preferences: format!("user.{}", b.inputs.modalities[content.m].name),
            gates: (0..b.n_modalities()).map(|k| gate(b, content.m, k)).collect(),
            content,
        };
        let modalities = contents.into_iter().map(modality).collect();
        Box::new(EgoGcn { config, modalities })
    }
}

/// The gate through which the channel of `m` receives another modality.
fn gate(b: &mut Build, m: usize, other: usize) -> Option<Linear> {
    let name = |k: usize| &b.inputs.modalities[k].name;
    let name = format!("gate.{}.{}", name(m), name(other));
    (m != other).then(|| b.linear(&name, b.group(m), [b.width, b.width]))
}

/// Rows of normally distributed direction and length 1.
fn unit_normal(rows: usize, columns: usize, stream: &mut Stream) -> Vec<f32> {
    let mut values = init::xavier_normal(rows, columns, stream);
    for row in values.chunks_exact_mut(columns) {
        let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        row.iter_mut().for_each(|v| *v = (f64::from(*v) / length.max(1e-12)) as f32);
    }
    values
}

// What a modality brings to the channels, and the channels.

/// One modality, real or silenced, as its own channel and the others read it.
struct Source {
    /// `x^m`, `N x d`.
    pub nodes: Tensor<2>,
    /// The edges along which its channel receives messages.
    pub incoming: Incoming,
    /// Under `soft`, what each other channel receives of it: `sigmoid(V x + v) * x`, by receiver.
    pub gated: Vec<Option<Tensor<2>>>,
    /// The one row of all users and the one row of all items, `2 x d`, where there are no others.
    pub sides: Option<Tensor<2>>,
}

/// The edges of (3), and the weights of (2) where (5) takes them.
#[derive(Clone)]
struct Incoming {
    /// Under `hard`, sources point into `[x^m ; mix]`, `2N` rows: which message an edge carries.
    pub edges: Arc<Edges>,
    /// `None` where (4) replaces them.
    pub attention: Option<Tensor<1>>,
}

impl EgoGcn {
    /// (2), the choice of (3) and the gates, from `x^m`.
    fn source(&self, pass: &Pass, m: usize, nodes: Tensor<2>) -> Source {
        let edges = pass.inputs().graphs.edges();
        let attend = |x: Tensor<2>| edge_softmax(&edges, x.clone(), x);
        let incoming = match (self.config.modulation, self.config.reattention) {
            (Modulation::Soft, true) => Incoming { edges, attention: None },
            // Only compared with the threshold: nothing to record for gradients.
            (Modulation::Hard, true) => self.incoming(&edges, attend(nodes.clone().inner())),
            (_, false) => self.incoming(&edges, attend(nodes.clone())),
        };
        Source { incoming, gated: self.gated(pass, m, &nodes), nodes, sides: None }
    }

    /// Chooses the message of each edge and keeps the attention if it is needed.
    fn incoming(&self, edges: &Arc<Edges>, attention: Tensor<1>) -> Incoming {
        let edges = match self.config.modulation {
            Modulation::Soft => edges.clone(),
            Modulation::Hard => Arc::new(modulated(edges, &attention, self.theta())),
        };
        Incoming { edges, attention: (!self.config.reattention).then_some(attention) }
    }

    /// The threshold, in float32: an attention of exactly that does not exceed it.
    fn theta(&self) -> f32 {
        self.config.theta as f32
    }

    /// What other channels hear of rows of modality `m` under `soft`, by receiver.
    fn gated(&self, pass: &Pass, m: usize, rows: &Tensor<2>) -> Vec<Option<Tensor<2>>> {
        let gates = self.modalities.iter().map(|receiver| receiver.gates[m].as_ref());
        let soft = self.config.modulation == Modulation::Soft;
        let pass_through = |gate: &crate::Linear| sigmoid(gate.apply(pass, rows.clone())) * rows.clone();
        gates.map(|gate| gate.filter(|_| soft).map(pass_through)).collect()
    }

    /// The rows of `h^m` of every modality that are requested.
    fn channels(&self, pass: &Pass, last: &RequestedEdges, sources: &[&Source]) -> Vec<Tensor<2>> {
        let mix = (self.config.modulation == Modulation::Hard)
            .then(|| collect(mean(sources.iter().map(|s| s.nodes.clone()))));
        let fused = |m: usize| match &mix {
            Some(mix) => hard(sources[m], mix),
            None => soft(pass.inputs(), sources[m], messages(m, sources)),
        };
        (0..sources.len()).map(|m| self.propagated(last, normalise_rows(fused(m)))).collect()
    }

    /// (6), the last step for the nodes that are requested only.
    fn propagated(&self, last: &RequestedEdges, mut rows: Tensor<2>) -> Tensor<2> {
        for _ in 1..self.config.layers {
            rows = normalise_rows(residual_attention(last.all(), rows.clone(), rows));
        }
        if self.config.layers == 0 {
            return last.nodes().rows_of(rows);
        }
        normalise_rows(last.residual_attention(rows))
    }
}

/// Edges whose sources point into `[x ; mix]`: to the mix where the attention exceeds `theta`.
fn modulated(edges: &Edges, attention: &Tensor<1>, theta: f32) -> Edges {
    let attention = attention.clone().inner().into_data().try_into_vec::<f32>();
    let attention = attention.expect("attention is float32");
    edges.branched(|edge| attention[edge] > theta)
}

/// (4) and (5) without the last `nrm`, under `hard`.
fn hard(own: &Source, mix: &Tensor<2>) -> Tensor<2> {
    let Incoming { edges, attention } = &own.incoming;
    match attention {
        Some(attention) => {
            propagate_weighted(edges, attention.clone(), stack(own.nodes.clone(), mix.clone()))
        }
        None => mixed_attention(edges, own.nodes.clone(), mix.clone()),
    }
}

/// `t` of the channel of `m` under `soft`, `N x d`.
fn messages(m: usize, sources: &[&Source]) -> Tensor<2> {
    let others = sources.iter().filter_map(|s| s.gated[m].clone());
    let all: Vec<Tensor<2>> = std::iter::once(sources[m].nodes.clone()).chain(others).collect();
    mean(all.into_iter())
}

/// (4) and (5) without the last `nrm`, under `soft`.
fn soft(inputs: &Inputs, own: &Source, messages: Tensor<2>) -> Tensor<2> {
    let Incoming { edges, attention } = &own.incoming;
    match (attention, &own.sides) {
        (Some(attention), _) => propagate_weighted(edges, attention.clone(), messages),
        (None, None) => edge_attention(edges, own.nodes.clone(), messages.clone(), messages),
        (None, Some(sides)) => {
            let logits = logits_of_senders(inputs, sides, &messages);
            let one = Tensor::ones([edges.n_targets(), 1], &messages.device());
            propagate_weighted(edges, edge_softmax(edges, one, logits), messages)
        }
    }
}

/// `<x_n, t_j>` where all receivers of `j` are the same row: users send to items, items to users. `N x 1`.
fn logits_of_senders(inputs: &Inputs, sides: &Tensor<2>, messages: &Tensor<2>) -> Tensor<2> {
    let (users, items) = (inputs.n_users, inputs.n_items);
    let column = |side: usize| sides.clone().narrow(0, side, 1).transpose();
    let of_users = messages.clone().narrow(0, 0, users).matmul(column(1));
    let of_items = messages.clone().narrow(0, users, items).matmul(column(0));
    Tensor::cat(vec![of_users, of_items], 0)
}

// All ablations of a step at once: ids, node tables, gates and attention of real modalities once, silenced modalities from their two rows. The last step of each channel is made for the requested nodes alone.

/// Both states of a modality, those that some ablation needs.
struct Sources {
    real: Option<Source>,
    silenced: Option<Source>,
}

impl Sources {
    fn under(&self, silenced: bool) -> &Source {
        let source = if silenced { &self.silenced } else { &self.real };
        source.as_ref().expect("made for the ablations requested")
    }
}

impl EgoGcn {
    fn encode_shared(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL).everything();
        let sources = self.sources(request, &pass);
        let requested = RequestedNodes::of(request);
        let last = requested.edges(pass.inputs().graphs.edges());
        let mut encoded = Encoded::default();
        encoded.blocks.push(varying(requested.tables(self.id_branch(&pass, &requested))));
        for &ablation in request.ablations {
            let sources = sources.iter().enumerate().map(|(m, s)| s.under(ablation.silences(m)));
            let channels = self.channels(&pass, &last, &sources.collect::<Vec<_>>());
            let first = encoded.blocks.len();
            encoded.blocks.extend(channels.into_iter().map(|rows| varying(requested.tables(rows))));
            let blocks = std::iter::once(0).chain(first..encoded.blocks.len()).collect();
            encoded.views.push(View { ablation, blocks });
            encoded.extra = encoded.extra.or_else(|| self.penalty(&request.pass(ablation)));
        }
        encoded
    }

    fn sources(&self, request: &Request, pass: &Pass) -> Vec<Sources> {
        let requested =
            |m: usize, silenced: bool| request.ablations.iter().any(|a| a.silences(m) == silenced);
        let n = self.modalities.len();
        let even = (0..n).any(|m| requested(m, true)).then(|| self.even_incoming(pass));
        let sources = |m: usize| Sources {
            real: requested(m, false).then(|| self.source(pass, m, self.nodes(pass, m))),
            silenced: even.clone().filter(|_| requested(m, true)).map(|even| self.silenced(pass, m, even)),
        };
        (0..n).map(sources).collect()
    }

    /// A silenced modality, from one row for all users and one for all items.
    fn silenced(&self, pass: &Pass, m: usize, incoming: Incoming) -> Source {
        let item = unit_content(self.modalities[m].content.projected_mean(pass));
        let sides = stack(self.mean_preference(pass, m), item);
        let gated = self.gated(pass, m, &sides).into_iter();
        let gated = gated.map(|sides| sides.map(|sides| spread(pass, &sides))).collect();
        Source { nodes: collect(spread(pass, &sides)), incoming, gated, sides: Some(sides) }
    }

    /// The incoming edges of every silenced channel: `a_{j->n} = 1 / deg(n)`.
    fn even_incoming(&self, pass: &Pass) -> Incoming {
        let graphs = &pass.inputs().graphs;
        let device = pass.table("user.id").device();
        let attention = (!self.config.reattention).then(|| even_attention(&graphs.edges(), &device));
        let edges = match self.config.modulation {
            Modulation::Soft => graphs.edges(),
            Modulation::Hard => graphs.edges_by_even_attention(self.theta()),
        };
        Incoming { edges, attention }
    }
}

/// The users' row and the items' row as a table of all nodes.
fn spread(pass: &Pass, sides: &Tensor<2>) -> Tensor<2> {
    let row = |side: usize| sides.clone().narrow(0, side, 1);
    stack(repeat(row(0), pass.inputs().n_users), repeat(row(1), pass.inputs().n_items))
}

fn varying(Tables { users, items, .. }: Tables) -> Block {
    Block::varying(users, items)
}
