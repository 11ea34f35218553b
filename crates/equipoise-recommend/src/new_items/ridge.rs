//! Ridge regression of rows of items on their features.
//!
//! Features of a modality of more than [`WIDEST`] columns are brought to as many principal components first, and those of each
//! modality to a mean variance of 1, so that one penalty suits modalities of any scale. Both are part of the map that comes out.

use crate::fold_in::centre;
use equipoise_data::{FeatureScale, Features, FrozenScale};
use faer::prelude::Solve;
use faer::{Mat, Side};

/// Columns of a modality above which principal components stand for them.
pub(super) const WIDEST: usize = 512;

/// The features of some modalities as the regression reads them.
pub(super) struct Design {
    /// `items x columns`.
    x: Mat<f64>,
    /// What each column of `x` is of the scaled features, for each modality.
    parts: Vec<Part>,
}

/// `x = factor * C^T (e - mean)`, of one modality.
struct Part {
    mean: Vec<f64>,
    /// `d x k` row after row; `None` for the identity.
    components: Option<Vec<f64>>,
    columns: usize,
    factor: f64,
}

/// A map of scaled features to rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fitted {
    /// `width x (columns of all modalities)`, row after row.
    pub(super) matrix: Vec<f32>,
    /// `width` values.
    pub(super) offset: Vec<f32>,
}

impl Design {
    /// Prepares the scaled features of modalities, for these items of theirs.
    pub(super) fn new(features: &[&Features], items: &[u32]) -> Design {
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); items.len()];
        let parts = features.iter().map(|features| part(features, items, &mut columns)).collect();
        let d = columns.first().map_or(0, Vec::len);
        Design { x: Mat::from_fn(items.len(), d, |row, column| columns[row][column]), parts }
    }

    /// The maps that fit rows of the items at `places` best, one for each penalty: `targets` are rows of `width` values of all
    /// its items. The penalty is `penalty` times the mean variance of a column. `None` if the items do not determine it.
    pub(super) fn fit(
        &self,
        places: &[usize],
        targets: &[f32],
        width: usize,
        penalties: &[f64],
    ) -> Option<Vec<Fitted>> {
        let n = places.len();
        let mut x = Mat::from_fn(n, self.x.ncols(), |row, c| self.x[(places[row], c)]);
        let mut y = Mat::from_fn(n, width, |row, c| f64::from(targets[places[row] * width + c]));
        let (of_x, of_y) = (centre(&mut x), centre(&mut y));
        let (gram, right) = (x.transpose() * &x, x.transpose() * &y);
        let d = gram.nrows();
        let spread = (0..d).map(|c| gram[(c, c)]).sum::<f64>() / d as f64;
        let solve = |penalty: &f64| {
            let mut gram = gram.clone();
            (0..d).for_each(|c| gram[(c, c)] += penalty * spread + f64::MIN_POSITIVE);
            Some(self.unfold(&gram.llt(Side::Lower).ok()?.solve(&right), &of_x, &of_y))
        };
        penalties.iter().map(solve).collect()
    }

    /// The map of scaled features that a map `B` (`columns x width`) of centred columns stands for.
    fn unfold(&self, b: &Mat<f64>, of_x: &[f64], of_y: &[f64]) -> Fitted {
        let width = of_y.len();
        let mut offset: Vec<f64> = of_y.to_vec();
        let total: usize = self.parts.iter().map(|part| part.mean.len()).sum();
        let mut matrix = vec![0f32; width * total];
        let (mut column, mut place) = (0, 0);
        for part in &self.parts {
            let d = part.mean.len();
            for w in 0..width {
                let own = |k: usize| b[(column + k, w)];
                for k in 0..part.columns {
                    offset[w] -= own(k) * of_x[column + k];
                }
                for c in 0..d {
                    let weight = part.factor
                        * match &part.components {
                            Some(components) => {
                                let row = &components[c * part.columns..][..part.columns];
                                row.iter().enumerate().map(|(k, v)| v * own(k)).sum::<f64>()
                            }
                            None => own(c),
                        };
                    matrix[w * total + place + c] = weight as f32;
                    offset[w] -= weight * part.mean[c];
                }
            }
            column += part.columns;
            place += d;
        }
        Fitted { matrix, offset: offset.into_iter().map(|v| v as f32).collect() }
    }
}

/// Adds the columns of a modality to the rows of the items.
fn part(features: &Features, items: &[u32], rows: &mut [Vec<f64>]) -> Part {
    let (mean, components) = if features.width() > WIDEST {
        match FeatureScale::Pca(WIDEST).frozen(features) {
            FrozenScale::Pca { mean, components } => (mean, Some(components)),
            _ => unreachable!("the scale asked for"),
        }
    } else {
        (vec![0.0; features.width()], None)
    };
    let columns = components.as_ref().map_or(mean.len(), |c| c.len() / mean.len());
    let scale = components.clone().map(|components| FrozenScale::Pca { mean: mean.clone(), components });
    let mut square = 0.0;
    let start = rows.first().map_or(0, Vec::len);
    for (row, &item) in rows.iter_mut().zip(items) {
        let own = features.row(item as usize);
        match &scale {
            Some(scale) => row.extend(scale.apply(&own).iter().map(|&v| f64::from(v))),
            None => row.extend(own.iter().map(|&v| f64::from(v))),
        }
    }
    for column in start..start + columns {
        let n = rows.len() as f64;
        let mean = rows.iter().map(|row| row[column]).sum::<f64>() / n;
        square += rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / n;
    }
    let factor = if square > 0.0 { (square / columns as f64).sqrt().recip() } else { 1.0 };
    rows.iter_mut().for_each(|row| row[start..].iter_mut().for_each(|v| *v *= factor));
    Part { mean, components, columns, factor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_data::Seed;

    fn features(rows: usize, width: usize, size: f64) -> Features {
        let mut stream = Seed(5).stream(&format!("ridge/{width}"));
        let values = (0..rows * width).map(|_| (size * (stream.unit() - 0.3)) as f32).collect();
        Features::new(rows, width, values).unwrap()
    }

    #[test]
    fn a_linear_map_of_two_modalities_is_found_again_whatever_their_scales() {
        let (a, b) = (features(60, 4, 1000.0), features(60, 3, 0.01));
        let map = |i: usize| {
            let (a, b) = (a.row(i), b.row(i));
            [a[0] * 0.002 - a[3] * 0.001 + 0.5, b[1] * 100.0 + a[1] * 0.003 - 2.0]
        };
        let targets: Vec<f32> = (0..60).flat_map(map).collect();
        let items: Vec<u32> = (0..60).collect();
        let design = Design::new(&[&a, &b], &items);
        let places: Vec<usize> = (0..50).collect();
        let fitted = &design.fit(&places, &targets, 2, &[1e-12]).unwrap()[0];
        for i in 50..60 {
            let x: Vec<f32> = a.row(i).iter().chain(b.row(i).iter()).copied().collect();
            for (w, expected) in map(i).into_iter().enumerate() {
                let found = fitted.matrix[w * 7..(w + 1) * 7].iter().zip(&x).map(|(m, v)| m * v).sum::<f32>()
                    + fitted.offset[w];
                assert!((found - expected).abs() < 2e-3, "item {i}, value {w}: {found} and {expected}");
            }
        }
    }

    #[test]
    fn wide_features_are_read_by_their_components() {
        let wide = features(40, WIDEST + 40, 1.0);
        let targets: Vec<f32> = (0..40).map(|i| wide.row(i).iter().sum::<f32>()).collect();
        let items: Vec<u32> = (0..40).collect();
        let design = Design::new(&[&wide], &items);
        assert!(design.x.ncols() <= WIDEST);
        let fitted = &design.fit(&(0..40).collect::<Vec<_>>(), &targets, 1, &[1e-9]).unwrap()[0];
        assert_eq!(fitted.matrix.len(), wide.width());
        for (i, expected) in targets.iter().enumerate() {
            let row = wide.row(i);
            let found =
                fitted.matrix.iter().zip(row.iter()).map(|(m, v)| f64::from(*m) * f64::from(*v)).sum::<f64>();
            assert!((found + f64::from(fitted.offset[0]) - f64::from(*expected)).abs() < 1e-2);
        }
    }
}
