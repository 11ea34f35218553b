//! Arguments that are views of larger tables, strided and starting elsewhere than at their storage's beginning.

use crate::dense::{Table, matrix, softmax, weighted};
use crate::elements::normalised;
use crate::graphs::{edge_sets, matrices};
use crate::support::{agree, table};
use burn::tensor::Tensor;
use equipoise_data::Seed;
use equipoise_nn::{Propagation, functions};
use std::sync::Arc;

const WIDTH: usize = 5;

/// The middle third of the columns.
fn view(t: &Tensor<2>) -> Tensor<2> {
    t.clone().narrow(1, WIDTH, WIDTH)
}

fn copy(t: &Table) -> Table {
    let values = (0..t.rows).flat_map(|r| t.row(r)[WIDTH..2 * WIDTH].to_vec()).collect();
    Table { rows: t.rows, width: WIDTH, values }
}

#[test]
fn products_read_views_as_copies() {
    let mut s = Seed(1).stream("test");
    for sparse in matrices(&mut s) {
        let (dense, x) = (matrix(&sparse), table(sparse.n_columns(), 3 * WIDTH, &mut s));
        let p = Arc::new(Propagation::new(sparse));
        agree(&[x], &mut s, |t| functions::propagate(&p, view(&t[0])), |t| dense.times(&copy(&t[0])));
    }
}

#[test]
fn edges_read_views_as_copies() {
    let mut s = Seed(2).stream("test");
    // Burn makes no views of length zero.
    for e in edge_sets(&mut s).into_iter().filter(|e| !e.is_empty()) {
        let mut wide = |rows| table(rows, 3 * WIDTH, &mut s);
        let tables = [wide(e.n_targets()), wide(e.n_sources()), wide(e.n_sources())];
        agree(
            &tables,
            &mut s,
            |t| functions::edge_attention(&e, view(&t[0]), view(&t[1]), view(&t[2])),
            |t| weighted(&e, &softmax(&e, &copy(&t[0]), &copy(&t[1]))).times(&copy(&t[2])),
        );
        agree(
            &tables[..2],
            &mut s,
            |t| functions::edge_softmax(&e, view(&t[0]), view(&t[1])),
            |t| Table::column(softmax(&e, &copy(&t[0]), &copy(&t[1]))),
        );
        // The second half of twice as many weights.
        let (n, weights) = (e.len(), table(2 * e.len(), 1, &mut s));
        agree(
            &[weights, tables[1].clone()],
            &mut s,
            |t| functions::propagate_weighted(&e, t[0].clone().reshape([2 * n]).narrow(0, n, n), view(&t[1])),
            |t| weighted(&e, &t[0].values[n..]).times(&copy(&t[1])),
        );
    }
}

#[test]
fn a_range_of_rows_is_read_where_it_lies() {
    let mut s = Seed(4).stream("test");
    let tables = [table(9, WIDTH, &mut s), table(7, WIDTH, &mut s)];
    let rows = |t: &Table| Table { rows: 4, width: WIDTH, values: t.values[2 * WIDTH..6 * WIDTH].to_vec() };
    let part = |t: &Tensor<2>| t.clone().narrow(0, 2, 4);
    agree(
        &tables[..1],
        &mut s,
        |t| functions::tanh(part(&t[0])),
        |t| {
            let t = rows(&t[0]);
            Table { values: t.values.iter().map(|x| x.tanh()).collect(), ..t }
        },
    );
    agree(
        &tables[..1],
        &mut s,
        |t| functions::normalise_rows(part(&t[0])),
        |t| normalised(&rows(&t[0]), &[false; 4]),
    );
    let picked: equipoise_nn::Rows = vec![3, 0].into();
    agree(
        &tables[1..],
        &mut s,
        |t| functions::gather_rows(part(&t[0]), &picked),
        |t| {
            let t = rows(&t[0]);
            let values = [3, 0].iter().flat_map(|&r| t.row(r).to_vec()).collect();
            Table { rows: 2, width: WIDTH, values }
        },
    );
}

#[test]
fn elements_read_transposed_views_as_copies() {
    let mut s = Seed(3).stream("test");
    let x = table(WIDTH, 4, &mut s);
    let transposed = |t: &Table| {
        let values = (0..t.width).flat_map(|c| (0..t.rows).map(move |r| t.values[r * t.width + c])).collect();
        Table { rows: t.width, width: t.rows, values }
    };
    let tanh = |t: &[Table]| {
        let t = transposed(&t[0]);
        Table { values: t.values.iter().map(|x| x.tanh()).collect(), ..t }
    };
    agree(std::slice::from_ref(&x), &mut s, |t| functions::tanh(t[0].clone().transpose()), tanh);
    let units = |t: &[Table]| normalised(&transposed(&t[0]), &[false; 4]);
    agree(&[x], &mut s, |t| functions::normalise_rows(t[0].clone().transpose()), units);
}
