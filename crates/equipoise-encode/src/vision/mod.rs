//! Pictures to features: decoding, preprocessing and vision transformers.

mod builtin;
mod encoder;
#[cfg(test)]
mod golden;
mod model;
mod picture;
mod preprocess;
mod request;
mod sources;

pub use model::ImagePooling;
pub use request::{ImageRequest, encode_images};
