//! Every fast operation equals plain tensor operations, outputs and gradients, on sizes that vectors do not like.

use burn::tensor::{Int, Tensor, TensorData};
use equipoise_data::{Features, Seed, Stream, Triples};
use equipoise_nn::{RowWeights, Rows, functions};
use proptest::prelude::*;
use std::sync::Arc;

fn numbers(n: usize, stream: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| (2.0 * stream.unit() - 1.0) as f32).collect()
}

fn leaf(values: &[f32], shape: [usize; 2]) -> Tensor<2> {
    let device = equipoise_nn::device("cpu").unwrap();
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &device).autodiff().require_grad()
}

fn constant<const D: usize, const K: usize>(
    values: &[f32],
    shape: [usize; D],
    beside: &Tensor<K>,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &beside.device())
}

fn select(table: Tensor<2>, rows: &[u32]) -> Tensor<2> {
    let rows: Vec<i32> = rows.iter().map(|&r| r as i32).collect();
    let (n, device) = (rows.len(), table.device());
    table.select(0, Tensor::<1, Int>::from_data(TensorData::new(rows, [n]), &device))
}

fn vector<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().try_into_vec().unwrap()
}

fn close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= 2e-5 * (1.0 + e.abs()), "{what}[{k}]: found {f}, expected {e}");
    }
}

/// Output and gradients of `run` at fresh leaves, under the upstream gradient `upstream`.
fn traced<const D: usize>(
    tables: &[(&[f32], [usize; 2])],
    upstream: &[f32],
    run: impl Fn(&[Tensor<2>]) -> Tensor<D>,
) -> Vec<Vec<f32>> {
    let leaves: Vec<Tensor<2>> = tables.iter().map(|(values, shape)| leaf(values, *shape)).collect();
    let out = run(&leaves);
    let upstream = constant(upstream, out.dims(), &out);
    let gradients = (out.clone() * upstream).sum().backward();
    let mut seen = vec![vector(out.inner())];
    seen.extend(leaves.iter().map(|l| vector(l.grad(&gradients).expect("the loss reaches every leaf"))));
    seen
}

fn agree<const D: usize>(
    tables: &[(&[f32], [usize; 2])],
    upstream: &[f32],
    fast: impl Fn(&[Tensor<2>]) -> Tensor<D>,
    plain: impl Fn(&[Tensor<2>]) -> Tensor<D>,
) {
    let (fast, plain) = (traced(tables, upstream, fast), traced(tables, upstream, plain));
    for (k, (found, expected)) in fast.iter().zip(&plain).enumerate() {
        let what = if k == 0 { "output".into() } else { format!("gradient of argument {k}") };
        close(&what, found, expected);
    }
}

fn distinct_rows(height: usize, stream: &mut Stream) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..height as u32).filter(|_| stream.unit() < 0.6).collect();
    if rows.is_empty() {
        rows.push(stream.below(height as u32));
    }
    rows
}

/// Random triples with one repeated and one of equal items.
fn triples(count: usize, users: usize, items: usize, stream: &mut Stream) -> Triples {
    let mut t = Triples::default();
    for _ in 0..count {
        t.users.push(stream.below(users as u32));
        t.positives.push(stream.below(items as u32));
        t.negatives.push(stream.below(items as u32));
    }
    t.users.extend([t.users[0], t.users[0]]);
    t.positives.extend([t.positives[0], t.positives[0]]);
    t.negatives.extend([t.negatives[0], t.positives[0]]);
    t
}

fn plain_margins(users: &Tensor<2>, items: &Tensor<2>, t: &Triples) -> Tensor<1> {
    let difference = select(items.clone(), &t.positives) - select(items.clone(), &t.negatives);
    (select(users.clone(), &t.users) * difference).sum_dim(1).reshape([t.len()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn gathering_equals_selection(height in 1usize..30, width in 1usize..40, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let (table, rows) = (numbers(height * width, &mut s), distinct_rows(height, &mut s));
        let upstream = numbers(rows.len() * width, &mut s);
        let shared: Rows = rows.clone().into();
        agree(
            &[(&table, [height, width])],
            &upstream,
            |t| functions::gather_rows(t[0].clone(), &shared),
            |t| select(t[0].clone(), &rows),
        );
        agree(
            &[(&table[..height], [height, 1])],
            &upstream[..rows.len()],
            |t| functions::gather_values(t[0].clone().reshape([height]), &shared),
            |t| select(t[0].clone(), &rows).reshape([rows.len()]),
        );
    }

    #[test]
    fn projecting_equals_a_matrix_product(
        height in 1usize..30, width in 1usize..70, d in 1usize..20, seed: u64,
    ) {
        let mut s = Seed(seed).stream("test");
        let features = Features::new(height, width, numbers(height * width, &mut s)).unwrap();
        let rows = distinct_rows(height, &mut s);
        let (weight, bias) = (numbers(d * width, &mut s), numbers(d, &mut s));
        let upstream = numbers(rows.len() * d, &mut s);
        let picked: Vec<f32> = rows.iter().flat_map(|&r| features.row(r as usize).to_vec()).collect();
        let shared: Rows = rows.clone().into();
        agree(
            &[(&weight, [d, width]), (&bias, [1, d])],
            &upstream,
            |t| functions::project_rows(t[0].clone(), t[1].clone(), &features, &shared),
            |t| constant(&picked, [rows.len(), width], &t[0]).matmul(t[0].clone().transpose()) + t[1].clone(),
        );
    }

    #[test]
    fn margins_equal_inner_products_of_differences(
        users in 1usize..12, items in 1usize..12, width in 1usize..40, count in 1usize..40, seed: u64,
    ) {
        let mut s = Seed(seed).stream("test");
        let (y, z) = (numbers(users * width, &mut s), numbers(items * width, &mut s));
        let index = Arc::new(triples(count, users, items, &mut s));
        let upstream = numbers(index.len(), &mut s);
        agree(
            &[(&y, [users, width]), (&z, [items, width])],
            &upstream,
            |t| functions::margins(t[0].clone(), t[1].clone(), &index),
            |t| plain_margins(&t[0], &t[1], &index),
        );
    }

    #[test]
    fn margins_with_a_norm_equal_both_apart(
        users in 1usize..12, items in 1usize..12, width in 1usize..40, count in 1usize..40, seed: u64,
    ) {
        let mut s = Seed(seed).stream("test");
        let (y, z) = (numbers(users * width, &mut s), numbers(items * width, &mut s));
        let index = Arc::new(triples(count, users, items, &mut s));
        let weights = RowWeights { users: numbers(users, &mut s), items: numbers(items, &mut s) };
        let (w, upstream) = (Arc::new(weights.clone()), numbers(index.len() + 1, &mut s));
        let norm = |x: &Tensor<2>, w: &[f32]| {
            let squares = (x.clone() * x.clone()).sum_dim(1);
            (squares * constant(w, [w.len(), 1], x)).sum().reshape([1])
        };
        agree(
            &[(&y, [users, width]), (&z, [items, width])],
            &upstream,
            |t| functions::margins_and_norm(t[0].clone(), t[1].clone(), &index, &w),
            |t| {
                let norms: Tensor<1> = norm(&t[0], &weights.users) + norm(&t[1], &weights.items);
                Tensor::cat(vec![plain_margins(&t[0], &t[1], &index), norms], 0)
            },
        );
    }

    #[test]
    fn a_weighted_square_sum_equals_its_definition(height in 1usize..30, width in 1usize..40, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let (x, w) = (numbers(height * width, &mut s), numbers(height, &mut s));
        let shared: Arc<[f32]> = w.clone().into();
        agree(
            &[(&x, [height, width])],
            &[0.7],
            |t| functions::weighted_square_sum(t[0].clone(), &shared),
            |t| {
                let squares = (t[0].clone() * t[0].clone()).sum_dim(1);
                (squares * constant(&w, [height, 1], &t[0])).sum().reshape([1])
            },
        );
    }
}

#[test]
fn a_table_that_is_a_strided_view_gives_what_its_copy_gives() {
    let mut s = Seed(3).stream("test");
    let (y, z) = (numbers(5 * 19, &mut s), numbers(7 * 19, &mut s));
    let index = Arc::new(triples(9, 5, 7, &mut s));
    let upstream = numbers(index.len(), &mut s);
    agree(
        &[(&y, [19, 5]), (&z, [19, 7])],
        &upstream,
        |t| functions::margins(t[0].clone().transpose(), t[1].clone().transpose(), &index),
        |t| plain_margins(&t[0].clone().transpose(), &t[1].clone().transpose(), &index),
    );
}

#[test]
fn equal_items_have_a_margin_of_exactly_zero() {
    let mut s = Seed(4).stream("test");
    let (y, z) = (leaf(&numbers(37, &mut s), [1, 37]), leaf(&numbers(37, &mut s), [1, 37]));
    let index = Arc::new(Triples { users: vec![0], positives: vec![0], negatives: vec![0] });
    let out = functions::margins(y.clone(), z.clone(), &index);
    let gradients = out.clone().sum().backward();
    assert_eq!(vector(out.inner()), [0.0]);
    assert!(vector(y.grad(&gradients).unwrap()).iter().all(|g| *g == 0.0));
    assert!(vector(z.grad(&gradients).unwrap()).iter().all(|g| *g == 0.0));
}
