//! Rows through a gate with a weighted part, and all gradients, each in one pass.
//!
//! ```text
//! out_r = x_r * ( w_r base_r + gate_r )        * value by value
//! ```

use crate::vector::{short_dot, wide};
use rayon::prelude::*;

/// Rows handled by one task.
const CHUNK: usize = 64;

/// The operands: row-major tables with `width >= 1` columns, and one weight per row.
#[derive(Clone, Copy, Debug)]
pub struct Gated<'a> {
    /// `x`.
    pub x: &'a [f32],
    /// `w`.
    pub weights: &'a [f32],
    /// `base`.
    pub base: &'a [f32],
    /// `gate`.
    pub gate: &'a [f32],
    /// Columns.
    pub width: usize,
}

impl<'a> Gated<'a> {
    fn check(&self) {
        let length = self.weights.len() * self.width;
        let lengths = [self.x.len(), self.base.len(), self.gate.len()];
        assert_eq!(lengths, [length; 3], "gated: lengths of the tables");
    }

    /// Some of the rows at a time.
    fn chunks(self) -> impl IndexedParallelIterator<Item = Gated<'a>> {
        let (size, width) = (CHUNK * self.width, self.width);
        let tables = self.x.par_chunks(size).zip(self.base.par_chunks(size)).zip(self.gate.par_chunks(size));
        let chunk = move |(weights, ((x, base), gate))| Gated { x, weights, base, gate, width };
        self.weights.par_chunks(CHUNK).zip(tables).map(chunk)
    }
}

/// Overwrites `out`, a table like the others.
///
/// # Panics
/// If a length does not fit.
pub fn gated(of: Gated, out: &mut [f32]) {
    of.check();
    assert_eq!(out.len(), of.x.len(), "gated: output length");
    out.par_chunks_mut(CHUNK * of.width).zip(of.chunks()).for_each(|(out, of)| forward(of, out));
}

wide! {
    fn forward(of: Gated, out: &mut [f32]) {
        let width = of.width;
        let tables = of.base.chunks_exact(width).zip(of.gate.chunks_exact(width));
        let rows = of.x.chunks_exact(width).zip(tables).zip(of.weights);
        for (out, ((x, (base, gate)), weight)) in out.chunks_exact_mut(width).zip(rows) {
            for ((out, x), (base, gate)) in out.iter_mut().zip(x).zip(base.iter().zip(gate)) {
                *out = x * (weight * base + gate);
            }
        }
    }
}

/// Where [`gated_backward`] writes; shapes as in [`Gated`].
#[derive(Debug)]
pub struct GatedGradients<'a> {
    /// `dL/dx`.
    pub x: &'a mut [f32],
    /// `dL/dw`.
    pub weights: &'a mut [f32],
    /// `dL/dbase`.
    pub base: &'a mut [f32],
    /// `dL/dgate`.
    pub gate: &'a mut [f32],
}

/// The gradients of [`gated`] from `grad = dL/dout`, overwriting them:
///
/// ```text
/// h = grad * x        dx = grad * ( w base + gate )        dw_r = <h_r, base_r>        dbase_r = w_r h_r        dgate = h
/// ```
///
/// # Panics
/// If a length does not fit.
pub fn gated_backward(of: Gated, grad: &[f32], gradients: GatedGradients) {
    of.check();
    let GatedGradients { x, weights, base, gate } = gradients;
    let lengths = [grad.len(), x.len(), base.len(), gate.len()];
    assert_eq!(lengths, [of.x.len(); 4], "gated: lengths of the gradients");
    assert_eq!(weights.len(), of.weights.len(), "gated: length of the weights' gradient");
    let size = CHUNK * of.width;
    let tables = x.par_chunks_mut(size).zip(base.par_chunks_mut(size)).zip(gate.par_chunks_mut(size));
    let gradients = weights.par_chunks_mut(CHUNK).zip(tables);
    gradients.zip(of.chunks().zip(grad.par_chunks(size))).for_each(|(gradients, (of, grad))| {
        let (weights, ((x, base), gate)) = gradients;
        backward(of, grad, GatedGradients { x, weights, base, gate });
    });
}

wide! {
    fn backward(of: Gated, grad: &[f32], to: GatedGradients) {
        for (r, weight) in of.weights.iter().enumerate() {
            let row = r * of.width..(r + 1) * of.width;
            let (x, grad) = (&of.x[row.clone()], &grad[row.clone()]);
            let (base, gate) = (&of.base[row.clone()], &of.gate[row.clone()]);
            let h = &mut to.gate[row.clone()];
            for (h, (grad, x)) in h.iter_mut().zip(grad.iter().zip(x)) {
                *h = grad * x;
            }
            to.weights[r] = short_dot(h, base);
            for (d_base, h) in to.base[row.clone()].iter_mut().zip(&*h) {
                *d_base = weight * h;
            }
            for ((d_x, grad), (base, gate)) in to.x[row].iter_mut().zip(grad).zip(base.iter().zip(gate)) {
                *d_x = grad * (weight * base + gate);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers this small are exact in any order.
    #[test]
    fn rows_and_gradients_equal_the_naive_values_across_chunk_edges() {
        for (n, d) in [(1, 1), (7, 19), (150, 64)] {
            let whole = |count: usize, step: usize| -> Vec<f32> {
                (0..count).map(|i| ((i * step) % 7) as f32 - 3.0).collect()
            };
            let (x, base, gate, grad) = (whole(n * d, 5), whole(n * d, 3), whole(n * d, 2), whole(n * d, 11));
            let weights = whole(n, 4);
            let of = Gated { x: &x, weights: &weights, base: &base, gate: &gate, width: d };
            let mut out = vec![f32::NAN; n * d];
            gated(of, &mut out);
            let [mut d_x, mut d_base, mut d_gate] = [0; 3].map(|_| vec![f32::NAN; n * d]);
            let mut d_weights = vec![f32::NAN; n];
            let to =
                GatedGradients { x: &mut d_x, weights: &mut d_weights, base: &mut d_base, gate: &mut d_gate };
            gated_backward(of, &grad, to);
            for at in 0..n * d {
                let weight = weights[at / d];
                let factor = weight * base[at] + gate[at];
                assert_eq!((out[at], d_x[at]), (x[at] * factor, grad[at] * factor), "{n} {d}: {at}");
                let h = grad[at] * x[at];
                assert_eq!((d_base[at], d_gate[at]), (weight * h, h), "{n} {d}: {at}");
            }
            for (r, &found) in d_weights.iter().enumerate() {
                let sum: f32 = (r * d..(r + 1) * d).map(|at| grad[at] * x[at] * base[at]).sum();
                assert_eq!(found, sum, "{n} {d}: weight {r}");
            }
        }
    }
}
