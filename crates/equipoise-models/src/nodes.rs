//! Tables of all `N = U + I` nodes, users first.

use crate::graphs::even_shares;
use crate::parts::Content;
use crate::{Occurrences, Pass};
use burn::tensor::{Device, Int, Tensor, TensorData};
use equipoise_data::graph::Edges;
use equipoise_nn::{blend, leaky_relu, normalise_rows, range_of_rows, stack};

/// A table of nodes as its first `users` rows and the others; either side may be empty.
pub(crate) fn split(nodes: Tensor<2>, users: usize) -> (Tensor<2>, Tensor<2>) {
    let height = nodes.dims()[0];
    (range_of_rows(nodes.clone(), 0..users), range_of_rows(nodes, users..height))
}

/// `H_0 = nrm([X_U ; X_I])`, `N x d`.
pub(crate) fn unit_ids(pass: &Pass) -> Tensor<2> {
    normalise_rows(stack(pass.table("user.id"), pass.table("item.id")))
}

/// `F = nrm(LR(W e + b))` from projections.
pub(crate) fn unit_content(projected: Tensor<2>) -> Tensor<2> {
    normalise_rows(leaky_relu(projected))
}

/// The mean of tables of one shape, of which there is at least one.
pub(crate) fn mean(mut tables: impl ExactSizeIterator<Item = Tensor<2>>) -> Tensor<2> {
    let share = 1.0 / tables.len() as f32;
    let first = tables.next().expect("a model has a modality");
    let others = tables.len();
    (1..).zip(tables).fold(first, |sum, (n, table)| blend(sum, table, if n == others { share } else { 1.0 }))
}

/// Rows of a table by position; a position may come again and again.
pub(crate) fn repeated_rows(table: Tensor<2>, rows: impl Iterator<Item = u32>) -> Tensor<2> {
    let rows: Vec<i32> = rows.map(|r| r as i32).collect();
    let n = rows.len();
    let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [n]), &table.device());
    table.select(0, rows)
}

/// [`even_shares`] as a tensor.
pub(crate) fn even_attention(edges: &Edges, device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(even_shares(edges), [edges.len()]), device)
}

/// The penalty that GRCN and EgoGCN were published with, before its weight:
///
/// ```text
/// mean_b x_u^2 + mean_b x_i^2 + sum_m mean_b (p_u^m)^2
/// ```
///
/// means over the entries of the batch's rows, a row counted once per occurrence; the items are the preferred
/// and the other ones. `None` where the pass's own losses are not wanted.
pub(crate) fn input_penalty(pass: &Pass, contents: &[&Content]) -> Option<Tensor<1>> {
    let batch = pass.batch()?;
    let ids = mean_square(pass.users("user.id"), &[batch.users()])
        + mean_square(pass.items("item.id"), &[batch.positives(), batch.negatives()]);
    let preference = |content: &&Content| mean_square(content.preferences(pass), &[batch.users()]);
    Some(contents.iter().map(preference).fold(ids, |sum, term| sum + term))
}

/// Mean of the squared entries of these rows, each as often as it occurs.
fn mean_square(table: Tensor<2>, rows: &[&[u32]]) -> Tensor<1> {
    let (width, rows) = (table.dims()[1], rows.concat());
    let share = 1.0 / (rows.len().max(1) * width) as f64;
    Occurrences::of(&rows).square_norm(table, share)
}
