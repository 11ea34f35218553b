//! The layers of one channel.

use super::alike::Alike;
use super::{Combination, Config};
use crate::nodes::split;
use crate::parts::{Build, Content, Linear};
use crate::{Mode, Pass};
use burn::tensor::Tensor;
use equipoise_nn::{
    Propagation, Rows, blend, collect, gather_rows, init, leaky_relu, normalise_rows, propagate, stack,
};
use std::sync::Arc;

/// What the layers of all channels read in one evaluation.
pub(super) struct Scope<'a> {
    config: &'a Config,
    pass: Pass<'a>,
    adjacency: Arc<Propagation>,
    /// `ID`, users then items.
    ids: Tensor<2>,
    /// Its rows that the last layer reads.
    asked_ids: Tensor<2>,
    /// Nodes whose last layer is wanted and how many of them are users; `None` for all nodes.
    asked: Option<(Rows, usize)>,
}

impl<'a> Scope<'a> {
    /// The pass is over everything; its ablation plays no role here.
    pub(super) fn new(config: &'a Config, pass: Pass<'a>, asked: Option<(Rows, usize)>) -> Scope<'a> {
        let adjacency = pass.inputs().graphs.propagation(config.normalisation);
        let ids = collect(stack(pass.users("user.id"), pass.items("item.id")));
        let asked_ids = asked.as_ref().map(|(rows, _)| collect(gather_rows(ids.clone(), rows)));
        let asked_ids = asked_ids.unwrap_or_else(|| ids.clone());
        Scope { config, pass, adjacency, ids, asked_ids, asked }
    }

    /// Whether this evaluation drops entries.
    pub(super) fn drops(&self) -> bool {
        self.config.dropout > 0.0 && self.pass.mode() == Mode::Training
    }

    /// The rows of users and of items of a channel or a mean of channels.
    pub(super) fn split(&self, nodes: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let users = self.asked.as_ref().map_or(self.pass.inputs().n_users, |(_, users)| *users);
        split(nodes, users)
    }

    /// The rows of `ID` that layer `l` reads.
    fn ids(&self, l: usize) -> Tensor<2> {
        if l == self.config.layers { self.asked_ids.clone() } else { self.ids.clone() }
    }

    /// After layer `l` only what was asked for is read, if `l` is the last.
    fn keep(&self, l: usize, nodes: Tensor<2>) -> Tensor<2> {
        match &self.asked {
            Some((rows, _)) if l == self.config.layers => gather_rows(nodes, rows),
            _ => nodes,
        }
    }
}

/// One modality's channel.
pub(super) struct Channel {
    content: Content,
    layers: Vec<Layer>,
}

impl Channel {
    pub(super) fn new(m: usize, config: &Config, b: &mut Build) -> Channel {
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
    pub(super) fn start(&self, pass: &Pass) -> Tensor<2> {
        normalise_rows(stack(self.content.preferences(pass), self.content.projected(pass)))
    }

    /// `C_m` from `H_0`, its asked-for rows.
    pub(super) fn run(&self, scope: &Scope, start: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(start, |state, layer| layer.run(scope, state))
    }

    /// The same for the silenced channel, with the first layer done once per kind of node.
    pub(super) fn run_alike(&self, scope: &Scope, alike: &Alike) -> Tensor<2> {
        let pass = &scope.pass;
        let sides =
            normalise_rows(stack(self.content.mean_preference(pass), self.content.projected_mean(pass)));
        let state = self.layers[0].run_alike(scope, alike, sides);
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
        let (pass, keep) = (&scope.pass, |nodes| scope.keep(self.l, nodes));
        let state = collect(pass.dropout(state, scope.config.dropout, &self.site));
        let near = propagate(&scope.adjacency, self.conv.apply(pass, state.clone()));
        let near = leaky_relu(keep(near));
        let own = blend(self.own.apply_leaky(pass, keep(state)), scope.ids(self.l), 1.0);
        match self.combination {
            Combination::Elementwise => self.combine.add_leaky(pass, near, own),
            Combination::Concat => self.combine.apply_leaky(pass, Tensor::cat(vec![near, own], 1)),
        }
    }

    /// The same where users have one row and items another, `sides` of `2 x d`.
    fn run_alike(&self, scope: &Scope, alike: &Alike, sides: Tensor<2>) -> Tensor<2> {
        let (pass, keep) = (&scope.pass, |nodes| scope.keep(self.l, nodes));
        let near = leaky_relu(alike.received(self.conv.apply(pass, sides.clone())));
        let own = alike.own(self.own.apply_leaky(pass, sides));
        let of_kinds = match self.combination {
            Combination::Elementwise => self.combine.apply(pass, near) + own,
            Combination::Concat => self.combine.apply(pass, Tensor::cat(vec![near, own], 1)),
        };
        leaky_relu(blend(keep(alike.to_nodes(of_kinds)), self.of_ids(pass, scope.ids(self.l)), 1.0))
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
