//! The tests of this crate, one program: it is built and linked once.

mod answers;
mod batch;
mod common;
mod export;
mod new_items;
mod serving;
mod together;
mod upload;
