//! The layers of one channel.

use super::degree_classes::DegreeClasses;
use super::targets::Targets;
use super::{Combination, Config};
use crate::parts::{Build, Content, Linear};
use crate::requested::RequestedNodes;
use crate::{Mode, Pass, Tables};
use burn::tensor::Tensor;
use equipoise_nn::{blend, collect, init, leaky_relu, normalise_rows, propagate, stack};

/// What the layers of all channels read in one evaluation.
pub(super) struct Scope<'a> {
    config: &'a Config,
    pass: Pass<'a>,
    /// Of every layer but the last, and of the last.
    targets: [Targets; 2],
}

impl<'a> Scope<'a> {
    /// The pass is over everything; its ablation plays no role here. `requested` are the nodes whose last layer is wanted.
    pub(super) fn new(config: &'a Config, pass: Pass<'a>, requested: RequestedNodes) -> Scope<'a> {
        let ids = collect(stack(pass.users("user.id"), pass.items("item.id")));
        let all = Targets::all(&pass.inputs().graphs, config.normalisation, ids);
        let last = all.requested(requested);
        Scope { config, pass, targets: [all, last] }
    }

    /// Whether this evaluation drops entries.
    pub(super) fn drops(&self) -> bool {
        self.config.dropout > 0.0 && self.pass.mode() == Mode::Training
    }

    /// The rows of users and of items of a channel or a mean of channels.
    pub(super) fn tables(&self, nodes: Tensor<2>) -> Tables {
        self.targets[1].nodes().tables(nodes)
    }

    /// The nodes of layer `l`.
    fn targets(&self, l: usize) -> &Targets {
        &self.targets[usize::from(l == self.config.layers)]
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

    /// `C_m` from `H_0`, its requested rows.
    pub(super) fn run(&self, scope: &Scope, start: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(start, |state, layer| layer.run(scope, state))
    }

    /// The same for the silenced channel, with the first layer done once per kind of node.
    pub(super) fn run_by_class(&self, scope: &Scope, classes: &DegreeClasses) -> Tensor<2> {
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

    /// Equation (2), by `A (H Wc^T + 1 bc^T) = (A H) Wc^T + A 1 bc^T`: rows that nobody reads go through no map.
    fn near(&self, pass: &Pass, targets: &Targets, state: Tensor<2>) -> Tensor<2> {
        let heard = propagate(targets.adjacency(), state);
        match targets.row_sums() {
            None => self.conv.apply_leaky(pass, heard),
            Some(sums) => leaky_relu(self.conv.apply_with_shares(pass, heard, sums)),
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
