//! The tests of this crate, one program: it is built and linked once.

mod adam;
mod devices;
mod generic;
mod ops;
mod parameters;
mod threads;
