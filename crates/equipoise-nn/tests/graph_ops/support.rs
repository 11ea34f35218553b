//! Random tables, tensors of them, and the comparison of an operation with its dense meaning.

use crate::dense::{Table, derivatives};
use burn::tensor::{Tensor, TensorData};
use equipoise_data::Stream;

pub fn numbers(n: usize, s: &mut Stream) -> Vec<f32> {
    (0..n).map(|_| (2.0 * s.unit() - 1.0) as f32).collect()
}

/// Numbers that float32 holds exactly, in (-1, 1).
pub fn table(rows: usize, width: usize, s: &mut Stream) -> Table {
    Table { rows, width, values: numbers(rows * width, s).into_iter().map(f64::from).collect() }
}

pub fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    let device = equipoise_nn::device("cpu").unwrap();
    Tensor::<D>::from_data(TensorData::new(values.to_vec(), shape), &device).autodiff()
}

pub fn leaf(t: &Table) -> Tensor<2> {
    let values: Vec<f32> = t.values.iter().map(|v| *v as f32).collect();
    tensor(&values, [t.rows, t.width]).require_grad()
}

pub fn vector<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().try_into_vec().unwrap()
}

/// Fails unless the values agree up to the rounding of float32. A small value may be what is left of large ones, so that the
/// largest value sets the measure.
pub fn close(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let largest = expected.iter().fold(0.0f64, |largest, e| largest.max(e.abs()));
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        let apart = (f64::from(*f) - e).abs();
        assert!(apart <= 2e-5 * (1.0 + largest), "{what}[{k}]: found {f}, expected {e}");
    }
}

/// Fails unless `run` has the output of `dense` and, through the tape, its derivative with respect to every
/// table, under a random upstream gradient.
pub fn agree<const D: usize>(
    tables: &[Table],
    s: &mut Stream,
    run: impl Fn(&[Tensor<2>]) -> Tensor<D>,
    dense: impl Fn(&[Table]) -> Table,
) {
    let expected = dense(tables);
    let upstream = numbers(expected.values.len(), s);
    let leaves: Vec<Tensor<2>> = tables.iter().map(leaf).collect();
    let out = run(&leaves);
    close("output", &vector(out.clone().inner()), &expected.values);
    let gradients = (out.clone() * tensor(&upstream, out.dims())).sum().backward();
    let upstream: Vec<f64> = upstream.into_iter().map(f64::from).collect();
    for (k, expected) in derivatives(dense, tables, &upstream).iter().enumerate() {
        let found = leaves[k].grad(&gradients).expect("the loss reaches every leaf");
        close(&format!("gradient of argument {k}"), &vector(found), expected);
    }
}
