//! Texts to vectors.

mod bert;
mod builtin;
mod embedder;
mod model;
mod names;
mod pooling;
mod request;
mod static_model;
mod tokenizer;
mod words;

pub(crate) use request::BUILTIN;
pub use request::{TextRequest, encode_texts};
