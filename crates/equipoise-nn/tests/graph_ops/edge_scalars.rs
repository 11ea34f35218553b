//! Numbers of edges: weighed by their senders, and the larger of two.

use crate::dense::Table;
use crate::graphs::edge_sets;
use crate::support::{agree, table};
use burn::tensor::Tensor;
use equipoise_data::Seed;
use equipoise_nn::functions::{by_sender, larger};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn an_edge_is_weighed_by_its_sender(seed: u64) {
        let mut s = Seed(seed).stream("test");
        for e in edge_sets(&mut s).into_iter().filter(|e| !e.is_empty()) {
            let tables = [e.len(), e.n_sources()].map(|rows| table(rows, 1, &mut s));
            let run = |t: &[Tensor<2>]| by_sender(&e, t[0].clone().reshape([e.len()]), t[1].clone());
            agree(&tables, &mut s, run, |t| {
                let of_sender = |(value, &source): (&f64, &u32)| value * t[1].values[source as usize];
                let values = t[0].values.iter().zip(e.sources()).map(of_sender).collect();
                Table { values, ..t[0] }
            });
        }
    }

    #[test]
    fn the_larger_of_two(edges in 1usize..40, seed: u64) {
        let mut s = Seed(seed).stream("test");
        // Apart: across the step of a difference quotient the larger one stays the larger one.
        let mut tables = [(); 2].map(|()| table(edges, 1, &mut s));
        let [a, b] = &mut tables;
        for (b, a) in b.values.iter_mut().zip(&a.values) {
            *b = f64::from((a + b.signum() * (0.125 + b.abs())) as f32);
        }
        let run = |t: &[Tensor<2>]| {
            larger(t[0].clone().reshape([edges]), t[1].clone().reshape([edges]))
        };
        agree(&tables, &mut s, run, |t| {
            let values = t[0].values.iter().zip(&t[1].values).map(|(a, b)| a.max(*b)).collect();
            Table { values, ..t[0] }
        });
    }
}

#[test]
fn of_equal_ones_the_first_has_the_gradient() {
    let device = equipoise_nn::device("cpu").expect("there is a processor");
    let leaf = || Tensor::<1>::from_data([2.0, -1.0], &device).autodiff().require_grad();
    let (a, b) = (leaf(), leaf());
    let gradients = larger(a.clone(), b.clone()).sum().backward();
    let of = |x: &Tensor<1>| -> Vec<f32> {
        x.grad(&gradients).expect("the loss reaches it").into_data().try_into_vec().expect("float32")
    };
    assert_eq!((of(&a), of(&b)), (vec![1.0; 2], vec![0.0; 2]));
}
