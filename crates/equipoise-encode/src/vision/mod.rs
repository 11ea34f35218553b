//! Pictures to features: decoding, preprocessing and vision transformers.

#[cfg(test)]
mod golden;
mod model;
mod picture;
mod preprocess;

pub use model::ImagePooling;
pub use picture::PictureFault;
