//! Rows through a small linear map and an optional leaky ReLU, in one pass over the rows, and all gradients in
//! another.
//!
//! ```text
//! y = f( x W^T + 1 b + e )        f the identity or leaky ReLU, e nothing or the sum of tables of the shape of y
//! ```
//!
//! A block of rows stays in the cache from the product to the activation. Blocks and the groups whose gradients
//! are added up have fixed sizes: results do not depend on the number of threads.

use crate::activate::leaky_relu_backward_chunk;
use crate::outer::add_outer;
use crate::scores::PackedRows;
use crate::vector::wide;
use rayon::prelude::*;

/// Rows of one task.
const BLOCK: usize = 256;
/// Rows whose gradients are made at once: with a width of 64 their tables stay in the first cache.
const BACK_BLOCK: usize = 64;
/// Rows whose weight gradient is one partial sum.
const GROUP: usize = 64 * BACK_BLOCK;

/// The map: `weight` of `d x k` (out x in), `bias` of `d`, and the activation.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// `W`, row-major, `d x k`.
    pub weight: &'a [f32],
    /// `b`, as many as there are outputs.
    pub bias: &'a [f32],
    /// Slope of the leaky ReLU below zero; `None` for no activation.
    pub slope: Option<f32>,
}

impl Affine<'_> {
    fn outputs(&self) -> usize {
        self.bias.len()
    }

    fn inputs(&self) -> usize {
        self.weight.len() / self.outputs()
    }
}

/// Writes `y` (`n x d`) for `x` of `n x k`, with the sum of the tables `added` (`e`), each `n x d`.
///
/// # Panics
/// If a length does not fit.
pub fn affine(map: Affine, x: &[f32], added: &[&[f32]], y: &mut [f32]) {
    let (d, k) = (map.outputs(), map.inputs());
    assert_eq!(map.weight.len(), d * k, "affine: weight length");
    assert_eq!(x.len() / k, y.len() / d, "affine: rows of input and output");
    assert!(added.iter().all(|e| e.len() == y.len()), "affine: length of what is added");
    let packed = PackedRows::new(map.weight, k);
    y.par_chunks_mut(BLOCK * d).zip(x.par_chunks(BLOCK * k)).enumerate().for_each(|(block, (y, x))| {
        start(map.bias, added, block * BLOCK * d, y);
        packed.add_products(x, d, y);
        if let Some(slope) = map.slope {
            leaky(slope, y);
        }
    });
}

wide! {
    fn leaky(slope: f32, y: &mut [f32]) {
        for y in y {
            // A factor and not a branch: a conditional write becomes a masked store, which is slow on some processors.
            *y *= if *y > 0.0 { 1.0 } else { slope };
        }
    }
}

wide! {
    /// The start of the sums: the bias, and the values of the added tables from `at` on.
    fn start(bias: &[f32], added: &[&[f32]], at: usize, y: &mut [f32]) {
        let d = bias.len();
        for (y, at) in y.chunks_exact_mut(d).zip((at..).step_by(d)) {
            y.copy_from_slice(bias);
            for table in added {
                y.iter_mut().zip(&table[at..at + d]).for_each(|(y, e)| *y += e);
            }
        }
    }
}

/// The output of [`affine_backward`]; a gradient that is not wanted is an empty slice.
#[derive(Debug)]
pub struct AffineGradients<'a> {
    /// `dL/dx`, `n x k`, or empty.
    pub x: &'a mut [f32],
    /// `dL/dW`, `d x k`.
    pub weight: &'a mut [f32],
    /// `dL/db`, `d`.
    pub bias: &'a mut [f32],
    /// `dL/de`, `n x d`, or empty.
    pub added: &'a mut [f32],
}

/// The gradients of [`affine`] from its output `y` and `grad = dL/dy`, overwriting them:
///
/// ```text
/// g = grad f'(y)        dx = g W        dW = g^T x        db = 1^T g        de = g
/// ```
///
/// The sign of a leaky ReLU's output is that of its input; its derivative at 0 is the slope.
///
/// # Panics
/// If a length does not fit.
pub fn affine_backward(map: Affine, x: &[f32], y: &[f32], grad: &[f32], gradients: AffineGradients) {
    let (d, k) = (map.outputs(), map.inputs());
    assert_eq!(x.len() / k, grad.len() / d, "affine: rows of input and gradient");
    assert!(map.slope.is_none() || y.len() == grad.len(), "affine: output length");
    let AffineGradients { x: d_x, weight, bias, added } = gradients;
    assert!(d_x.is_empty() || d_x.len() == x.len(), "affine: length of the input's gradient");
    assert!(added.is_empty() || added.len() == grad.len(), "affine: length of the gradient of what is added");
    let groups: Vec<Group> = Group::cut(map, x, y, grad, d_x, added);
    let turned = PackedRows::new(&transposed(map.weight, d, k), d);
    let partial: Vec<(Vec<f32>, Vec<f32>)> =
        groups.into_par_iter().map(|group| group.run(map, &turned)).collect();
    weight.fill(0.0);
    bias.fill(0.0);
    for (of_weight, of_bias) in partial {
        weight.iter_mut().zip(of_weight).for_each(|(sum, part)| *sum += part);
        bias.iter_mut().zip(of_bias).for_each(|(sum, part)| *sum += part);
    }
}

/// `k x d` from `d x k`.
fn transposed(weight: &[f32], d: usize, k: usize) -> Vec<f32> {
    (0..d * k).map(|at| weight[(at % d) * k + at / d]).collect()
}

/// [`GROUP`] rows of every table.
struct Group<'a> {
    x: &'a [f32],
    y: &'a [f32],
    grad: &'a [f32],
    d_x: &'a mut [f32],
    added: &'a mut [f32],
}

impl<'a> Group<'a> {
    fn cut(
        map: Affine,
        x: &'a [f32],
        y: &'a [f32],
        grad: &'a [f32],
        mut d_x: &'a mut [f32],
        mut added: &'a mut [f32],
    ) -> Vec<Group<'a>> {
        let (d, k) = (map.outputs(), map.inputs());
        let mut groups = Vec::new();
        for (at, grad) in grad.chunks(GROUP * d).enumerate() {
            let rows = grad.len() / d;
            let (of_x, rest_x) = d_x.split_at_mut((rows * k).min(d_x.len()));
            let (of_added, rest_added) = added.split_at_mut((rows * d).min(added.len()));
            let x = &x[at * GROUP * k..][..rows * k];
            let y = if map.slope.is_some() { &y[at * GROUP * d..][..rows * d] } else { &[] };
            groups.push(Group { x, y, grad, d_x: of_x, added: of_added });
            (d_x, added) = (rest_x, rest_added);
        }
        groups
    }

    /// Writes the group's rows and returns its part of the gradients of weight and bias. `turned` is packed from the
    /// weight's transpose.
    fn run(self, map: Affine, turned: &PackedRows) -> (Vec<f32>, Vec<f32>) {
        let (d, k) = (map.outputs(), map.inputs());
        let (mut weight, mut bias) = (vec![0.0; d * k], vec![0.0; d]);
        let mut scratch = vec![0.0; if map.slope.is_some() { BACK_BLOCK * d } else { 0 }];
        for (block, grad) in self.grad.chunks(BACK_BLOCK * d).enumerate() {
            let (from, rows) = (block * BACK_BLOCK, grad.len() / d);
            let added = if self.added.is_empty() { &mut [] } else { &mut self.added[from * d..][..rows * d] };
            let g = match map.slope {
                None => {
                    added.copy_from_slice(&grad[..added.len()]);
                    grad
                }
                Some(slope) => {
                    let g = if added.is_empty() { &mut scratch[..rows * d] } else { added };
                    leaky_relu_backward_chunk(&self.y[from * d..][..rows * d], slope, grad, g);
                    &*g
                }
            };
            add_rows(g, &mut bias);
            if !self.d_x.is_empty() {
                let data = &mut self.d_x[from * k..][..rows * k];
                data.fill(0.0);
                turned.add_products(g, k, data);
            }
            add_outer(g, d, &self.x[from * k..][..rows * k], k, &mut weight);
        }
        (weight, bias)
    }
}

wide! {
    fn add_rows(rows: &[f32], sum: &mut [f32]) {
        for row in rows.chunks_exact(sum.len()) {
            for (sum, x) in sum.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(n: usize, step: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * step) % 7) as f32 - 3.0).collect()
    }

    /// Sums of whole numbers this small are exact in any order; the slope is a power of two.
    #[test]
    fn output_and_gradients_equal_the_naive_sums_across_block_edges() {
        for (n, d, k) in [(1, 1, 1), (300, 5, 19), (4200, 16, 32), (70, 64, 64)] {
            let (x, weight, bias) = (whole(n * k, 5), whole(d * k, 3), whole(d, 2));
            let (added, more) = (whole(n * d, 11), whole(n * d, 17));
            let map = Affine { weight: &weight, bias: &bias, slope: Some(0.25) };
            let mut y = vec![f32::NAN; n * d];
            affine(map, &x, &[&added, &more], &mut y);
            let sum = |r: usize, c: usize| crate::dot(&x[r * k..][..k], &weight[c * k..][..k]);
            for (at, &found) in y.iter().enumerate() {
                let before = sum(at / d, at % d) + bias[at % d] + added[at] + more[at];
                assert_eq!(found, before.max(0.25 * before), "{n} {d} {k}: {at}");
            }
            let grad = whole(n * d, 13);
            let g: Vec<f32> =
                grad.iter().zip(&y).map(|(g, y)| if *y > 0.0 { *g } else { 0.25 * g }).collect();
            let tables = [n * k, d * k, d, n * d];
            let [mut d_x, mut d_weight, mut d_bias, mut d_added] = tables.map(|n| vec![f32::NAN; n]);
            let gradients = AffineGradients {
                x: &mut d_x,
                weight: &mut d_weight,
                bias: &mut d_bias,
                added: &mut d_added,
            };
            affine_backward(map, &x, &y, &grad, gradients);
            assert_eq!(d_added, g);
            for c in 0..d {
                assert_eq!(d_bias[c], (0..n).map(|r| g[r * d + c]).sum::<f32>(), "{n} {d} {k}: bias {c}");
                for j in 0..k {
                    let sum: f32 = (0..n).map(|r| g[r * d + c] * x[r * k + j]).sum();
                    assert_eq!(d_weight[c * k + j], sum, "{n} {d} {k}: weight {c} {j}");
                }
            }
            for (at, &found) in d_x.iter().enumerate() {
                let (r, j) = (at / k, at % k);
                let sum: f32 = (0..d).map(|c| g[r * d + c] * weight[c * k + j]).sum();
                assert_eq!(found, sum, "{n} {d} {k}: x {r} {j}");
            }
        }
    }
}
