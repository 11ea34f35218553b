//! The bipartite user-item graph in CSR form and its normalisations, the directed edge sets along which
//! attention runs, and graphs of similar items.
//!
//! Nodes are numbered users first: user `u` is node `u`, item `i` is node `U + i`; `N = U + I`.
//!
//! ```
//! use equipoise_data::Interactions;
//! use equipoise_data::graph::{Bipartite, Normalisation};
//! let (train, _) = Interactions::from_pairs(2, 2, &[(0, 0), (0, 1), (1, 1)]);
//! let graph = Bipartite::new(&train);
//! assert_eq!(graph.neighbours(0), [2, 3]);
//! let matrix = graph.normalised(Normalisation::Rw);
//! assert_eq!(matrix.row(0).collect::<Vec<_>>(), [(2, 0.5), (3, 0.5)]);
//! ```

mod bipartite;
mod edges;
mod knn;
mod nearest;
mod normalisation;

pub use bipartite::Bipartite;
pub use edges::Edges;
pub use knn::{Knn, knn, knn_until};
pub use normalisation::Normalisation;

pub use crate::csr::{Csr, CsrPattern, TransposedPattern};
