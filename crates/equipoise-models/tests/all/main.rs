//! The tests of this crate, one program: it is built and linked once.

mod ablations;
mod bm3;
mod common;
mod comparators;
mod deepstyle;
mod egogcn;
mod freedom;
mod goldens;
mod grcn;
mod groups;
mod mgcn;
mod mmgcn;
mod registry;
mod vbpr_golden;
