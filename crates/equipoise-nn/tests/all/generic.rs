//! The generic body of every operation equals its fast body, called side by side on the CPU backend.

use burn::backend::flex::{Flex, FlexTensor};
use burn::tensor::TensorData;
use equipoise_data::{Features, Seed, Stream, Triples};
use equipoise_kernels::adam::AdamStep;
use equipoise_nn::ops::step::{StepOps, generic};
use equipoise_nn::ops::table::TableOps;
use equipoise_nn::{RowWeights, Rows};
use proptest::prelude::*;
use std::sync::Arc;

fn table<const D: usize>(shape: [usize; D], stream: &mut Stream) -> FlexTensor {
    let n = shape.iter().product();
    let values: Vec<f32> = (0..n).map(|_| (2.0 * stream.unit() - 1.0) as f32).collect();
    FlexTensor::from_data(TensorData::new(values, shape))
}

fn close(what: &str, fast: FlexTensor, generic: FlexTensor) {
    let vector = |t: FlexTensor| -> Vec<f32> { t.to_contiguous().into_data().try_into_vec().unwrap() };
    let (fast, generic) = (vector(fast), vector(generic));
    assert_eq!(fast.len(), generic.len(), "{what}: number of values");
    for (f, g) in fast.iter().zip(&generic) {
        assert!((f - g).abs() <= 2e-5 * (1.0 + g.abs()), "{what}: fast {f}, generic {g}");
    }
}

fn random_triples(count: usize, users: usize, items: usize, stream: &mut Stream) -> Triples {
    let mut draw = |bound: usize| (0..count).map(|_| stream.below(bound as u32)).collect();
    Triples { users: draw(users), positives: draw(items), negatives: draw(items) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn rows(height in 1usize..20, width in 1usize..40, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let rows: Rows = (0..height as u32).step_by(2).collect();
        let x = table([height, width], &mut s);
        close(
            "gather_rows",
            Flex::gather_rows(x.clone(), rows.clone()),
            generic::gather_rows::<Flex>(x, rows.clone()),
        );
        let g = table([rows.len(), width], &mut s);
        close(
            "scatter_rows",
            Flex::scatter_rows(g.clone(), rows.clone(), height),
            generic::scatter_rows::<Flex>(g.clone(), rows.clone(), height),
        );
        let x = table([height, width], &mut s);
        let added = generic::scatter_rows::<Flex>(g.clone(), rows.clone(), height);
        let plain = Flex::blend(x.clone(), added, 1.0);
        close("add_rows", Flex::add_rows(x, g, rows), plain);
    }

    #[test]
    fn projections(height in 1usize..20, width in 1usize..70, d in 1usize..20, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let values = (0..height * width).map(|_| s.unit() as f32).collect();
        let features = Features::new(height, width, values).unwrap();
        let rows: Rows = (0..height as u32).rev().step_by(2).collect();
        let (w, b) = (table([d, width], &mut s), table([1, d], &mut s));
        close(
            "project_rows",
            Flex::project_rows(w.clone(), b.clone(), features.clone(), rows.clone()),
            generic::project_rows::<Flex>(w, b, features.clone(), rows.clone()),
        );
        let g = table([rows.len(), d], &mut s);
        close(
            "project_rows_backward",
            Flex::project_rows_backward(g.clone(), features.clone(), rows.clone()),
            generic::project_rows_backward::<Flex>(g, features, rows),
        );
    }

    #[test]
    fn margins(users in 1usize..9, items in 1usize..9, width in 1usize..40, count in 1usize..30, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let (y, z) = (table([users, width], &mut s), table([items, width], &mut s));
        let t = Arc::new(random_triples(count, users, items, &mut s));
        let mut weights = |n: usize| (0..n).map(|_| s.unit() as f32).collect();
        let w = Arc::new(RowWeights { users: weights(users), items: weights(items) });
        for penalty in [None, Some(w)] {
            close(
                "margins",
                Flex::margins(y.clone(), z.clone(), t.clone(), penalty.clone()),
                generic::margins::<Flex>(y.clone(), z.clone(), t.clone(), penalty.clone()),
            );
            let g = table([count + usize::from(penalty.is_some())], &mut s);
            let fast = Flex::margins_backward(y.clone(), z.clone(), g.clone(), t.clone(), penalty.clone());
            let plain = generic::margins_backward::<Flex>(y.clone(), z.clone(), g, t.clone(), penalty.clone());
            close("margins_backward of users", fast.0, plain.0);
            close("margins_backward of items", fast.1, plain.1);
        }
    }

    #[test]
    fn square_sums(height in 1usize..20, width in 1usize..40, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let (x, g) = (table([height, width], &mut s), table([1], &mut s));
        let w: Arc<[f32]> = (0..height).map(|_| s.unit() as f32).collect();
        close(
            "weighted_square_sum",
            Flex::weighted_square_sum(x.clone(), w.clone()),
            generic::weighted_square_sum::<Flex>(x.clone(), w.clone()),
        );
        close(
            "weighted_square_sum_backward",
            Flex::weighted_square_sum_backward(x.clone(), g.clone(), w.clone()),
            generic::weighted_square_sum_backward::<Flex>(x, g, w),
        );
    }

    #[test]
    fn adam(height in 1usize..9, width in 1usize..40, t in 1u64..2000, seed: u64) {
        let mut s = Seed(seed).stream("test");
        let [p, g, m] = [(); 3].map(|()| table([height, width], &mut s));
        let squares = (0..height * width).map(|_| s.unit() as f32).collect::<Vec<_>>();
        let v = FlexTensor::from_data(TensorData::new(squares, [height, width]));
        let step = AdamStep { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8, t };
        let fast = Flex::adam_step(p.clone(), g.clone(), m.clone(), v.clone(), step);
        let plain = generic::adam_step::<Flex>(p, g, m, v, step);
        close("parameter", fast.0, plain.0);
        close("first moment", fast.1, plain.1);
        close("second moment", fast.2, plain.2);
    }
}
