//! Pictures to features.

pub(crate) mod picture;
pub(crate) mod preprocess;
