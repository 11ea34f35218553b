//! The built-in backbones, one file each.

pub mod bprmf;
pub mod deepstyle;
pub mod itemknn;
pub mod lightgcn;
pub mod popularity;
pub mod vbpr;
