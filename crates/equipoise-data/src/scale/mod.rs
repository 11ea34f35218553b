//! Bringing features to a common scale before training.

mod eigen;
mod frozen;
mod pca;
mod subspace;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::features::Features;
pub use frozen::FrozenScale;
pub use subspace::{LinearMap, leading_directions};

/// How features are scaled.
///
/// | name | what it does |
/// |---|---|
/// | `none` | nothing: as in the published experiments |
/// | `l2` | each row over its Euclidean norm; a zero row stays 0 |
/// | `standard` | each column less its mean, over its standard deviation; a constant column becomes 0 |
/// | `pca:k` | each row less the mean row, projected on the `k` principal components (1 to 4096) |
///
/// Raw features of different modalities can differ by orders of magnitude, and large ones make training
/// unstable. A modality of no more than `k` columns (or items) keeps all its components under `pca:k`.
///
/// Means, deviations and components are those of the whole catalogue and a function of the features alone, for any number of
/// threads. Means and deviations have the same bits on every machine; the last bits of components depend on the kind of
/// processor. A run does not store them but computes them again from the same data, which it knows by its fingerprint. A
/// [`FrozenScale`] keeps them for rows that come later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FeatureScale {
    /// As they are.
    #[default]
    None,
    /// Length 1 in each row.
    L2,
    /// Mean 0 and variance 1 in each column.
    Standard,
    /// The first principal components.
    Pca(usize),
}

/// Most components that can be asked for.
const MOST_COMPONENTS: usize = 4096;

impl FeatureScale {
    /// The features at this scale.
    pub fn apply(self, features: &Features) -> Features {
        let scaled = |width, values| {
            Features::new(features.rows(), width, values)
                .expect("quotients by positive numbers of their own size and clamped projections are finite")
        };
        match self {
            FeatureScale::None => features.clone(),
            FeatureScale::Standard => scaled(features.width(), standardised(features)),
            FeatureScale::L2 => scaled(features.width(), unit(features)),
            FeatureScale::Pca(k) => {
                let k = k.clamp(1, features.width().min(features.rows()));
                let name = FeatureScale::Pca(k).to_string();
                scaled(k, pca::project(features, k)).computed_from(features, &name)
            }
        }
    }
}

impl fmt::Display for FeatureScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeatureScale::None => f.write_str("none"),
            FeatureScale::L2 => f.write_str("l2"),
            FeatureScale::Standard => f.write_str("standard"),
            FeatureScale::Pca(k) => write!(f, "pca:{k}"),
        }
    }
}

impl FromStr for FeatureScale {
    type Err = String;

    /// Reads what `Display` writes, and the older names `raw`, `unit` and `standardised`.
    fn from_str(name: &str) -> Result<FeatureScale, String> {
        let components = |k: &str| k.parse().ok().filter(|k| (1..=MOST_COMPONENTS).contains(k));
        match name {
            "none" | "raw" => Ok(FeatureScale::None),
            "l2" | "unit" => Ok(FeatureScale::L2),
            "standard" | "standardised" => Ok(FeatureScale::Standard),
            other => other.strip_prefix("pca:").and_then(components).map(FeatureScale::Pca).ok_or_else(|| {
                format!(
                    "scale {name:?}, expected none, l2, standard or pca:k with k from 1 to {MOST_COMPONENTS}, such \
                     as pca:256"
                )
            }),
        }
    }
}

impl TryFrom<String> for FeatureScale {
    type Error = String;

    fn try_from(name: String) -> Result<FeatureScale, String> {
        name.parse()
    }
}

impl From<FeatureScale> for String {
    fn from(scale: FeatureScale) -> String {
        scale.to_string()
    }
}

/// Mean and factor of each column: the factor is one over the standard deviation, 0 for a constant column.
fn columns(features: &Features) -> (Vec<f64>, Vec<f64>) {
    let (rows, width) = (features.rows() as f64, features.width());
    let (mut mean, mut square) = (vec![0f64; width], vec![0f64; width]);
    features.each_row(|row| mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v) / rows));
    features.each_row(|row| {
        for ((s, &v), m) in square.iter_mut().zip(row).zip(&mean) {
            *s += (f64::from(v) - m).powi(2) / rows;
        }
    });
    let factor = square.iter().map(|&s| if s > 0.0 { 1.0 / s.sqrt() } else { 0.0 }).collect();
    (mean, factor)
}

fn standardised(features: &Features) -> Vec<f32> {
    let (mean, factor) = columns(features);
    let columns = || mean.iter().zip(&factor);
    let mut scaled = Vec::with_capacity(features.rows() * features.width());
    features.each_row(|row| {
        scaled.extend(row.iter().zip(columns()).map(|(&v, (m, s))| ((f64::from(v) - m) * s) as f32));
    });
    scaled
}

fn unit(features: &Features) -> Vec<f32> {
    let mut scaled = Vec::with_capacity(features.rows() * features.width());
    features.each_row(|row| {
        let norm = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        scaled.extend(row.iter().map(|&v| (f64::from(v) * scale) as f32));
    });
    scaled
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
        assert_eq!(FeatureScale::Standard.apply(&f).values()[..], [0.0, -1.0, 0.0, 1.0]);
        let f = features(vec![0.0, 0.0, 3.0, -4.0], 2);
        assert_eq!(FeatureScale::L2.apply(&f).values()[..], [0.0, 0.0, 0.6, -0.8]);
    }

    #[test]
    fn scales_are_spelt_as_they_are_read() {
        for scale in [FeatureScale::None, FeatureScale::L2, FeatureScale::Standard, FeatureScale::Pca(7)] {
            assert_eq!(scale.to_string().parse(), Ok(scale));
        }
        assert_eq!("standardised".parse(), Ok(FeatureScale::Standard));
        for wrong in ["pca", "pca:0", "pca:99999", "pca:x", "L2", ""] {
            let message = wrong.parse::<FeatureScale>().expect_err("no scale");
            assert!(message.contains("pca:256") && message.contains(wrong), "{message}");
        }
    }

    proptest! {
        #[test]
        fn scaled_features_are_finite_and_have_their_scale(
            values in prop::collection::vec(-3e38f32..3e38, 3 * 4..=3 * 4),
        ) {
            let f = features(values, 3);
            for scale in [FeatureScale::Standard, FeatureScale::L2] {
                prop_assert!(scale.apply(&f).values().iter().all(|v| v.abs() <= 2.0001));
            }
            let unit = FeatureScale::L2.apply(&f);
            for i in 0..4 {
                let norm: f32 = unit.row(i).iter().map(|v| v * v).sum();
                prop_assert!((norm - 1.0).abs() < 1e-5);
            }
            // Distances beyond the range of f32 are clamped, not lost.
            let _ = FeatureScale::Pca(2).apply(&f);
        }
    }
}
