//! One layer of an encoder: attention and two linear maps, each with its residual and its norm.

use super::activation::Activation;
use super::attention::{Attention, RelativeBias};
use super::linear::Linear;
use super::norm::Norm;
use super::scratch::Scratch;

/// Where the norms stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// `x <- norm(x + f(x))`: BERT and its family.
    PostNorm,
    /// `x <- x + s * f(norm(x))`: ViT, CLIP, DINOv2, ModernBERT, Qwen3.
    PreNorm,
}

/// `x <- x + attention`, then `x <- x + down(activation(up(x)))`, with norms as [`Order`] says. Where `up` gives twice
/// what `down` takes, the second half multiplies the activation of the first.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) attention: Attention,
    pub(crate) attention_norm: Norm,
    pub(crate) up: Linear,
    pub(crate) activation: Activation,
    pub(crate) down: Linear,
    pub(crate) output_norm: Norm,
    pub(crate) order: Order,
    /// Factors of the two residuals by column (layer scale); `None` for 1.
    pub(crate) scales: Option<[Vec<f32>; 2]>,
}

impl Block {
    /// Runs the packed rows `x` through the block.
    pub(crate) fn forward(
        &self,
        x: &mut [f32],
        offsets: &[usize],
        bias: Option<&RelativeBias>,
        scratch: &mut Scratch,
    ) {
        let mut change = std::mem::take(&mut scratch.change);
        let mut normed = std::mem::take(&mut scratch.normed);
        self.attention.forward(
            self.input(x, &self.attention_norm, &mut normed),
            offsets,
            bias,
            scratch,
            &mut change,
        );
        self.join(x, &change, 0, &self.attention_norm);
        let mut hidden = std::mem::take(&mut scratch.hidden);
        self.up.forward(self.input(x, &self.output_norm, &mut normed), &mut hidden);
        if self.up.outputs() == 2 * self.down.inputs() {
            self.gate(&mut hidden);
        } else {
            self.activation.apply(&mut hidden);
        }
        self.down.forward(&hidden, &mut change);
        self.join(x, &change, 1, &self.output_norm);
        (scratch.change, scratch.normed, scratch.hidden) = (change, normed, hidden);
    }

    /// Rows `[a, b]` of two halves become `activation(a) * b` (Shazeer 2020, *GLU Variants Improve Transformer*).
    fn gate(&self, hidden: &mut Vec<f32>) {
        let half = self.down.inputs();
        let mut gated = Vec::with_capacity(hidden.len() / 2);
        for row in hidden.chunks_exact_mut(2 * half) {
            let (a, b) = row.split_at_mut(half);
            self.activation.apply(a);
            gated.extend(a.iter().zip(b).map(|(a, b)| *a * *b));
        }
        *hidden = gated;
    }

    /// What a part of the block sees: its rows, normalised first where the order is so.
    fn input<'a>(&self, x: &'a [f32], norm: &Norm, normed: &'a mut Vec<f32>) -> &'a [f32] {
        match self.order {
            Order::PostNorm => x,
            Order::PreNorm => {
                normed.clear();
                normed.extend_from_slice(x);
                norm.forward(normed);
                normed
            }
        }
    }

    /// Adds a part's change to the rows.
    fn join(&self, x: &mut [f32], change: &[f32], part: usize, norm: &Norm) {
        add(x, change, self.scales.as_ref().map(|scales| &scales[part][..]));
        if self.order == Order::PostNorm {
            norm.forward(x);
        }
    }
}

/// Adds a change to rows, times a factor of each column (layer scale) where there are such factors.
pub(crate) fn add(x: &mut [f32], change: &[f32], scale: Option<&[f32]>) {
    let Some(scale) = scale else {
        x.iter_mut().zip(change).for_each(|(x, c)| *x += c);
        return;
    };
    let rows = x.chunks_exact_mut(scale.len()).zip(change.chunks_exact(scale.len()));
    rows.for_each(|(x, c)| x.iter_mut().zip(c).zip(scale).for_each(|((x, c), s)| *x += s * c));
}
