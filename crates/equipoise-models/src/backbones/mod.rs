//! The built-in backbones, one file or folder each.

pub mod bm3;
pub mod freedom;
pub mod mgcn;
pub mod mmgcn;
pub mod bprmf;
pub mod deepstyle;
pub mod itemknn;
pub mod lightgcn;
pub mod popularity;
pub mod vbpr;
