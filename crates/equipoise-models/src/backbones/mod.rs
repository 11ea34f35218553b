//! The built-in backbones, one file each.

pub mod vbpr;
