//! The tests of this crate, one program: it is built and linked once.

mod buffers;
mod checkpoints;
mod common;
mod damage;
mod devices;
mod reproducible;
mod rivals;
mod robust;
mod runs;
mod tables;
mod teachers;
mod training;
mod tuning_goes_on;
