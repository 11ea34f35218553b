//! Transformer encoders: weights from safetensors, and candle's layers made of them.
//!
//! Everything here runs on the calling thread where that has a pool of its own: a batch is the unit of parallel work, so that
//! results do not depend on the number of threads.

mod activation;
mod blocks;
mod source;
mod units;
mod weights;

pub(crate) use activation::Activation;
pub(crate) use blocks::{BlockNames, BlockSizes, blocks};
pub(crate) use source::{AsTheyAre, Naming, Prefixed, load};
pub(crate) use units::unit_rows;
pub(crate) use weights::Weights;
