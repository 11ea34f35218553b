//! The built-in backbones, one file or folder each.

pub mod bm3;
pub mod bprmf;
pub mod deepstyle;
pub mod egogcn;
pub mod freedom;
pub mod grcn;
pub mod itemknn;
pub mod lightgcn;
pub mod mgcn;
pub mod mmgcn;
pub mod popularity;
pub mod vbpr;
