//! Sounds to features: decoding, one rate, log-mel bands.

mod builtin;
mod each;
mod levels;
#[cfg(test)]
mod made_up;
mod mel;
mod request;
mod sound;
mod whisper;

pub use request::{AudioRequest, encode_audio};
