//! MMGCN: one graph network per modality, each reading the same id embeddings (Wei et al., ACM MM 2019), with
//! the choices made for the experiments of counterfactual knowledge distillation (ACM MM 2024) as defaults.
//!
//! # Equations
//! Nodes are users then items, `N = U + I`; `LR(x) = max(x, 0.01 x)`, `A` the normalised adjacency, `N x N`.
//! ```text
//! ID    = [ X_U ; X_I ]                                            N x d
//! H_0   = rows of [ P^m ; E^m W_m^T + 1 b_m ] divided by their norm   N x d                            (1)
//! H     = LR( A ( H_(l-1) Wc_l^T + 1 bc_l ) )                      what the neighbours say             (2)
//! Xh    = LR( H_(l-1) Ws_l^T + 1 bs_l ) + ID                       what the node says                  (3)
//! H_l   = LR( H Wg_l^T + 1 bg_l + Xh )                             elementwise                         (4)
//! H_l   = LR( [ H , Xh ] Wg_l^T + 1 bg_l )                         concat                              (5)
//! C_m   = H_L;   [ Y ; Z ] = (1/n) sum_m C_m                       D = d                               (6)
//! ```
//! (1) to (5) are done for each modality `m` with parameters of its own, `l = 1..L`; (6) joins the channels.
//!
//! | symbol | parameter | shape | initial values |
//! |---|---|---|---|
//! | `X_U`, `X_I` | `user.id`, `item.id` | `U x d`, `I x d` | Xavier uniform |
//! | `P^m` | `user.<m>` | `U x d` | Xavier normal |
//! | `W_m`, `b_m` | `weight.<m>`, `bias.<m>` | `d x d_m`, `1 x d` | `U(-1/sqrt(d_m), 1/sqrt(d_m))` |
//! | `Wc_l`, `bc_l` | `conv.<m>.<l>.weight`, `.bias` | `d x d`, `1 x d` | `U(-1/sqrt(d), 1/sqrt(d))` |
//! | `Ws_l`, `bs_l` | `self.<m>.<l>.weight`, `.bias` | `d x d`, `1 x d` | `U(-1/sqrt(d), 1/sqrt(d))` |
//! | `Wg_l`, `bg_l` | `combine.<m>.<l>.weight`, `.bias` | `d x k`, `1 x d` | `U(-1/sqrt(k), 1/sqrt(k))` |
//!
//! with `k = d`, or `2 d` under concat. The bias `bc_l` is inside the propagation: a node without neighbours
//! receives exactly 0 under `rw`, and under `sym` the bias is scaled by the row sum of `A`. Propagation comes first,
//! `H = LR( (A H_(l-1)) Wc_l^T + (A 1) bc_l )`, which is the same and maps only rows that are read.
//!
//! # Ablation
//! Channels meet only in the mean (6), so each is computed at most twice, real and silenced, and every ablation
//! is the mean of a choice among these `2 n` tables. Scores have cross terms `<C_m[u], C_k[i]>` and are not
//! additive. A silenced channel still varies between nodes of one side, because `ID` enters at every layer.
//!
//! Its first layer sees one row for all users and one for all items. Under `rw_plus` a node of degree `k`
//! receives `1/(k+1)` of its own side's row and `k/(k+1)` of the other's; under `rw` the other's, or 0 if it has
//! no neighbour. So (2) to (4) without `ID` are computed once per side and degree and handed out to the nodes;
//! (4) and (5) are linear in `Xh` inside the activation, where `ID` is added per node. Under `sym` the weights
//! depend on the neighbours' degrees too, and under dropout the rows differ: both take the plain path.
//!
//! The last layer is done for the users and items requested only, with their rows of `A`.
//!
//! # Variants
//! | setting | first author's code | code of the 2024 experiments | default |
//! |---|---|---|---|
//! | `normalisation` | `rw` | `rw_plus` | `rw_plus` |
//! | `combination` | `concat` | `elementwise` | `elementwise` |
//! | `layers` | 3 | 3 | 3 |
//! | `train_preferences` | never updated | never updated | updated, as the text of 2024 has it |
//!
//! The first author's code differs besides in what is no setting here: its first layer has the width of the
//! features or of a wider projection, its aggregation has no bias, its id embeddings are never updated, and it
//! scores with the tables of the last training step, one update old.
//!
//! # Configuration
//! | name | default | purpose | range |
//! |---|---|---|---|
//! | `width` | 64 | width `d` of every layer | 1 to 4096 |
//! | `layers` | 3 | number of layers `L` | 1 to 8 |
//! | `normalisation` | `rw_plus` | weights of neighbours in `A` | `rw_plus`, `rw`, `sym` |
//! | `combination` | `elementwise` | equation (4) or (5) | `elementwise`, `concat` |
//! | `train_preferences` | true | whether `P^m` learns; if not, it stays as drawn | true, false |
//! | `dropout` | 0 | share of the entries of each `H_(l-1)` dropped in training | 0 to below 1 |

use crate::entry::{AblationEffect, BackboneSettings};
use crate::nodes::mean;
use crate::parts::{Build, Content, Linear};
use crate::requested::RequestedNodes;
use crate::{Ablation, Backbone, Block, Encoded, Graphs, Mode, Pass, Request, Tables, View, ranges};
use burn::tensor::{Tensor, TensorData};
use equipoise_data::FieldError;
use equipoise_data::Interactions;
use equipoise_data::graph::{Bipartite, Csr, Normalisation};
use equipoise_nn::{Propagation, blend, collect, init, leaky_relu, normalise_rows, propagate, stack};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How a layer joins what the neighbours say with what the node says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combination {
    /// Added, after a linear map of the neighbours' part: equation (4).
    #[default]
    Elementwise,
    /// Side by side through one linear map: equation (5).
    Concat,
}

/// MMGCN's settings; see the [module documentation](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Number of layers `L`.
    pub layers: usize,
    /// Weights of neighbours.
    pub normalisation: Normalisation,
    /// How a layer joins its two parts.
    pub combination: Combination,
    /// Whether the preferences learn.
    pub train_preferences: bool,
    /// Share of the entries of each layer's input dropped in training.
    pub dropout: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            layers: 3,
            normalisation: Normalisation::RwPlus,
            combination: Combination::Elementwise,
            train_preferences: true,
            dropout: 0.0,
        }
    }
}

struct Mmgcn {
    config: Config,
    channels: Vec<Channel>,
    /// `None` where a silenced channel's first layer has more distinct rows than this can hold.
    classes: Option<DegreeClasses>,
}

impl BackboneSettings for Config {
    const NAME: &'static str = "mmgcn";
    const TITLE: &'static str = "MMGCN";
    const SOURCE: &'static str = "Wei et al., ACM MM 2019";
    const SUMMARY: &'static str = "one graph network per modality over shared id embeddings, averaged";
    const ABLATION_EFFECT: AblationEffect = AblationEffect::Inputs;

    fn check(&self) -> Result<(), FieldError> {
        let Config { layers, dropout, .. } = *self;
        ranges::expect("layers", layers, (1..=8).contains(&layers), "1 to 8")?;
        ranges::below_one("dropout", dropout)
    }

    fn build(&self, b: &mut Build) -> Box<dyn Backbone> {
        let config = self.clone();
        b.ids(init::xavier_uniform);
        let channels = (0..b.n_modalities()).map(|m| Channel::new(m, &config, b)).collect();
        let classes = DegreeClasses::new(b.inputs.graphs.bipartite(), config.normalisation);
        Box::new(Mmgcn { config, channels, classes })
    }
}

impl Backbone for Mmgcn {
    fn forward(&self, pass: &Pass) -> Tables {
        let everything = pass.everything();
        let scope = Scope::new(&self.config, everything, RequestedNodes::all(pass.inputs().n_users));
        let channels = self.channels.iter().map(|c| c.run(&scope, c.start(&everything)));
        let Tables { users, items, .. } = scope.tables(mean(channels));
        pass.select(users, items)
    }

    fn encode(&self, request: &Request) -> Encoded {
        let pass = request.pass(Ablation::FULL).everything();
        let scope = Scope::new(&self.config, pass, RequestedNodes::of(request));
        let wanted = |m, silenced| request.ablations.iter().any(|a| a.silences(m) == silenced);
        let cached = self.channels.iter().enumerate().map(|(m, c)| {
            let real = wanted(m, false).then(|| collect(c.run(&scope, c.start(&pass))));
            [real, wanted(m, true).then(|| collect(self.silenced(m, request, &scope)))]
        });
        let cached: Vec<[Option<Tensor<2>>; 2]> = cached.collect();
        let mut encoded = Encoded::default();
        for &ablation in request.ablations {
            let choice = |(m, both): (usize, &[Option<Tensor<2>>; 2])| {
                both[usize::from(ablation.silences(m))].clone().expect("made for this ablation")
            };
            let Tables { users, items, .. } = scope.tables(mean(cached.iter().enumerate().map(choice)));
            encoded.views.push(View { ablation, blocks: vec![encoded.blocks.len()] });
            encoded.blocks.push(Block::varying(users, items));
        }
        encoded
    }
}

impl Mmgcn {
    /// The channel of modality `m` from its mean inputs.
    fn silenced(&self, m: usize, request: &Request, scope: &Scope) -> Tensor<2> {
        let channel = &self.channels[m];
        match &self.classes {
            Some(classes) if !scope.drops() => channel.run_by_class(scope, classes),
            _ => channel.run(scope, channel.start(&request.pass(Ablation::without(m)).everything())),
        }
    }
}

// The layers of one channel.

/// What the layers of all channels read in one evaluation.
struct Scope<'a> {
    config: &'a Config,
    pass: Pass<'a>,
    /// Of every layer but the last, and of the last.
    targets: [Targets; 2],
}

impl<'a> Scope<'a> {
    /// The pass is over everything; its ablation plays no role here. `requested` are the nodes whose last layer is wanted.
    fn new(config: &'a Config, pass: Pass<'a>, requested: RequestedNodes) -> Scope<'a> {
        let ids = collect(stack(pass.users("user.id"), pass.items("item.id")));
        let all = Targets::all(&pass.inputs().graphs, config.normalisation, ids);
        let last = all.requested(requested);
        Scope { config, pass, targets: [all, last] }
    }

    /// Whether this evaluation drops entries.
    fn drops(&self) -> bool {
        self.config.dropout > 0.0 && self.pass.mode() == Mode::Training
    }

    /// The rows of users and of items of a channel or a mean of channels.
    fn tables(&self, nodes: Tensor<2>) -> Tables {
        self.targets[1].nodes().tables(nodes)
    }

    /// The nodes of layer `l`.
    fn targets(&self, l: usize) -> &Targets {
        &self.targets[usize::from(l == self.config.layers)]
    }
}

/// One modality's channel.
struct Channel {
    content: Content,
    layers: Vec<Layer>,
}

impl Channel {
    fn new(m: usize, config: &Config, b: &mut Build) -> Channel {
        b.preferences(m, init::xavier_normal);
        let name = &b.inputs.modalities[m].name;
        if !config.train_preferences {
            b.parameters.freeze(&format!("user.{name}"));
        }
        let content = b.projection(m);
        let layers = (1..=config.layers).map(|l| Layer::new(m, l, config.combination, b)).collect();
        Channel { content, layers }
    }

    /// `H_0`, equation (1), from the pass's preferences and projections.
    fn start(&self, pass: &Pass) -> Tensor<2> {
        normalise_rows(stack(self.content.preferences(pass), self.content.projected(pass)))
    }

    /// `C_m` from `H_0`, its requested rows.
    fn run(&self, scope: &Scope, start: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(start, |state, layer| layer.run(scope, state))
    }

    /// The same for the silenced channel, with the first layer done once per kind of node.
    fn run_by_class(&self, scope: &Scope, classes: &DegreeClasses) -> Tensor<2> {
        let pass = &scope.pass;
        let sides =
            normalise_rows(stack(self.content.mean_preference(pass), self.content.projected_mean(pass)));
        let state = self.layers[0].run_by_class(scope, classes, sides);
        self.layers[1..].iter().fold(state, |state, layer| layer.run(scope, state))
    }
}

struct Layer {
    /// Counted from 1.
    l: usize,
    conv: Linear,
    own: Linear,
    combine: Linear,
    combination: Combination,
    /// Name of the combination's weight.
    weight: String,
    /// Name of its dropout mask: the same whatever is silenced.
    site: String,
}

impl Layer {
    fn new(m: usize, l: usize, combination: Combination, b: &mut Build) -> Layer {
        let (d, modality) = (b.width, b.inputs.modalities[m].name.clone());
        let fan_in = if combination == Combination::Concat { 2 * d } else { d };
        let mut linear = |kind, fan_in| b.linear(&format!("{kind}.{modality}.{l}"), b.group(m), [d, fan_in]);
        Layer {
            l,
            conv: linear("conv", d),
            own: linear("self", d),
            combine: linear("combine", fan_in),
            combination,
            weight: format!("combine.{modality}.{l}.weight"),
            site: format!("mmgcn/{modality}/{l}"),
        }
    }

    /// Equations (2) to (5).
    fn run(&self, scope: &Scope, state: Tensor<2>) -> Tensor<2> {
        let (pass, targets) = (&scope.pass, scope.targets(self.l));
        let state = collect(pass.dropout(state, scope.config.dropout, &self.site));
        let near = self.near(pass, targets, state.clone());
        let (own, ids) = (self.own.apply_leaky(pass, targets.nodes().rows_of(state)), targets.ids());
        match self.combination {
            Combination::Elementwise => self.combine.add_leaky(pass, near, [own, ids]),
            Combination::Concat => {
                self.combine.apply_leaky(pass, Tensor::cat(vec![near, blend(own, ids, 1.0)], 1))
            }
        }
    }

    /// The same where users have one row and items another, `sides` of `2 x d`.
    fn run_by_class(&self, scope: &Scope, classes: &DegreeClasses, sides: Tensor<2>) -> Tensor<2> {
        let (pass, targets) = (&scope.pass, scope.targets(self.l));
        let near = leaky_relu(classes.received(self.conv.apply(pass, sides.clone())));
        let own = classes.own(self.own.apply_leaky(pass, sides));
        let of_kinds = match self.combination {
            Combination::Elementwise => self.combine.apply(pass, near) + own,
            Combination::Concat => self.combine.apply(pass, Tensor::cat(vec![near, own], 1)),
        };
        let of_nodes = targets.nodes().rows_of(classes.to_nodes(of_kinds));
        leaky_relu(blend(of_nodes, self.of_ids(pass, targets.ids()), 1.0))
    }

    /// Equation (2), by `A (H Wc^T + 1 bc^T) = (A H) Wc^T + A 1 bc^T`: only rows that are read are mapped.
    fn near(&self, pass: &Pass, targets: &Targets, state: Tensor<2>) -> Tensor<2> {
        let received = propagate(targets.adjacency(), state);
        match targets.row_sums() {
            None => self.conv.apply_leaky(pass, received),
            Some(sums) => leaky_relu(self.conv.apply_with_shares(pass, received, sums)),
        }
    }

    /// What `ID` adds to it: (4) and (5) are linear in `Xh`.
    fn of_ids(&self, pass: &Pass, ids: Tensor<2>) -> Tensor<2> {
        match self.combination {
            Combination::Elementwise => ids,
            Combination::Concat => {
                let d = ids.dims()[1];
                ids.matmul(pass.table(&self.weight).narrow(1, d, d).transpose())
            }
        }
    }
}

// The nodes that a layer makes: all, or in the last layer those that are requested.

/// Some nodes, and what they read besides the state before.
#[derive(Clone)]
struct Targets {
    nodes: RequestedNodes,
    by: Normalisation,
    /// Their rows of `A`.
    adjacency: Arc<Propagation>,
    /// `A 1`, one column; `None` where it is 1.
    row_sums: Option<Tensor<2>>,
    /// Their rows of `ID`.
    ids: Tensor<2>,
}

impl Targets {
    /// All nodes; `ids` are those of users, then of items.
    fn all(graphs: &Graphs, by: Normalisation, ids: Tensor<2>) -> Targets {
        let nodes = RequestedNodes::all(graphs.bipartite().n_users());
        Targets::new(nodes, by, graphs.propagation(by), ids)
    }

    /// Of these, those that are requested.
    fn requested(&self, requested: RequestedNodes) -> Targets {
        let Some(rows) = requested.rows() else { return self.clone() };
        let adjacency = Arc::new(self.adjacency.of_rows(rows));
        let ids = collect(requested.rows_of(self.ids.clone()));
        Targets::new(requested, self.by, adjacency, ids)
    }

    fn new(nodes: RequestedNodes, by: Normalisation, adjacency: Arc<Propagation>, ids: Tensor<2>) -> Targets {
        let row_sums = (by != Normalisation::RwPlus).then(|| {
            let sums = row_sums(adjacency.matrix());
            let shape = [sums.len(), 1];
            Tensor::from_data(TensorData::new(sums, shape), &ids.device())
        });
        Targets { nodes, by, adjacency, row_sums, ids }
    }

    fn nodes(&self) -> &RequestedNodes {
        &self.nodes
    }

    fn adjacency(&self) -> &Arc<Propagation> {
        &self.adjacency
    }

    /// What a constant of 1 becomes by propagation; `None` if 1 everywhere.
    fn row_sums(&self) -> Option<Tensor<2>> {
        self.row_sums.clone()
    }

    fn ids(&self) -> Tensor<2> {
        self.ids.clone()
    }
}

fn row_sums(matrix: &Csr) -> Vec<f32> {
    let sum = |row| matrix.row(row).map(|(_, value)| f64::from(value)).sum::<f64>() as f32;
    (0..matrix.n()).map(sum).collect()
}

// Nodes that a silenced channel's first layer cannot tell apart.

/// Where every user has one row and every item another, what a node receives depends on its side and its degree
/// alone: its kind. There are at most a few hundred kinds, whatever the number of nodes.
struct DegreeClasses {
    /// `N x K`, one 1 per row: the kind of each node.
    members: Arc<Propagation>,
    /// `K x 2`: how much of the users' and of the items' row a kind receives.
    received: Vec<f32>,
    /// `K x 2`, one 1 per row: its own side.
    own: Vec<f32>,
}

/// Side (whether an item) and the degree as far as it matters.
type Kind = (bool, usize);

impl DegreeClasses {
    /// `None` under `sym`, where a node receives by its neighbours' degrees.
    fn new(graph: &Bipartite, by: Normalisation) -> Option<DegreeClasses> {
        let degree = |node| match by {
            Normalisation::RwPlus => Some(graph.degree(node)),
            // A mean over equal rows: whether there is any is all that matters.
            Normalisation::Rw => Some(graph.degree(node).min(1)),
            Normalisation::Sym => None,
        };
        let kind = |node| Some((node >= graph.n_users(), degree(node)?));
        let of_nodes = (0..graph.n_nodes()).map(kind).collect::<Option<Vec<Kind>>>()?;
        let mut kinds = of_nodes.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let received = kinds.iter().flat_map(|&(item, degree)| by_side(item, shares(by, degree)));
        let own = kinds.iter().flat_map(|&(item, _)| by_side(item, [1.0, 0.0]));
        Some(DegreeClasses {
            received: received.collect(),
            own: own.collect(),
            members: members(&of_nodes, &kinds),
        })
    }

    /// What each kind receives of the rows of the two sides: `[2, d] -> [K, d]`.
    fn received(&self, sides: Tensor<2>) -> Tensor<2> {
        mix(&self.received, sides)
    }

    /// The row of each kind's own side: `[2, d] -> [K, d]`.
    fn own(&self, sides: Tensor<2>) -> Tensor<2> {
        mix(&self.own, sides)
    }

    /// Each node's row from those of the kinds: `[K, d] -> [N, d]`.
    fn to_nodes(&self, kinds: Tensor<2>) -> Tensor<2> {
        propagate(&self.members, kinds)
    }
}

fn mix(weights: &[f32], sides: Tensor<2>) -> Tensor<2> {
    let weights = TensorData::new(weights.to_vec(), [weights.len() / 2, 2]);
    Tensor::<2>::from_data(weights, &sides.device()).matmul(sides)
}

/// Shares of the own and of the other side's row in what a node of this degree receives.
fn shares(by: Normalisation, degree: usize) -> [f32; 2] {
    let k = degree as f64;
    match by {
        Normalisation::RwPlus => [(1.0 / (k + 1.0)) as f32, (k / (k + 1.0)) as f32],
        Normalisation::Rw | Normalisation::Sym => [0.0, k as f32],
    }
}

/// `[own, other]` as `[users, items]`.
fn by_side(item: bool, [own, other]: [f32; 2]) -> [f32; 2] {
    if item { [other, own] } else { [own, other] }
}

/// A mean over the one kind that a node has: weight 1.
fn members(of_nodes: &[Kind], kinds: &[Kind]) -> Arc<Propagation> {
    let position = |kind| kinds.binary_search(kind).expect("every node's kind is listed") as u32;
    let pairs: Vec<(u32, u32)> = (0..).zip(of_nodes.iter().map(position)).collect();
    let (pairs, _) = Interactions::from_pairs(of_nodes.len(), kinds.len(), &pairs);
    Arc::new(Propagation::new(Bipartite::new(&pairs).user_block(Normalisation::Rw)))
}
