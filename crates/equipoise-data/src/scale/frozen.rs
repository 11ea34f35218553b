//! A scale with the statistics of the catalogue that it was made from, for rows that come later.

use std::borrow::Cow;

use super::subspace::LinearMap;
use super::{FeatureScale, columns, pca};
use crate::features::Features;

/// A [`FeatureScale`] with the means, deviations or components of one catalogue: a row gets the values that
/// [`FeatureScale::apply`] gives it there, to the last bit.
#[derive(Clone, Debug, PartialEq)]
pub enum FrozenScale {
    /// As they are; the number of columns.
    None(usize),
    /// Length 1; the number of columns.
    L2(usize),
    /// Less the mean of the column, times the factor of the column.
    Standard {
        /// Mean of each column.
        mean: Vec<f64>,
        /// One over its standard deviation; 0 for a constant column.
        factor: Vec<f64>,
    },
    /// Less the mean row, on the principal components.
    Pca {
        /// The mean row, of `d` values.
        mean: Vec<f64>,
        /// `d x k`, row after row: what each column adds to each component.
        components: Vec<f64>,
    },
}

impl FeatureScale {
    /// This scale with the statistics of these features.
    pub fn frozen(self, features: &Features) -> FrozenScale {
        match self {
            FeatureScale::None => FrozenScale::None(features.width()),
            FeatureScale::L2 => FrozenScale::L2(features.width()),
            FeatureScale::Standard => {
                let (mean, factor) = columns(features);
                FrozenScale::Standard { mean, factor }
            }
            FeatureScale::Pca(k) => {
                let (mean, components) =
                    pca::fitted(features, k.clamp(1, features.width().min(features.rows())));
                FrozenScale::Pca { mean, components }
            }
        }
    }
}

impl FrozenScale {
    /// Columns of a row before.
    pub fn width(&self) -> usize {
        match self {
            FrozenScale::None(width) | FrozenScale::L2(width) => *width,
            FrozenScale::Standard { mean, .. } | FrozenScale::Pca { mean, .. } => mean.len(),
        }
    }

    /// Columns of a row at this scale.
    pub fn scaled_width(&self) -> usize {
        match self {
            FrozenScale::Pca { mean, components } => components.len() / mean.len(),
            _ => self.width(),
        }
    }

    /// A row at this scale.
    ///
    /// # Panics
    /// If the row has another number of columns.
    pub fn apply<'a>(&self, row: &'a [f32]) -> Cow<'a, [f32]> {
        assert_eq!(row.len(), self.width(), "rows of the width that the scale was made from");
        match self {
            FrozenScale::None(_) => Cow::Borrowed(row),
            FrozenScale::L2(_) => {
                let norm = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
                let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
                row.iter().map(|&v| (f64::from(v) * scale) as f32).collect()
            }
            FrozenScale::Standard { mean, factor } => {
                let columns = mean.iter().zip(factor);
                row.iter().zip(columns).map(|(&v, (m, s))| ((f64::from(v) - m) * s) as f32).collect()
            }
            FrozenScale::Pca { mean, components } => {
                let centred = pca::Centred::of(Cow::Borrowed(row), Cow::Borrowed(mean));
                pca::clamped(centred.times(components, self.scaled_width())).into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn a_row_that_comes_later_gets_the_bits_of_its_scale() {
        for (rows, width) in [(40, 7), (30, 300), (5, 9), (530, 260)] {
            let mut stream = Seed(3).stream("frozen");
            let values = (0..rows * width).map(|_| (stream.unit() * 4.0 - 1.0) as f32).collect();
            let features = Features::new(rows, width, values).expect("finite");
            for scale in [FeatureScale::None, FeatureScale::L2, FeatureScale::Standard, FeatureScale::Pca(4)]
            {
                let (whole, frozen) = (scale.apply(&features), scale.frozen(&features));
                assert_eq!((frozen.width(), frozen.scaled_width()), (width, whole.width()), "{scale}");
                for row in 0..rows {
                    assert_eq!(frozen.apply(&features.row(row)), whole.row(row), "{scale}, row {row}");
                }
            }
        }
    }
}
