//! Self-attention over packed sequences.
//!
//! ```text
//! head h:  O_h = softmax(Q_h K_h^T / sqrt(d_h) + B_h) V_h       out = [O_1 ... O_H] W_o^T + b_o
//! ```
//!
//! Source: Vaswani et al., NeurIPS 2017, *Attention Is All You Need*. `B_h` is 0 unless positions are relative.

use equipoise_kernels::exponential::exp_one;
use equipoise_kernels::product::{Matrix, Strided, product};

use super::linear::Linear;
use super::scratch::Scratch;

/// Multi-head self-attention.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    /// Queries, keys and values as one map: `3 width` outputs.
    qkv: Linear,
    output: Linear,
    heads: usize,
    width: usize,
}

/// A number for each head and each distance `j - i` from query `i` to key `j`, added to the scores.
#[derive(Clone, Debug)]
pub(crate) struct RelativeBias {
    /// By head, then by `distance + reach`: `heads x (2 reach + 1)`.
    pub(crate) table: Vec<f32>,
    /// Largest distance.
    pub(crate) reach: usize,
}

impl Attention {
    /// Attention of `heads` heads over rows as wide as `query` is.
    ///
    /// # Panics
    /// If the width is no multiple of the heads, or the maps have different widths.
    pub(crate) fn new(query: Linear, key: Linear, value: Linear, output: Linear, heads: usize) -> Attention {
        let width = query.outputs();
        assert!(heads > 0 && width.is_multiple_of(heads), "attention: heads");
        assert!(key.outputs() == width && value.outputs() == width, "attention: widths");
        Attention { qkv: Linear::stacked(&[query, key, value]), output, heads, width }
    }

    /// `out` is the attention of the rows of `x` within each sequence; it gets the right length.
    pub(crate) fn forward(
        &self,
        x: &[f32],
        offsets: &[usize],
        bias: Option<&RelativeBias>,
        scratch: &mut Scratch,
        out: &mut Vec<f32>,
    ) {
        self.qkv.forward(x, &mut scratch.qkv);
        scratch.context.resize(x.len() / self.width * self.width, 0.0);
        for sequence in offsets.windows(2) {
            let (first, length) = (sequence[0], sequence[1] - sequence[0]);
            for head in 0..self.heads {
                self.head(head, first, length, bias, scratch);
            }
        }
        self.output.forward(&scratch.context, out);
    }

    /// One head of one sequence, from `scratch.qkv` to its columns of `scratch.context`.
    fn head(
        &self,
        head: usize,
        first: usize,
        length: usize,
        bias: Option<&RelativeBias>,
        scratch: &mut Scratch,
    ) {
        if length == 0 {
            return;
        }
        let (width, d) = (self.width, self.width / self.heads);
        let part = |which: usize| &scratch.qkv[first * 3 * width + which * width + head * d..];
        scratch.scores.clear();
        scratch.scores.resize(length * length, 0.0);
        let scores = Matrix { data: &mut scratch.scores, rows: length, columns: length };
        let (queries, keys, values) = (part(0), part(1), part(2));
        let by_row = |data| Strided { data, row: 3 * width, column: 1 };
        product(scores, by_row(queries), Strided { data: keys, row: 1, column: 3 * width }, d);
        let bias = bias.map(|b| (&b.table[head * (2 * b.reach + 1)..][..2 * b.reach + 1], b.reach));
        softmax(&mut scratch.scores, length, 1.0 / (d as f32).sqrt(), bias);
        scratch.head.clear();
        scratch.head.resize(length * d, 0.0);
        let weights = Strided { data: &scratch.scores, row: length, column: 1 };
        product(
            Matrix { data: &mut scratch.head, rows: length, columns: d },
            weights,
            by_row(values),
            length,
        );
        for (r, row) in scratch.head.chunks_exact(d).enumerate() {
            scratch.context[(first + r) * width + head * d..][..d].copy_from_slice(row);
        }
    }
}

equipoise_kernels::wide! {
    /// Each row `i` of `length` scores becomes `softmax(scale * row + bias[reach - i ..])`.
    fn softmax(scores: &mut [f32], length: usize, scale: f32, bias: Option<(&[f32], usize)>) {
        for (i, row) in scores.chunks_exact_mut(length).enumerate() {
            row.iter_mut().for_each(|s| *s *= scale);
            if let Some((bias, reach)) = bias {
                row.iter_mut().zip(&bias[reach - i..]).for_each(|(s, b)| *s += b);
            }
            let largest = row.iter().fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
            row.iter_mut().for_each(|s| *s = exp_one(*s - largest));
            let scale = 1.0 / row.iter().sum::<f32>();
            row.iter_mut().for_each(|s| *s *= scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_become_weights_that_sum_to_1_and_keep_their_ratios() {
        let bias = [0.5, -1.0, 2.0, 0.25, 1.0];
        let scores = [1.0, -2.0, 30.0, 0.0, 4.0, 3.0, 9.0, 9.5, -3.0f32];
        let mut found = scores;
        softmax(&mut found, 3, 0.5, Some((&bias, 2)));
        for (i, row) in found.chunks(3).enumerate() {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            for j in 0..3 {
                let logit = |j: usize| 0.5 * scores[3 * i + j] + bias[j + 2 - i];
                let expected = (logit(j) - logit(0)).exp();
                assert!((row[j] / row[0] - expected).abs() < 1e-5 * expected, "{i} {j}");
            }
        }
    }
}
