//! Transformer encoders on plain row-major `f32` slices.
//!
//! Sequences are packed: the tokens of a batch lie one after another, without padding, as rows of one matrix;
//! sequence `s` has rows `offsets[s]..offsets[s + 1]`. Linear maps run over all rows of a batch at once, attention
//! over each sequence and head. Everything here runs on the calling thread: a batch is the unit of parallel work, so
//! that results do not depend on the number of threads.

mod activation;
mod attention;
mod block;
mod linear;
mod norm;
mod rotation;
mod scratch;
mod weights;

pub(crate) use activation::Activation;
pub(crate) use attention::{Attention, RelativeBias, Sight};
pub(crate) use block::{Block, Order, add};
pub(crate) use linear::Linear;
pub(crate) use norm::{LayerNorm, Norm, RootMeanSquare, unit_rows};
pub(crate) use rotation::Rotation;
pub(crate) use scratch::Scratch;
pub(crate) use weights::Weights;
