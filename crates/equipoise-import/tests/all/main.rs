//! The tests of this crate, one program: it is built and linked once.

mod convert;
mod import;
mod import_mutated;
mod own_format;
mod text_files;
