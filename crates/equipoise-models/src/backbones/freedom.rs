//! FREEDOM: freezing and denoising graph structures for multimodal recommendation (Zhou & Shen, MM 2023), for
//! any number of modalities.
//!
//! # Equations
//! Once, from the given features: `S^m`, the graph of the `k` nearest items, all neighbours alike
//! ([`Knn::binary`](equipoise_data::graph::Knn::binary)). With `S` the normalised adjacency of users and items:
//! ```text
//! [C_U ; C_I] = 1/(l_ui + 1) sum_(l = 0..l_ui) S^l [ X_U ; X_I ]          N x d    (1)
//! h           = ( sum_m mix_m S^m )^l_ii X_I                              I x d    (2)
//! Y = C_U       Z = C_I + h                                                        (3)
//! ```
//! Its own loss ranks the batch's triples by each modality's projected features alone:
//! ```text
//! reg_features sum_m 1/B sum_(u,i,j) sp( < y_u , W_m (e_j - e_i) > )               (4)
//! ```
//! In training, `S` may be that of `floor(T (1 - drop))` of the `T` interactions, drawn without replacement
//! with probabilities proportional to `1 / sqrt(deg_u deg_i)`: edges between the popular are the first to
//! go. Scores are those of the whole graph.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `X_U`, `X_I` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `E^m`, if trained | `features.<m>` | `I x d_m` | the given features |
//!
//! # Ablation
//! Features reach the scores through frozen graphs alone, so silencing a modality changes no score: one pass
//! serves every ablation. With `ablate_graph` a silenced modality's `S^m` becomes the identity; (1) is
//! shared, (2) is made for each ablation. Dropped edges are the same for all ablations of a step.
//!
//! # Variants
//! * `ablate_graph`: whether silencing takes the graph `S^m` away.
//! * `train_features`: `E^m` of (4) is a parameter, as published. The graph keeps reading the given features.
//! * `drop`: published results have 0.8 or 0.9, drawn anew in every epoch.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every table | 1 to 4096 |
//! | `neighbours` | 10 | nearest items `k` of a row of `S^m`, the item itself a candidate | 1 to 1000 |
//! | `mix` | empty | `mix_m` in the order of the modalities, as given; empty: `1/n` each. Published: 0.9 text, 0.1 image | empty, or a number of 0 or more per modality |
//! | `ui_layers` | 2 | layers `l_ui` over users and items | 0 to 8 |
//! | `ii_layers` | 1 | layers `l_ii` over similar items | 0 to 8 |
//! | `reg_features` | 0.001 | weight of (4); published: 0, 1e-5, 1e-4 or 1e-3 | 0 or more |
//! | `train_features` | false | whether features are trained; costs three more tables of their size | true, false |
//! | `ablate_graph` | false | whether silencing a modality silences its graph | true, false |
//! | `drop` | 0 | share of the interactions dropped in training | 0 to below 1 |
//! | `resample` | 100 | steps after which they are drawn anew; those of an epoch, to do as published | 1 or more |

use crate::entry::{AblationEffect, BackboneSettings};
use crate::layer_mean::layer_mean_of;
use crate::parts::Build;
use crate::requested::RequestedNodes;
use crate::{Backbone, Block, Encoded, Mode, Pass, Projection, Request, Tables, View, encode_once, ranges};
use burn::tensor::Tensor;
use equipoise_data::graph::{Bipartite, Normalisation};
use equipoise_data::{FieldError, Interactions, Seed, Stream, Triples};
use equipoise_nn::math::softplus;
use equipoise_nn::{Propagation, init, margins, propagate};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Settings: see the [module documentation](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Nearest items `k`.
    pub neighbours: usize,
    /// Weight of each modality's graph.
    pub mix: Vec<f64>,
    /// Layers over users and items.
    pub ui_layers: usize,
    /// Layers over similar items.
    pub ii_layers: usize,
    /// Weight of the own loss.
    pub reg_features: f64,
    /// Whether features are trained.
    pub train_features: bool,
    /// Whether silencing a modality silences its graph.
    pub ablate_graph: bool,
    /// Share of the interactions dropped in training.
    pub drop: f64,
    /// Steps after which they are drawn anew.
    pub resample: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            neighbours: 10,
            mix: Vec::new(),
            ui_layers: 2,
            ii_layers: 1,
            reg_features: 1e-3,
            train_features: false,
            ablate_graph: false,
            drop: 0.0,
            resample: 100,
        }
    }
}

struct Freedom {
    modalities: Vec<Neighbourhood>,
    user_item: Arc<Propagation>,
    thinned: Option<EdgeSample>,
    config: Config,
}

/// What one modality brings.
struct Neighbourhood {
    content: Projection,
    graph: Arc<Propagation>,
    mix: f64,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "freedom";
    const TITLE: &'static str = "FREEDOM";
    const SOURCE: &'static str = "Zhou & Shen, MM 2023";
    const SUMMARY: &'static str =
        "LightGCN on a thinned graph, plus ids spread over a frozen graph of similar items";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Nothing;

    fn check(&self) -> Result<(), FieldError> {
        ranges::neighbours("neighbours", self.neighbours)?;
        self.mix.iter().try_for_each(|&weight| ranges::not_negative("mix", weight))?;
        ranges::layers("ui_layers", self.ui_layers)?;
        ranges::layers("ii_layers", self.ii_layers)?;
        ranges::not_negative("reg_features", self.reg_features)?;
        ranges::below_one("drop", self.drop)?;
        ranges::expect("resample", self.resample, self.resample > 0, "1 or more")
    }

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        let (config, n) = (self.clone(), b.n_modalities());
        if ![0, n].contains(&config.mix.len()) {
            let names = b.inputs.names().join(", ");
            b.refuse(FieldError::new(
                "backbone.freedom.mix",
                format_args!("{:?}", config.mix),
                format!("one number per modality ({names}), or none"),
            ));
        }
        b.ids(init::xavier_uniform);
        let neighbourhood = |m| Neighbourhood {
            content: Projection::new(b, m, config.train_features),
            graph: Arc::new(Propagation::new(b.inputs.neighbours(m, config.neighbours).binary())),
            mix: config.mix.get(m).copied().unwrap_or(1.0 / n as f64),
        };
        let modalities = (0..n).map(neighbourhood).collect();
        let graphs = &b.inputs.graphs;
        let sample = || EdgeSample::new(graphs.bipartite(), config.drop, config.resample);
        let thinned = (config.drop > 0.0).then(sample);
        Box::new(Freedom { modalities, user_item: graphs.propagation(Normalisation::Sym), thinned, config })
    }
}

impl Freedom {
    /// The rows requested of `C_U` and of `C_I`.
    fn behaviour(&self, pass: &Pass) -> Tables {
        let (seed, step) = pass.randomness();
        let thinned = self.thinned.as_ref().filter(|_| pass.mode() == Mode::Training);
        let graph = thinned.map_or_else(|| self.user_item.clone(), |sample| sample.graph(seed, step));
        let requested = RequestedNodes::of(pass.request());
        requested.tables(layer_mean_of(&requested, pass, &graph, self.config.ui_layers))
    }

    /// `h` of every item.
    fn similar(&self, pass: &Pass) -> Tensor<2> {
        let layer = |x: Tensor<2>| {
            let messages = self.modalities.iter().map(|one| {
                let alone = self.config.ablate_graph && pass.ablation().silences(one.content.m());
                let message = if alone { x.clone() } else { propagate(&one.graph, x.clone()) };
                message * one.mix
            });
            messages.reduce(|a, b| a + b).expect("a data set has a modality")
        };
        (0..self.config.ii_layers).fold(pass.table("item.id"), |x, _| layer(x))
    }

    /// Equation (4) where it is wanted, given the rows of `Y` requested.
    fn own_loss(&self, pass: &Pass, users: &Tensor<2>) -> Option<Tensor<1>> {
        let batch = pass.batch().filter(|_| self.config.reg_features > 0.0)?;
        let triples = Arc::new(Triples {
            users: batch.users().to_vec(),
            positives: batch.positives().to_vec(),
            negatives: batch.negatives().to_vec(),
        });
        let loss = |one: &Neighbourhood| {
            softplus(margins(users.clone(), one.content.projected(pass), &triples).neg()).mean()
        };
        let sum = self.modalities.iter().map(loss).reduce(|a, b| a + b)?;
        Some(sum * self.config.reg_features)
    }
}

impl Backbone for Freedom {
    fn forward(&self, pass: &Pass) -> Tables {
        let Tables { users, items, .. } = self.behaviour(pass);
        let items = items + pass.select_items(self.similar(pass));
        let extra = self.own_loss(pass, &users);
        Tables { users, items, extra }
    }

    fn encode(&self, request: &Request) -> Encoded {
        if !self.config.ablate_graph {
            return encode_once(self, request);
        }
        let mut encoded = Encoded::default();
        let Some(&first) = request.ablations.first() else { return encoded };
        let Tables { users, items, .. } = self.behaviour(&request.pass(first));
        for &ablation in request.ablations {
            let pass = request.pass(ablation);
            encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
            let rows = items.clone() + pass.select_items(self.similar(&pass));
            encoded.blocks.push(Block::varying(users.clone(), rows));
            encoded.extra = encoded.extra.or_else(|| self.own_loss(&pass, &users));
        }
        encoded
    }
}

// A share of the interactions, drawn with a preference for those of the unpopular.

/// Draws `floor(T (1 - drop))` of `T` interactions without replacement, with probabilities proportional to
/// `1 / sqrt(deg_u deg_i)`, and normalises what is left by its own degrees.
///
/// One interaction after the other, each among those left, is the same as giving each a time that is
/// exponential with its weight as rate and taking the earliest (Efraimidis & Spirakis 2006).
struct EdgeSample {
    sizes: (usize, usize),
    pairs: Vec<(u32, u32)>,
    /// `sqrt(deg_u deg_i)` per interaction: the mean of its time.
    means: Vec<f64>,
    kept: usize,
    resample: u64,
    last: Mutex<Option<Drawn>>,
}

/// The draw of one seed and one span of steps.
struct Drawn {
    of: (Seed, u64),
    graph: Arc<Propagation>,
}

impl EdgeSample {
    /// Of the interactions of a graph, drawn anew after every `resample` steps.
    fn new(graph: &Bipartite, drop: f64, resample: u64) -> EdgeSample {
        let users = graph.n_users();
        let of_user = |u: usize| graph.neighbours(u).iter().map(move |&node| (u as u32, node - users as u32));
        let pairs: Vec<(u32, u32)> = (0..users).flat_map(of_user).collect();
        let mean = |&(u, i): &(u32, u32)| {
            let degrees = graph.degree(u as usize) * graph.degree(users + i as usize);
            (degrees as f64).sqrt()
        };
        let means = pairs.iter().map(mean).collect();
        // 10 * (1 - 0.8) is 2, not 1.9999999999999996.
        let kept = (pairs.len() as f64 * (1.0 - drop) + 1e-6) as usize;
        let sizes = (users, graph.n_items());
        EdgeSample { sizes, pairs, means, kept, resample, last: Mutex::new(None) }
    }

    /// The normalised adjacency of the interactions kept at this step: the same for all steps of a span.
    fn graph(&self, seed: Seed, step: u64) -> Arc<Propagation> {
        let of = (seed, step / self.resample);
        // A panic elsewhere leaves the last whole draw or none: sound either way.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(drawn) = last.as_ref().filter(|drawn| drawn.of == of) {
            return drawn.graph.clone();
        }
        let kept = self.draw(&mut seed.stream(&format!("dropout/{}/edges", of.1)));
        let (kept, _) = Interactions::from_pairs(self.sizes.0, self.sizes.1, &kept);
        let graph = Arc::new(Propagation::new(Bipartite::new(&kept).normalised(Normalisation::Sym)));
        *last = Some(Drawn { of, graph: graph.clone() });
        graph
    }

    /// The interactions kept.
    fn draw(&self, stream: &mut Stream) -> Vec<(u32, u32)> {
        let mut times: Vec<(f64, usize)> =
            self.means.iter().enumerate().map(|(e, mean)| (-(1.0 - stream.unit()).ln() * mean, e)).collect();
        if self.kept < times.len() {
            times.select_nth_unstable_by(self.kept, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        }
        times[..self.kept].iter().map(|&(_, e)| self.pairs[e]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// User 0 has all four items, users 1 to 3 have item 0 alone.
    fn sample(drop: f64) -> EdgeSample {
        let pairs = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (2, 0), (3, 0)];
        EdgeSample::new(&Bipartite::new(&Interactions::from_pairs(4, 4, &pairs).0), drop, 10)
    }

    #[test]
    fn keeps_the_floor_of_the_share_each_once() {
        for (drop, kept) in [(0.0, 7), (0.1, 6), (0.5, 3), (6.0 / 7.0, 1), (0.99, 0)] {
            let mut pairs = sample(drop).draw(&mut Seed(1).stream("edges"));
            pairs.sort_unstable();
            pairs.dedup();
            assert_eq!(pairs.len(), kept, "{drop}");
        }
    }

    #[test]
    fn one_edge_is_drawn_in_proportion_to_its_weight() {
        let (sample, mut stream) = (sample(0.85), Seed(3).stream("edges"));
        let draws = 20_000;
        let mut found = [0.0; 7];
        for _ in 0..draws {
            let kept = sample.draw(&mut stream);
            let [pair] = kept[..] else { panic!("one edge of seven") };
            found[sample.pairs.iter().position(|p| *p == pair).expect("an edge")] += 1.0 / f64::from(draws);
        }
        // Degrees 4 and 4 of the first pair, 4 and 1 of the others.
        let (hub, other) = (0.25, 0.5);
        let total = hub + 6.0 * other;
        for (edge, share) in found.iter().enumerate() {
            let expected = if edge == 0 { hub } else { other } / total;
            assert!((share - expected).abs() < 0.012, "{edge}: {share}, expected {expected}");
        }
    }

    #[test]
    fn a_span_of_steps_shares_one_graph_and_the_next_has_another() {
        let sample = sample(0.5);
        let graph = |seed, step| sample.graph(Seed(seed), step);
        assert!(Arc::ptr_eq(&graph(1, 0), &graph(1, 9)));
        let (first, next, other) = (graph(1, 9), graph(1, 10), graph(2, 10));
        assert_ne!(first.matrix(), next.matrix());
        assert_ne!(next.matrix(), other.matrix());
        assert_eq!(first.matrix(), graph(1, 3).matrix(), "drawn again, the same");
    }

    #[test]
    fn what_is_left_is_normalised_by_its_own_degrees() {
        let graph = sample(6.0 / 7.0).graph(Seed(1), 0);
        assert_eq!(graph.matrix().values(), [1.0, 1.0], "one pair, once in each direction");
    }
}
