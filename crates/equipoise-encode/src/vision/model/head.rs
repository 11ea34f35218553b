//! From the tokens of a picture to one row of features.

use equipoise_kernels::dot;

use crate::transformer::{Activation, LayerNorm, Linear};
use crate::vision::row_mean::mean;

/// The last step of a tower.
#[derive(Debug)]
pub(super) enum Head {
    /// The class token.
    Class,
    /// The mean of the patches.
    Mean,
    /// A linear map of the class token.
    Projected(Linear),
    /// A linear map of the class token, then the hyperbolic tangent.
    Pooler(Linear),
    /// One query attends to the patches.
    Attending(Box<AttentionHead>),
}

impl Head {
    /// Name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Head::Class => "cls",
            Head::Mean => "mean",
            Head::Projected(_) => "projection",
            Head::Pooler(_) => "pooler",
            Head::Attending(_) => "attention",
        }
    }

    /// Columns of the row when tokens have `width`.
    pub fn outputs(&self, width: usize) -> usize {
        match self {
            Head::Projected(map) | Head::Pooler(map) => map.outputs(),
            _ => width,
        }
    }

    /// One row for each `length` tokens, of which `before` come before the patches.
    pub fn pool(
        &self,
        mut x: Vec<f32>,
        norm: &LayerNorm,
        width: usize,
        length: usize,
        before: usize,
    ) -> Vec<f32> {
        match self {
            Head::Class => first_tokens(&x, norm, width, length),
            Head::Projected(map) | Head::Pooler(map) => {
                let mut out = Vec::new();
                map.forward(&first_tokens(&x, norm, width, length), &mut out);
                if matches!(self, Head::Pooler(_)) {
                    Activation::Tanh.apply(&mut out);
                }
                out
            }
            Head::Mean => {
                norm.forward(&mut x);
                x.chunks_exact(width * length)
                    .flat_map(|tokens| mean(&tokens[width * before..], width))
                    .collect()
            }
            Head::Attending(head) => {
                norm.forward(&mut x);
                head.forward(&x, width, length)
            }
        }
    }
}

fn first_tokens(x: &[f32], norm: &LayerNorm, width: usize, length: usize) -> Vec<f32> {
    let mut rows: Vec<f32> =
        x.chunks_exact(width * length).flat_map(|tokens| &tokens[..width]).copied().collect();
    norm.forward(&mut rows);
    rows
}

/// SigLIP's head: a learnt query attends to all tokens, `a = attention(q, X, X)`, and the row is
/// `a + mlp(norm a)`.
#[derive(Debug)]
pub(super) struct AttentionHead {
    /// `W_q probe + b_q`, the same for every picture.
    pub query: Vec<f32>,
    pub key: Linear,
    pub value: Linear,
    pub output: Linear,
    pub heads: usize,
    pub norm: LayerNorm,
    pub up: Linear,
    pub activation: Activation,
    pub down: Linear,
}

impl AttentionHead {
    fn forward(&self, x: &[f32], width: usize, length: usize) -> Vec<f32> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        self.key.forward(x, &mut keys);
        self.value.forward(x, &mut values);
        let parts = keys.chunks_exact(width * length).zip(values.chunks_exact(width * length));
        let context: Vec<f32> = parts.flat_map(|(keys, values)| self.attend(keys, values, width)).collect();
        let (mut row, mut normed, mut hidden, mut change) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        self.output.forward(&context, &mut row);
        self.norm.forward_into(&row, &mut normed);
        self.up.forward(&normed, &mut hidden);
        self.activation.apply(&mut hidden);
        self.down.forward(&hidden, &mut change);
        row.iter_mut().zip(&change).for_each(|(value, change)| *value += change);
        row
    }

    /// `softmax(q K^T / sqrt(d_h)) V` of each head.
    fn attend(&self, keys: &[f32], values: &[f32], width: usize) -> Vec<f32> {
        let size = width / self.heads;
        let mut context = vec![0.0; width];
        for head in 0..self.heads {
            let part = head * size..(head + 1) * size;
            let score =
                |key: &[f32]| dot(&self.query[part.clone()], &key[part.clone()]) / (size as f32).sqrt();
            let scores: Vec<f32> = keys.chunks_exact(width).map(score).collect();
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights: Vec<f32> = scores.iter().map(|score| (score - largest).exp()).collect();
            let sum: f32 = weights.iter().sum();
            for (weight, value) in weights.iter().zip(values.chunks_exact(width)) {
                let out = context[part.clone()].iter_mut().zip(&value[part.clone()]);
                out.for_each(|(out, value)| *out += weight / sum * value);
            }
        }
        context
    }
}
