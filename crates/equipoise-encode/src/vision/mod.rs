//! Pictures to features: decoding, preprocessing, vision transformers and convolutional networks.

mod builtin;
mod convolution;
mod encoder;
mod known;
mod model;
mod picture;
mod picture_model;
mod pooling;
mod preprocess;
mod registry;
mod request;
mod row_mean;

pub use pooling::ImagePooling;
pub use request::{ImageRequest, encode_images, picture_paths};
