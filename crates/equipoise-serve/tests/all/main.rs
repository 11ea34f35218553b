//! The tests of this crate, one program: it is built and linked once.

mod feedback;
mod made;
mod mutants;
mod mutated;
mod page;
mod reload;
mod routes;
mod shop;
mod sockets;
mod together;
