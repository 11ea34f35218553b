//! Eigenvalues and eigenvectors of a small symmetric matrix.

/// Sweeps after which rotations have long been exact; symmetric matrices need about ten.
const MOST_SWEEPS: usize = 60;

/// Eigenvalues in descending order with their unit vectors, by cyclic Jacobi rotations (Golub and Van Loan, *Matrix
/// Computations*, section 8.5): slow for large `n`, and exact to rounding.
///
/// `matrix` is `n` x `n`, symmetric. Vector `v` is row `v` of the second result.
pub(super) fn symmetric(mut matrix: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|k| vectors[k * n + k] = 1.0);
    let whole: f64 = matrix.iter().map(|v| v * v).sum();
    for _ in 0..MOST_SWEEPS {
        let off: f64 =
            (0..n).flat_map(|p| (0..p).map(move |q| (p, q))).map(|(p, q)| matrix[p * n + q].powi(2)).sum();
        if off <= 1e-30 * whole {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut matrix, &mut vectors, n, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| matrix[b * n + b].total_cmp(&matrix[a * n + a]));
    let values = order.iter().map(|&k| matrix[k * n + k]).collect();
    let sorted = order.iter().flat_map(|&k| vectors[k * n..(k + 1) * n].iter().copied()).collect();
    (values, sorted)
}

/// Turns the plane of axes `p` < `q` so that entry (p, q) becomes 0.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], n: usize, p: usize, q: usize) {
    let entry = matrix[p * n + q];
    if entry == 0.0 {
        return;
    }
    let (a, b) = (matrix[p * n + p], matrix[q * n + q]);
    let theta = (b - a) / (2.0 * entry);
    let sign = if theta >= 0.0 { 1.0 } else { -1.0 };
    // The smaller of the two rotations; for a huge theta the root would overflow, and t is 1 / (2 theta).
    let t =
        if theta.abs() > 1e150 { 0.5 / theta } else { sign / (theta.abs() + (theta * theta + 1.0).sqrt()) };
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    // Rows first, then the columns that mirror them: the rows are contiguous.
    turn(matrix, n, p, q, c, s);
    for k in 0..n {
        if k != p && k != q {
            matrix[k * n + p] = matrix[p * n + k];
            matrix[k * n + q] = matrix[q * n + k];
        }
    }
    matrix[p * n + p] = a - t * entry;
    matrix[q * n + q] = b + t * entry;
    matrix[p * n + q] = 0.0;
    matrix[q * n + p] = 0.0;
    turn(vectors, n, p, q, c, s);
}

/// Rows `p` and `q` become `c p - s q` and `s p + c q`.
fn turn(rows: &mut [f64], n: usize, p: usize, q: usize, c: f64, s: f64) {
    let (front, back) = rows.split_at_mut(q * n);
    let first = &mut front[p * n..(p + 1) * n];
    for (x, y) in first.iter_mut().zip(&mut back[..n]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn vectors_are_orthonormal_and_give_the_matrix_back(n in 1usize..9, cells in prop::collection::vec(-9f64..9.0, 64)) {
            let at = |r: usize, c: usize| cells[r.min(c) * 8 + r.max(c)];
            let matrix: Vec<f64> = (0..n * n).map(|k| at(k / n, k % n)).collect();
            let (values, vectors) = symmetric(matrix.clone(), n);
            prop_assert!(values.is_sorted_by(|a, b| a >= b));
            for r in 0..n {
                for c in 0..n {
                    let dot: f64 = (0..n).map(|k| vectors[r * n + k] * vectors[c * n + k]).sum();
                    prop_assert!((dot - f64::from(u8::from(r == c))).abs() < 1e-12);
                    let back: f64 = (0..n).map(|v| values[v] * vectors[v * n + r] * vectors[v * n + c]).sum();
                    prop_assert!((back - matrix[r * n + c]).abs() < 1e-11, "{back} {}", matrix[r * n + c]);
                }
            }
        }
    }
}
