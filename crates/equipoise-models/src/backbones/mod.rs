//! The built-in backbones, one file each.

pub mod mmgcn;
pub mod vbpr;
