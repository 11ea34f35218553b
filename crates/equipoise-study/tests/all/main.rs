//! The tests of this crate, one program: it is built and linked once.

mod digest;
mod paper;
mod reproduce;
