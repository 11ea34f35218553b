//! Factorisations of dense matrices, by `faer`.
//!
//! They run on one thread, and their operands lie where `faer` puts its own matrices: the bits of a result depend on the
//! numbers and on the kind of processor, not on threads or addresses.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::{evd, householder, qr::no_pivoting::factor};
use faer::{Accum, Conj, Mat, MatRef, Par};

/// An orthonormal basis of the columns of `m`, in as many columns; `m` is at least as high as wide. Where columns depend on
/// each other, the basis holds directions that `m` does not have.
pub(super) fn orthonormal(m: MatRef<'_, f64>) -> Mat<f64> {
    let (rows, l) = m.shape();
    let mut reflections = m.to_owned();
    let block = factor::recommended_block_size::<f64>(rows, l);
    let mut coefficients = Mat::zeros(block, l);
    let factoring = factor::qr_in_place_scratch::<f64>(rows, l, block, Par::Seq, Default::default());
    let applying =
        householder::apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(rows, block, l);
    let mut memory = MemBuffer::new(factoring.or(applying));
    let stack = MemStack::new(&mut memory);
    let into = coefficients.as_mut();
    factor::qr_in_place(reflections.as_mut(), into, Par::Seq, stack, Default::default());
    let mut basis = Mat::identity(rows, l);
    householder::apply_block_householder_sequence_on_the_left_in_place_with_conj(
        reflections.as_ref(),
        coefficients.as_ref(),
        Conj::No,
        basis.as_mut(),
        Par::Seq,
        stack,
    );
    basis
}

/// The lower triangle of `M^T M`.
pub(super) fn gram(m: MatRef<'_, f64>) -> Mat<f64> {
    let l = m.ncols();
    let mut gram = Mat::zeros(l, l);
    let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
    triangular::matmul(&mut gram, lower, Accum::Replace, m.transpose(), whole, m, whole, 1.0, Par::Seq);
    gram
}

/// The eigenvalues of a symmetric matrix, of which the lower triangle is read, in descending order, and their unit vectors
/// in the columns of the matrix.
pub(super) fn symmetric(matrix: MatRef<'_, f64>) -> (Vec<f64>, Mat<f64>) {
    let n = matrix.nrows();
    let (mut values, mut vectors) = (Diag::zeros(n), Mat::zeros(n, n));
    let need =
        evd::self_adjoint_evd_scratch::<f64>(n, evd::ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(need);
    let (stack, into) = (MemStack::new(&mut memory), Some(vectors.as_mut()));
    evd::self_adjoint_evd(matrix, values.as_mut(), into, Par::Seq, stack, Default::default())
        .expect("the iteration ends for finite matrices");
    let values = values.column_vector().iter().rev().copied().collect();
    (values, vectors.reverse_cols().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn vectors_are_orthonormal_and_give_the_matrix_back(n in 1usize..9, cells in prop::collection::vec(-9f64..9.0, 64)) {
            let matrix = Mat::from_fn(n, n, |r, c| cells[r.min(c) * 8 + r.max(c)]);
            let lower = Mat::from_fn(n, n, |r, c| if r < c { f64::NAN } else { matrix[(r, c)] });
            let (values, vectors) = symmetric(lower.as_ref());
            prop_assert!(values.is_sorted_by(|a, b| a >= b));
            for r in 0..n {
                for c in 0..n {
                    let dot: f64 = (0..n).map(|k| vectors[(k, r)] * vectors[(k, c)]).sum();
                    prop_assert!((dot - f64::from(u8::from(r == c))).abs() < 1e-12);
                    let back: f64 = (0..n).map(|v| values[v] * vectors[(r, v)] * vectors[(c, v)]).sum();
                    prop_assert!((back - matrix[(r, c)]).abs() < 1e-11, "{back} {}", matrix[(r, c)]);
                }
            }
        }

        #[test]
        fn a_basis_is_orthonormal_and_spans_the_columns(
            l in 1usize..6, extra in 0usize..9, cells in prop::collection::vec(-9f64..9.0, 70), twice: bool,
        ) {
            // `twice` makes the last column a copy of the first.
            let cell = |r: usize, c: usize| cells[r * 5 + if twice && c + 1 == l { 0 } else { c }];
            let m = Mat::from_fn(l + extra, l, cell);
            let basis = orthonormal(m.as_ref());
            let identity = gram(basis.as_ref());
            let back = &basis * (basis.transpose() * &m);
            for r in 0..l + extra {
                for c in 0..l {
                    prop_assert!((back[(r, c)] - m[(r, c)]).abs() < 1e-12);
                    prop_assert!(r >= l || r < c || (identity[(r, c)] - f64::from(u8::from(r == c))).abs() < 1e-14);
                }
            }
        }
    }
}
