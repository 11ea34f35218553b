//! Rows of norm 1.

/// Partial sums side by side.
const LANES: usize = 16;

/// Divides each row by its Euclidean norm, or by `1e-12` if that is larger, so that a zero row stays zero.
pub(crate) fn unit_rows(x: &mut [f32], width: usize) {
    for row in x.chunks_exact_mut(width) {
        let norm = squares(row).sqrt().max(1e-12);
        row.iter_mut().for_each(|v| *v /= norm);
    }
}

/// The sum of the squares, in partial sums side by side.
fn squares(row: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (main, rest) = row.as_chunks::<LANES>();
    for part in main {
        lanes.iter_mut().zip(part).for_each(|(sum, v)| *sum += v * v);
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|v| v * v).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_rows_have_norm_1_and_zero_rows_stay() {
        let mut x = vec![3.0, 4.0, 0.0, 0.0];
        unit_rows(&mut x, 2);
        assert_eq!(x, [0.6, 0.8, 0.0, 0.0]);
    }
}
