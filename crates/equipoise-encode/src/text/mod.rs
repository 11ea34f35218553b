//! Texts to vectors.

mod bert;
mod builtin;
mod embedder;
mod family;
mod model;
mod modern_bert;
mod names;
mod nomic_bert;
mod pooling;
mod ranges;
mod request;
mod static_model;
mod tokenizer;
mod words;

pub(crate) use request::BUILTIN;
pub use request::{TextRequest, encode_texts};
