//! Backbones behind one trait, and the registry.
//!
//! A backbone maps its parameters, the frozen item features and the graph to two tables whose inner product is
//! the score: `y_hat(u, i) = <Y_u, Z_i>`. A balancer sees nothing else of it: it asks for predictions under
//! [`Ablation`]s and reads [`Encoded`] tables.
//!
//! * [`Backbone`]: the trait; one function ([`Backbone::forward`]) is enough.
//! * [`Ablation`]: which modalities are silenced (replaced by their means).
//! * [`Pass`]: what a forward pass reads, with the ablation already applied.
//! * [`Encoded`]: tables as blocks, so that ablations can share work.
//! * [`registry`]: every built-in backbone by name.

pub mod ablation;
pub mod additive;
pub mod backbone;
pub mod backbones;
pub mod encoded;
pub mod graphs;
pub mod inputs;
pub mod layer_mean;
pub mod model;
mod nodes;
pub mod occurrences;
pub mod parts;
pub mod pass;
pub mod ranges;
pub mod registry;
pub mod request;
mod requested;
pub mod suite;
pub mod trained;

pub use ablation::Ablation;
pub use additive::{encode_additively, encode_once};
pub use backbone::{Backbone, Objective, encode_naively};
pub use encoded::{Block, Encoded, Margins, Terms, View};
pub use graphs::Graphs;
pub use inputs::{Inputs, ModalityInput, RowSet};
pub use layer_mean::layer_mean;
pub use model::{Model, ModelError};
pub use occurrences::Occurrences;
pub use parts::{Build, Content, Linear};
pub use pass::{Pass, Tables};
pub use registry::{AblationEffect, BackboneConfig, BackboneEntry, backbones, built_in, find, register};
pub use request::{BatchTriples, Mode, Request};
pub use trained::Projection;
