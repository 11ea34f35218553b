//! The tests of this crate, one program: it is built and linked once.

mod ckd_ablations;
mod ckd_golden;
mod common;
mod concepts;
mod gradients;
mod losses;
mod registry;
mod rivals_early;
mod rivals_golden;
mod rivals_properties;
mod robust_golden;
mod suite;
mod trajectories;
mod weights_golden;
mod weights_properties;
