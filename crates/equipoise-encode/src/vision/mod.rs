//! Pictures to features: decoding, preprocessing and vision transformers.

mod builtin;
mod encoder;
mod model;
mod picture;
mod preprocess;
mod request;

pub use model::ImagePooling;
pub use request::{ImageRequest, encode_images};
