//! The mean of rows of features.

/// Adds up rows of one width and gives their mean. Sums are float64 in the order of the rows, so that the result does
/// not depend on the machine.
#[derive(Clone, Debug)]
pub struct MeanRow {
    sums: Vec<f64>,
    total: f64,
}

impl MeanRow {
    /// No rows yet, `width` values in each.
    pub fn new(width: usize) -> MeanRow {
        MeanRow { sums: vec![0.0; width], total: 0.0 }
    }

    /// Adds a row.
    pub fn add(&mut self, row: &[f32]) {
        self.add_weighted(row, 1.0);
    }

    /// Adds a row that counts `weight` times, `weight` above 0.
    pub fn add_weighted(&mut self, row: &[f32], weight: f64) {
        self.sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += weight * f64::from(value));
        self.total += weight;
    }

    /// `sum_r weight_r row_r / sum_r weight_r`; `None` if there was no row.
    pub fn mean(&self) -> Option<Vec<f32>> {
        (self.total > 0.0).then(|| self.sums.iter().map(|sum| (sum / self.total) as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_count_by_their_weights_and_no_row_has_no_mean() {
        let mut mean = MeanRow::new(2);
        assert_eq!(mean.mean(), None);
        mean.add(&[1.0, 8.0]);
        mean.add_weighted(&[4.0, 2.0], 2.0);
        assert_eq!(mean.mean(), Some(vec![3.0, 4.0]));
    }
}
