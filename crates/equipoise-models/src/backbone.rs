//! The trait that every backbone implements, and what a pass reads.

use crate::{Ablation, Block, Encoded, Inputs, RowSet, View};
use burn::tensor::Tensor;
use equipoise_nn::{Values, gather_rows, project_rows};

/// Whether a pass is part of training (dropout on, gradients recorded) or of inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Part of a training step.
    Training,
    /// Evaluation, teacher tables, serving.
    Inference,
}

/// Two tables whose inner product is the score: `users [n, D]`, `items [n', D]`.
pub struct Tables {
    /// Row `k` belongs to the `k`-th user asked for.
    pub users: Tensor<2>,
    /// Row `k` belongs to the `k`-th item asked for.
    pub items: Tensor<2>,
}

/// What is asked of a backbone in one step: all ablations at once, so that it can share work.
pub struct Request<'a> {
    /// Its parameters.
    pub values: &'a Values<'a>,
    /// Sizes and features.
    pub inputs: &'a Inputs,
    /// The ablations wanted, distinct.
    pub ablations: &'a [Ablation],
    /// The users whose rows are needed.
    pub users: &'a RowSet,
    /// The items whose rows are needed.
    pub items: &'a RowSet,
    /// Whether blocks that are constant over users and items are wanted as well. They move no margin and no
    /// ranking; only a penalty on final rows sees them.
    pub constants: bool,
    /// Training or inference.
    pub mode: Mode,
    /// Number of the step: backbones with dropout derive their masks from it, the same for every ablation.
    pub step: u64,
}

impl<'a> Request<'a> {
    /// One plain pass of this request.
    pub fn pass(&'a self, ablation: Ablation) -> Pass<'a> {
        Pass { request: self, ablation }
    }
}

/// One plain forward pass: parameters and inputs with one ablation already applied.
pub struct Pass<'a> {
    request: &'a Request<'a>,
    ablation: Ablation,
}

impl Pass<'_> {
    /// Sizes and features.
    pub fn inputs(&self) -> &Inputs {
        self.request.inputs
    }

    /// Training or inference.
    pub fn mode(&self) -> Mode {
        self.request.mode
    }

    /// Number of the step.
    pub fn step(&self) -> u64 {
        self.request.step
    }

    /// What is silenced.
    pub fn ablation(&self) -> Ablation {
        self.ablation
    }

    /// A whole parameter table.
    pub fn table(&self, name: &str) -> Tensor<2> {
        self.request.values.get(name)
    }

    /// The asked-for users' rows of a table with one row per user. For id tables: never silenced.
    pub fn users(&self, name: &str) -> Tensor<2> {
        pick(self.table(name), self.request.users)
    }

    /// The asked-for items' rows of a table with one row per item. For id tables: never silenced.
    pub fn items(&self, name: &str) -> Tensor<2> {
        pick(self.table(name), self.request.items)
    }

    /// The asked-for users' preferences of modality `m`; when `m` is silenced, the mean over all users in
    /// every row. Gradients flow through the mean.
    pub fn preferences(&self, m: usize, name: &str) -> Tensor<2> {
        if !self.ablation.silences(m) {
            return self.users(name);
        }
        repeat(mean_preference(self.table(name)), self.request.users.len())
    }

    /// `W e_i^m + b` for the asked-for items; when `m` is silenced, of the mean feature row in every row.
    pub fn projected(&self, m: usize, weight: &str, bias: &str) -> Tensor<2> {
        let modality = &self.request.inputs.modalities[m];
        let (weight, bias) = (self.table(weight), self.table(bias));
        if !self.ablation.silences(m) {
            return project_rows(weight, bias, &modality.features, self.request.items.rows());
        }
        repeat(project_mean(self.request.inputs, m, weight, bias), self.request.items.len())
    }
}

/// `p_bar^m = (1/U) sum_u p_u^m`, shape `[1, h]`.
pub(crate) fn mean_preference(table: Tensor<2>) -> Tensor<2> {
    table.mean_dim(0)
}

/// `pi_m(e_bar^m) = W e_bar^m + b`, shape `[1, d]`.
pub(crate) fn project_mean(inputs: &Inputs, m: usize, weight: Tensor<2>, bias: Tensor<2>) -> Tensor<2> {
    project_rows(weight, bias, &inputs.modalities[m].mean, RowSet::all(1).rows())
}

pub(crate) fn pick(table: Tensor<2>, rows: &RowSet) -> Tensor<2> {
    if rows.is_all() { table } else { gather_rows(table, rows.rows()) }
}

fn repeat(row: Tensor<2>, times: usize) -> Tensor<2> {
    let width = row.dims()[1];
    row.expand([times, width])
}

/// A multimodal recommender whose score is `<Y_u, Z_i>`.
///
/// Only [`forward`](Backbone::forward) must be written: a backbone that has nothing else is correct at once
/// under every balancer. [`encode`](Backbone::encode) is there to share work between ablations; whatever it
/// does must equal the default, outputs and gradients.
pub trait Backbone: Send + Sync {
    /// One plain pass: the tables of the asked-for users and items under the pass's ablation.
    fn forward(&self, pass: &Pass) -> Tables;

    /// All ablations of one step. The default makes one plain pass for each.
    fn encode(&self, request: &Request) -> Encoded {
        encode_naively(self, request)
    }

    /// The backbone's own terms (contrastive losses, regularisers) on the full pass, shape `[1]`.
    fn extra_losses(&self, _request: &Request) -> Option<Tensor<1>> {
        None
    }
}

/// One plain pass for each ablation: the meaning of [`Backbone::encode`], against which a shared path is tested.
pub fn encode_naively<B: Backbone + ?Sized>(backbone: &B, request: &Request) -> Encoded {
    let (mut blocks, mut views) = (Vec::new(), Vec::new());
    for &ablation in request.ablations {
        let Tables { users, items } = backbone.forward(&request.pass(ablation));
        views.push(View { ablation, blocks: vec![blocks.len()] });
        blocks.push(Block::varying(users, items));
    }
    Encoded { blocks, views }
}
