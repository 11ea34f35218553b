//! Partition functions of contrastive losses: `ln sum exp` over all inner products of a row with the rows of a table.
//!
//! ```text
//! out_r = ln sum_s exp( <a_r, b_s> + o_s )
//! ```
//!
//! A block of rows of `a` is multiplied with all of `b` at a time, so no table of rows x rows is ever made. Blocks
//! and the groups whose gradients are added up depend on the sizes alone, not on the number of threads.

use crate::exponential::exp_one;
use crate::product::{Matrix, Strided, inner_products, product};
use crate::vector::{sum, wide};
use rayon::prelude::*;

/// Rows of `a` that are multiplied with `b` at a time.
const BLOCK: usize = 64;
/// Most groups of blocks, each of which has a sum of its own for the gradient of `b`.
const GROUPS: usize = 8;

/// The operands: row-major tables of finite numbers with `width >= 1` columns.
#[derive(Clone, Copy, Debug)]
pub struct PartitionOperands<'a> {
    /// `n x width`.
    pub a: &'a [f32],
    /// `m x width`.
    pub b: &'a [f32],
    /// `o`, `m` finite numbers.
    pub offsets: &'a [f32],
    /// Columns of both.
    pub width: usize,
}

impl PartitionOperands<'_> {
    fn check(&self, n: usize) {
        assert_eq!(self.a.len(), n * self.width, "partition: length of a");
        assert_eq!(self.b.len(), self.offsets.len() * self.width, "partition: length of b");
    }

    /// A thread's memory for the inner products of a block.
    fn scratch(&self) -> Vec<f32> {
        vec![0.0; BLOCK * self.offsets.len()]
    }
}

/// Writes `out`, one number per row of `a`: negative infinity where `b` has no row.
///
/// # Panics
/// If the lengths do not fit.
pub fn log_partition(operands: PartitionOperands, out: &mut [f32]) {
    operands.check(out.len());
    let m = operands.offsets.len();
    if m == 0 {
        return out.fill(f32::NEG_INFINITY);
    }
    out.par_chunks_mut(BLOCK).zip(operands.a.par_chunks(BLOCK * operands.width)).for_each_init(
        || operands.scratch(),
        |scratch, (out, a)| {
            let logits = &mut scratch[..out.len() * m];
            inner_products(a, operands.b, operands.width, logits);
            reduce(logits, operands.offsets, out);
        },
    );
}

wide! {
    /// Subtracts the largest logit of a row first. Overwrites the logits.
    fn reduce(logits: &mut [f32], offsets: &[f32], out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(logits.chunks_exact_mut(offsets.len())) {
            let mut max = f32::NEG_INFINITY;
            for (x, offset) in x.iter_mut().zip(offsets) {
                *x += offset;
                max = if *x > max { *x } else { max };
            }
            x.iter_mut().for_each(|x| *x = exp_one(*x - max));
            *out = max + sum(x).ln();
        }
    }
}

/// The gradients of [`log_partition`] from its result and `grad = dL/dout`, overwriting both:
///
/// ```text
/// p_rs = grad_r exp( <a_r, b_s> + o_s - out_r )        d_a_r = sum_s p_rs b_s        d_b_s = sum_r p_rs a_r
/// ```
///
/// # Panics
/// If the lengths do not fit.
pub fn log_partition_backward(
    operands: PartitionOperands,
    out: &[f32],
    grad: &[f32],
    d_a: &mut [f32],
    d_b: &mut [f32],
) {
    operands.check(out.len());
    assert_eq!(grad.len(), out.len(), "partition: gradient length");
    assert_eq!(d_a.len(), operands.a.len(), "partition: length of the gradient of a");
    assert_eq!(d_b.len(), operands.b.len(), "partition: length of the gradient of b");
    d_a.fill(0.0);
    d_b.fill(0.0);
    if operands.a.is_empty() || operands.b.is_empty() {
        return;
    }
    let group = out.len().div_ceil(GROUPS).next_multiple_of(BLOCK);
    let parts: Vec<Vec<f32>> = d_a
        .par_chunks_mut(group * operands.width)
        .zip(operands.a.par_chunks(group * operands.width))
        .zip(out.par_chunks(group).zip(grad.par_chunks(group)))
        .map(|((d_a, a), (out, grad))| of_group(PartitionOperands { a, ..operands }, out, grad, d_a))
        .collect();
    d_b.par_chunks_mut(BLOCK * operands.width).enumerate().for_each(|(block, d_b)| {
        for part in &parts {
            d_b.iter_mut().zip(&part[block * BLOCK * operands.width..]).for_each(|(sum, x)| *sum += x);
        }
    });
}

/// Adds the gradient of its rows of `a` to `d_a`; its part of the gradient of `b`.
fn of_group(operands: PartitionOperands, out: &[f32], grad: &[f32], d_a: &mut [f32]) -> Vec<f32> {
    let PartitionOperands { a, b, offsets, width } = operands;
    let m = offsets.len();
    let (mut scratch, mut d_b) = (operands.scratch(), vec![0.0; b.len()]);
    let blocks = d_a.chunks_mut(BLOCK * width).zip(a.chunks(BLOCK * width));
    for ((d_a, a), (out, grad)) in blocks.zip(out.chunks(BLOCK).zip(grad.chunks(BLOCK))) {
        let (n, p) = (out.len(), &mut scratch[..out.len() * m]);
        inner_products(a, b, width, p);
        weigh(p, offsets, out, grad);
        let by_row = |data, row, column| Strided { data, row, column };
        product(Matrix { data: d_a, rows: n, columns: width }, by_row(p, m, 1), by_row(b, width, 1), m);
        product(Matrix { data: &mut d_b, rows: m, columns: width }, by_row(p, 1, m), by_row(a, width, 1), n);
    }
    d_b
}

wide! {
    /// `p` in place of the inner products.
    fn weigh(p: &mut [f32], offsets: &[f32], out: &[f32], grad: &[f32]) {
        for (p, (&out, &grad)) in p.chunks_exact_mut(offsets.len()).zip(out.iter().zip(grad)) {
            for (p, offset) in p.iter_mut().zip(offsets) {
                *p = grad * exp_one(*p + offset - out);
            }
        }
    }
}
