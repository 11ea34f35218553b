//! GPUs: kernels for what the plain operations do slowly there, generic bodies for the rest.
//!
//! Plain operations add rows into a table one after another, a thread per column, and make a table of edges x width
//! on the way. Here every output value has a thread that reads what belongs to it ([`kernels`]): no atomic
//! operations, so that the same input gives the same bits.

mod graph;
mod kernels;
mod launch;

use super::arguments::{RowWeights, Rows};
use super::dense::DenseOps;
use super::element::ElementOps;
use super::graph::ComposedOps;
use super::plain::indices;
use super::step::StepOps;
use super::step::generic::{with_penalty, with_penalty_backward};
use super::table::TableOps;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Cube, TensorMetadata};
use burn::tensor::{Shape, Slice};
use equipoise_data::Triples;
use equipoise_data::graph::Edges;
use equipoise_kernels::adam::AdamStep;
use launch::{Lists, Table};
use std::sync::Arc;

impl ElementOps for Cube {}
impl DenseOps for Cube {}
impl ComposedOps for Cube {}

impl TableOps for Cube {
    fn add_rows(x: Table, grad: Table, rows: Rows) -> Table {
        let height = x.shape()[0];
        Cube::float_add(x, Cube::scatter_rows(grad, rows, height))
    }
}

impl StepOps for Cube {
    fn scatter_rows(grad: Table, rows: Rows, height: usize) -> Table {
        let rows = indices::<Cube>(&rows, &grad.device());
        if grad.shape().num_dims() > 1 {
            return launch::place_rows(grad, rows, height);
        }
        let column = Cube::float_reshape(grad, Shape::from([rows.shape()[0], 1]));
        Cube::float_reshape(launch::place_rows(column, rows, height), Shape::from([height]))
    }

    fn margins(users: Table, items: Table, triples: Arc<Triples>, penalty: Option<Arc<RowWeights>>) -> Table {
        let device = users.device();
        let [of, first, second] = [&triples.users, &triples.positives, &triples.negatives]
            .map(|rows| indices::<Cube>(rows, &device));
        let score =
            |item| launch::pair_dots((users.clone(), of.clone()), (items.clone(), item), triples.len());
        let margins = Cube::float_sub(score(first), score(second));
        with_penalty::<Cube>(margins, users, items, penalty.as_deref())
    }

    fn margins_backward(
        users: Table,
        items: Table,
        grad: Table,
        triples: Arc<Triples>,
        penalty: Option<Arc<RowWeights>>,
    ) -> (Table, Table) {
        let gradients = triple_gradients(&users, &items, &grad, &triples);
        with_penalty_backward::<Cube>(gradients, users, items, grad, triples.len(), penalty.as_deref())
    }

    fn adam_step(parameter: Table, grad: Table, m: Table, v: Table, step: AdamStep) -> (Table, Table, Table) {
        launch::adam_step(parameter, grad, m, v, step)
    }
}

/// A triple `(u, i, j)` with gradient `g` is an edge `u - i` of weight `g` and an edge `u - j` of weight `-g`: each row
/// sums over its own.
fn triple_gradients(users: &Table, items: &Table, grad: &Table, triples: &Triples) -> (Table, Table) {
    let n = triples.len();
    let grad = Cube::float_slice(grad.clone(), &[Slice::from(0..n)]);
    let grad = Cube::float_reshape(grad, Shape::from([n]));
    let weights = Cube::float_cat(vec![grad.clone(), Cube::float_neg(grad)], 0);
    let of_users = [triples.users.as_slice(), &triples.users].concat();
    let of_items = [triples.positives.as_slice(), &triples.negatives].concat();
    let sum = |to: &[u32], from: &[u32], height: usize, x: &Table| {
        let ends = Edges::new(height, (0..=to.len()).collect(), to.to_vec());
        let columns: Vec<u32> = ends.edge_numbers().iter().map(|&e| from[e as usize]).collect();
        let device = x.device();
        let lists = Lists::new(ends.transposed_indptr(), &columns, &device);
        let order = indices::<Cube>(ends.edge_numbers(), &device);
        launch::sum_rows(&lists, Cube::float_select(weights.clone(), 0, order), x.clone())
    };
    let d_users = sum(&of_users, &of_items, users.shape()[0], items);
    (d_users, sum(&of_items, &of_users, items.shape()[0], users))
}
