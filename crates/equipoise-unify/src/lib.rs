//! No code: the features of dependencies that several crates of this workspace share.
//!
//! Cargo unites features over the packages that it is asked to build. Without this crate, `cargo build -p equipoise-train` and
//! `cargo build --workspace` ask for different features of crates far below, so that each builds Burn again, for minutes.
//! Every crate depends on this one (through `equipoise-kernels`), so that both ask for the same. The list holds crates that
//! are in the graph anyway; a test of `equipoise-cli` compares the features and says what to add here.
