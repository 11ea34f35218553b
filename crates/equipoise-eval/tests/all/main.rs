//! The tests of this crate, one program: it is built and linked once.

mod evaluation;
mod metrics;
mod ranking;
mod significance;
