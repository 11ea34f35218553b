//! The tests of this crate, one program: it is built and linked once.

mod faults;
mod formats;
mod graph_edges;
mod graph_knn;
mod graph_properties;
mod missing;
mod not_finite;
mod npy;
mod parquet;
mod real_data;
mod short_messages;
mod tables;
mod text_files;
