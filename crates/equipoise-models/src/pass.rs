//! One plain forward pass: parameters and inputs with one ablation already applied.

use crate::{Ablation, BatchTriples, Inputs, Mode, Request, RowSet};
use burn::tensor::{Tensor, TensorData};
use equipoise_data::Seed;
use equipoise_nn::{gather_rows, project_rows};

/// Two tables whose inner product is the score: `users [n, D]`, `items [n', D]`.
pub struct Tables {
    /// Row `k` belongs to the `k`-th user requested.
    pub users: Tensor<2>,
    /// Row `k` belongs to the `k`-th item requested.
    pub items: Tensor<2>,
    /// The backbone's own loss of this pass, shape `[1]`; see [`Pass::batch`].
    pub extra: Option<Tensor<1>>,
}

impl Tables {
    /// Tables of a backbone without losses of its own.
    pub fn new(users: Tensor<2>, items: Tensor<2>) -> Tables {
        Tables { users, items, extra: None }
    }
}

/// One plain forward pass. Whatever it hands out has the ablation applied: features and preferences of a
/// silenced modality are their means.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    request: &'a Request<'a>,
    ablation: Ablation,
    users: &'a RowSet,
    items: &'a RowSet,
}

impl<'a> Request<'a> {
    /// One plain pass of this request.
    pub fn pass(&'a self, ablation: Ablation) -> Pass<'a> {
        Pass { request: self, ablation, users: self.users, items: self.items }
    }
}

impl<'a> Pass<'a> {
    /// The same pass over every user and item: what a graph is propagated over. [`select`](Pass::select) then
    /// takes the rows that were requested.
    pub fn everything(&self) -> Pass<'a> {
        let inputs = self.request.inputs;
        Pass { users: inputs.all_users(), items: inputs.all_items(), ..*self }
    }

    /// The requested rows of tables of every user and every item.
    pub fn select(&self, users: Tensor<2>, items: Tensor<2>) -> Tables {
        Tables::new(self.select_users(users), self.select_items(items))
    }

    /// The requested rows of a table of every user.
    pub fn select_users(&self, users: Tensor<2>) -> Tensor<2> {
        pick(users, self.request.users)
    }

    /// The requested rows of a table of every item.
    pub fn select_items(&self, items: Tensor<2>) -> Tensor<2> {
        pick(items, self.request.items)
    }

    /// The users that [`users`](Pass::users) and [`preferences`](Pass::preferences) give rows of.
    pub fn user_rows(&self) -> &'a RowSet {
        self.users
    }

    /// The items that [`items`](Pass::items) and [`projected`](Pass::projected) give rows of.
    pub fn item_rows(&self) -> &'a RowSet {
        self.items
    }

    /// The request.
    pub(crate) fn request(&self) -> &'a Request<'a> {
        self.request
    }

    /// Sizes, features and graph.
    pub fn inputs(&self) -> &'a Inputs {
        self.request.inputs
    }

    /// Training or inference.
    pub fn mode(&self) -> Mode {
        self.request.mode
    }

    /// The seed of this run's dropout and the number of the step. What is drawn from these alone is the same
    /// under every ablation of a step.
    pub fn randomness(&self) -> (Seed, u64) {
        (self.request.dropout, self.request.step)
    }

    /// What is silenced.
    pub fn ablation(&self) -> Ablation {
        self.ablation
    }

    /// The batch, when this pass is the one whose own losses are wanted: part of a training step, under the
    /// ablation that the model is trained under.
    pub fn batch(&self) -> Option<&'a BatchTriples> {
        self.request.batch.filter(|_| self.ablation == self.request.primary)
    }

    /// A whole parameter table.
    pub fn table(&self, name: &str) -> Tensor<2> {
        self.request.values.get(name)
    }

    /// The users' rows of a table with one row per user. For id tables: never silenced.
    pub fn users(&self, name: &str) -> Tensor<2> {
        pick(self.table(name), self.users)
    }

    /// The items' rows of a table with one row per item. For id tables: never silenced.
    pub fn items(&self, name: &str) -> Tensor<2> {
        pick(self.table(name), self.items)
    }

    /// The users' preferences of modality `m`; when `m` is silenced, the mean over all users in every row.
    /// Gradients flow through the mean.
    pub fn preferences(&self, m: usize, name: &str) -> Tensor<2> {
        if !self.ablation.silences(m) {
            return self.users(name);
        }
        repeat(self.mean_preference(name), self.users.len())
    }

    /// `W e_i^m + b` for the items; when `m` is silenced, of the mean feature row in every row.
    pub fn projected(&self, m: usize, weight: &str, bias: &str) -> Tensor<2> {
        self.project(m, weight, Some(bias))
    }

    /// `p_bar^m = (1/U) sum_u p_u^m`, one row.
    pub fn mean_preference(&self, name: &str) -> Tensor<2> {
        self.table(name).mean_dim(0)
    }

    /// `W e_bar^m + b`, one row: the projection of the mean is the mean of the projections.
    pub fn projected_mean(&self, m: usize, weight: &str, bias: &str) -> Tensor<2> {
        self.project_mean(m, weight, Some(bias))
    }

    /// [`projected`](Pass::projected), with or without a bias.
    pub(crate) fn project(&self, m: usize, weight: &str, bias: Option<&str>) -> Tensor<2> {
        if self.ablation.silences(m) {
            return repeat(self.project_mean(m, weight, bias), self.items.len());
        }
        let (weight, features) = (self.table(weight), &self.inputs().modalities[m].features);
        project_rows(weight.clone(), self.bias(bias, &weight), features, self.items.rows())
    }

    /// [`projected_mean`](Pass::projected_mean), with or without a bias.
    pub(crate) fn project_mean(&self, m: usize, weight: &str, bias: Option<&str>) -> Tensor<2> {
        let (weight, mean) = (self.table(weight), &self.inputs().modalities[m].mean);
        project_rows(weight.clone(), self.bias(bias, &weight), mean, RowSet::all(1).rows())
    }

    fn bias(&self, name: Option<&str>, weight: &Tensor<2>) -> Tensor<2> {
        let zeros = || Tensor::zeros([1, weight.dims()[0]], &weight.device());
        name.map_or_else(zeros, |name| self.table(name))
    }

    /// Inverted dropout: in training, each entry is zero with probability `rate` and `1 / (1 - rate)` times
    /// itself otherwise. The mask depends on the step and on `site` alone, so that ablations of one step
    /// differ by what is silenced and by nothing else.
    pub fn dropout(&self, x: Tensor<2>, rate: f64, site: &str) -> Tensor<2> {
        if rate == 0.0 || self.mode() == Mode::Inference {
            return x;
        }
        let [rows, width] = x.dims();
        let mut stream = self.request.dropout.stream(&format!("dropout/{}/{site}", self.request.step));
        let keep = (1.0 / (1.0 - rate)) as f32;
        let draw = |_| if stream.unit() < rate { 0.0 } else { keep };
        let mask: Vec<f32> = (0..rows * width).map(draw).collect();
        let mask = Tensor::<2>::from_data(TensorData::new(mask, [rows, width]), &x.device());
        x * mask
    }
}

pub(crate) fn pick(table: Tensor<2>, rows: &RowSet) -> Tensor<2> {
    if rows.is_all() { table } else { gather_rows(table, rows.rows()) }
}

/// One row, `times` times.
pub(crate) fn repeat(row: Tensor<2>, times: usize) -> Tensor<2> {
    let width = row.dims()[1];
    row.expand([times, width])
}
