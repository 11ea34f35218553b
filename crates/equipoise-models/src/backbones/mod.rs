//! The built-in backbones, one file each.

pub mod egogcn;
pub mod grcn;
pub mod vbpr;
