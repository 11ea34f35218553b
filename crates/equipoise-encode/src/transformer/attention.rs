//! Self-attention over packed sequences.
//!
//! ```text
//! head h:  O_h = softmax(Q_h K_h^T / sqrt(d_h) + B_h) V_h       out = [O_1 ... O_H] W_o^T + b_o
//! ```
//!
//! Source: Vaswani et al., NeurIPS 2017, *Attention Is All You Need*. `B_h` is 0 unless positions are relative. Queries and
//! keys may be normalised, then turned by their positions ([`Rotation`]); several heads may share keys and values (Ainslie
//! et al., EMNLP 2023, *GQA*: head `h` has those of group `h / (heads / groups)`); a query may see some of the keys only
//! ([`Sight`]).

use equipoise_kernels::exponential::exp_one;
use equipoise_kernels::product::{Matrix, Strided, product};
use std::ops::Range;
use std::sync::Arc;

use super::linear::Linear;
use super::norm::Norm;
use super::rotation::Rotation;
use super::scratch::Scratch;

/// Multi-head self-attention.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    /// Queries, keys and values as one map: `(heads + 2 groups) d` outputs.
    qkv: Linear,
    output: Linear,
    heads: usize,
    /// Heads of keys and values.
    groups: usize,
    /// Columns of a head.
    d: usize,
    sight: Sight,
    rotation: Option<Arc<Rotation>>,
    /// Norms of the rows of queries and of keys, head by head.
    norms: Option<[Norm; 2]>,
}

/// A number for each head and each distance `j - i` from query `i` to key `j`, added to the scores.
#[derive(Clone, Debug)]
pub(crate) struct RelativeBias {
    /// By head, then by `distance + reach`: `heads x (2 reach + 1)`.
    pub(crate) table: Vec<f32>,
    /// Largest distance.
    pub(crate) reach: usize,
}

/// Which keys `j` the query `i` sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// All.
    All,
    /// `j <= i`.
    Past,
    /// `|i - j| <= reach`.
    Near(usize),
}

impl Sight {
    /// The keys of a sequence of `length` that query `i` sees.
    fn of(self, i: usize, length: usize) -> Range<usize> {
        match self {
            Sight::All => 0..length,
            Sight::Past => 0..i + 1,
            Sight::Near(reach) => {
                i.saturating_sub(reach)..i.saturating_add(reach).saturating_add(1).min(length)
            }
        }
    }
}

impl Attention {
    /// Attention of `heads` heads, each with keys and values of its own, over maps that are equally wide.
    ///
    /// # Panics
    /// If the width is no multiple of the heads, or the maps have different widths.
    pub(crate) fn new(query: Linear, key: Linear, value: Linear, output: Linear, heads: usize) -> Attention {
        let width = query.outputs();
        assert!(key.outputs() == width && value.outputs() == width, "attention: widths");
        Attention::stacked(Linear::stacked(&[query, key, value]), output, (heads, heads))
    }

    /// Attention of one map for queries, keys and values, one after another, with `heads.0` heads of queries and `heads.1`
    /// of keys and values.
    ///
    /// # Panics
    /// If the outputs cannot be shared out among the heads.
    pub(crate) fn stacked(qkv: Linear, output: Linear, (heads, groups): (usize, usize)) -> Attention {
        let parts = heads + 2 * groups;
        assert!(groups > 0 && heads.is_multiple_of(groups), "attention: groups");
        assert!(qkv.outputs().is_multiple_of(parts), "attention: heads");
        let d = qkv.outputs() / parts;
        Attention { qkv, output, heads, groups, d, sight: Sight::All, rotation: None, norms: None }
    }

    /// The same where queries see what `sight` says.
    pub(crate) fn seeing(self, sight: Sight) -> Attention {
        Attention { sight, ..self }
    }

    /// The same with queries and keys turned by their positions.
    pub(crate) fn turned(self, rotation: Arc<Rotation>) -> Attention {
        Attention { rotation: Some(rotation), ..self }
    }

    /// The same with the rows of queries and of keys normalised, head by head, before they are turned.
    pub(crate) fn normed(self, queries: Norm, keys: Norm) -> Attention {
        Attention { norms: Some([queries, keys]), ..self }
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
        self.prepare(offsets, &mut scratch.qkv);
        scratch.context.resize(x.len() / self.qkv.inputs() * self.heads * self.d, 0.0);
        for sequence in offsets.windows(2) {
            let (first, length) = (sequence[0], sequence[1] - sequence[0]);
            for head in 0..self.heads {
                self.head(head, first, length, bias, scratch);
            }
        }
        self.output.forward(&scratch.context, out);
    }

    /// Normalises and turns the queries and keys of packed rows.
    fn prepare(&self, offsets: &[usize], qkv: &mut [f32]) {
        let (d, row) = (self.d, self.qkv.outputs());
        let queries = self.heads * d;
        if let Some([of_queries, of_keys]) = &self.norms {
            for row in qkv.chunks_exact_mut(row) {
                of_queries.forward(&mut row[..queries]);
                of_keys.forward(&mut row[queries..queries + self.groups * d]);
            }
        }
        if let Some(rotation) = &self.rotation {
            for sequence in offsets.windows(2) {
                let rows = qkv[sequence[0] * row..sequence[1] * row].chunks_exact_mut(row);
                rows.enumerate().for_each(|(t, row)| rotation.turn(t, &mut row[..queries + self.groups * d]));
            }
        }
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
        let (width, d, row) = (self.heads * self.d, self.d, self.qkv.outputs());
        let group = head / (self.heads / self.groups);
        let part = |head: usize| &scratch.qkv[first * row + head * d..];
        let (queries, keys, values) =
            (part(head), part(self.heads + group), part(self.heads + self.groups + group));
        scratch.scores.clear();
        scratch.scores.resize(length * length, 0.0);
        let scores = Matrix { data: &mut scratch.scores, rows: length, columns: length };
        let by_row = |data| Strided { data, row, column: 1 };
        product(scores, by_row(queries), Strided { data: keys, row: 1, column: row }, d);
        let bias = bias.map(|b| (&b.table[head * (2 * b.reach + 1)..][..2 * b.reach + 1], b.reach));
        softmax(&mut scratch.scores, length, 1.0 / (d as f32).sqrt(), bias, self.sight);
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
    /// Each row `i` of `length` scores becomes `softmax(scale * row + bias[reach - i ..])` over the keys that `i` sees, and
    /// 0 elsewhere.
    fn softmax(scores: &mut [f32], length: usize, scale: f32, bias: Option<(&[f32], usize)>, sight: Sight) {
        for (i, row) in scores.chunks_exact_mut(length).enumerate() {
            let seen = sight.of(i, length);
            let (before, from) = row.split_at_mut(seen.start);
            let (row, after) = from.split_at_mut(seen.len());
            before.fill(0.0);
            after.fill(0.0);
            row.iter_mut().for_each(|s| *s *= scale);
            if let Some((bias, reach)) = bias {
                row.iter_mut().zip(&bias[reach - i + seen.start..]).for_each(|(s, b)| *s += b);
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
        for sight in [Sight::All, Sight::Past, Sight::Near(1)] {
            let mut found = scores;
            softmax(&mut found, 3, 0.5, Some((&bias, 2)), sight);
            for (i, row) in found.chunks(3).enumerate() {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                let seen = |j: usize| match sight {
                    Sight::All => true,
                    Sight::Past => j <= i,
                    Sight::Near(reach) => i.abs_diff(j) <= reach,
                };
                for j in 0..3 {
                    let logit = |j: usize| 0.5 * scores[3 * i + j] + bias[j + 2 - i];
                    let expected = if seen(j) { (logit(j) - logit(i)).exp() } else { 0.0 };
                    assert!((row[j] / row[i] - expected).abs() <= 1e-5 * expected, "{sight:?} {i} {j}");
                }
            }
        }
    }
}
