//! The tests of this crate, one program: it is built and linked once.

mod common;
mod faults;
mod golden;
mod images;
mod jobs;
mod order;
mod sounds;
