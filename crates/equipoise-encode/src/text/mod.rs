//! Texts to vectors.

mod architecture;
mod bert;
mod builtin;
mod config;
mod embedder;
mod modern_bert;
mod nomic_bert;
mod pooling;
mod qwen3;
mod registry;
mod request;
mod stack;
mod static_model;
mod tokenizer;
mod words;

pub(crate) use request::BUILTIN;
pub use request::{TextRequest, encode_texts};
