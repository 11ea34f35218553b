//! Features from content: the texts and pictures of items through encoders, one row per item.

mod error;
mod job;
mod json;
mod transformer;
mod vision;

pub use error::EncodeError;
pub use vision::{ImagePooling, PictureFault};
