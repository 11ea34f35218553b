//! Bringing features to a common scale before training.

use crate::features::Features;
use serde::{Deserialize, Serialize};

/// How features are scaled.
///
/// | name | what it does |
/// |---|---|
/// | `raw` | nothing: as in the published experiments |
/// | `standardised` | each column less its mean, over its standard deviation; a constant column becomes 0 |
/// | `unit` | each row over its Euclidean norm; a zero row stays 0 |
///
/// Raw features of different modalities can differ by orders of magnitude, and large ones make training
/// unstable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureScale {
    /// As they are.
    #[default]
    Raw,
    /// Mean 0 and variance 1 in each column.
    Standardised,
    /// Length 1 in each row.
    Unit,
}

impl FeatureScale {
    /// The features at this scale.
    pub fn apply(self, features: &Features) -> Features {
        let values = match self {
            FeatureScale::Raw => return features.clone(),
            FeatureScale::Standardised => standardised(features),
            FeatureScale::Unit => unit(features),
        };
        Features::new(features.rows(), features.width(), values)
            .expect("quotients of finite numbers by positive ones of their own size are finite")
    }
}

fn standardised(features: &Features) -> Vec<f32> {
    let (rows, width) = (features.rows() as f64, features.width());
    let (mut mean, mut square) = (vec![0f64; width], vec![0f64; width]);
    for row in features.values().chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v) / rows);
    }
    for row in features.values().chunks_exact(width) {
        for ((s, &v), m) in square.iter_mut().zip(row).zip(&mean) {
            *s += (f64::from(v) - m).powi(2) / rows;
        }
    }
    let scale: Vec<f64> = square.iter().map(|&s| if s > 0.0 { 1.0 / s.sqrt() } else { 0.0 }).collect();
    let columns = || mean.iter().zip(&scale);
    let scaled = |row: &[f32]| -> Vec<f32> {
        row.iter().zip(columns()).map(|(&v, (m, s))| ((f64::from(v) - m) * s) as f32).collect()
    };
    features.values().chunks_exact(width).flat_map(scaled).collect()
}

fn unit(features: &Features) -> Vec<f32> {
    let scaled = |row: &[f32]| -> Vec<f32> {
        let norm = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        row.iter().map(|&v| (f64::from(v) * scale) as f32).collect()
    };
    features.values().chunks_exact(features.width()).flat_map(scaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn features(values: Vec<f32>, width: usize) -> Features {
        Features::new(values.len() / width, width, values).expect("finite")
    }

    #[test]
    fn constant_columns_and_zero_rows_become_zero() {
        let f = features(vec![5.0, 1.0, 5.0, 3.0], 2);
        assert_eq!(FeatureScale::Standardised.apply(&f).values(), [0.0, -1.0, 0.0, 1.0]);
        let f = features(vec![0.0, 0.0, 3.0, -4.0], 2);
        assert_eq!(FeatureScale::Unit.apply(&f).values(), [0.0, 0.0, 0.6, -0.8]);
    }

    proptest! {
        #[test]
        fn scaled_features_are_finite_and_have_their_scale(
            values in prop::collection::vec(-3e38f32..3e38, 3 * 4..=3 * 4),
        ) {
            let f = features(values, 3);
            for scale in [FeatureScale::Standardised, FeatureScale::Unit] {
                prop_assert!(scale.apply(&f).values().iter().all(|v| v.abs() <= 2.0001));
            }
            let unit = FeatureScale::Unit.apply(&f);
            for i in 0..4 {
                let norm: f32 = unit.row(i).iter().map(|v| v * v).sum();
                prop_assert!((norm - 1.0).abs() < 1e-5);
            }
        }
    }
}
