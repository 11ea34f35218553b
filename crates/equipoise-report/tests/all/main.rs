//! The tests of this crate, one program: it is built and linked once.

mod fixture;
mod markup;
mod page;
mod words;
