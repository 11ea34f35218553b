//! Backbones behind one trait, and the registry.
//!
//! A backbone maps its parameters, the frozen item features and the graph to two tables whose inner product is
//! the score: `y_hat(u, i) = <Y_u, Z_i>`. A balancer sees nothing else of it: it asks for predictions under
//! [`Ablation`]s and reads [`Encoded`] tables.
//!
//! * [`Backbone`]: the trait; one function ([`Backbone::forward`]) is enough.
//! * [`BackboneSettings`]: the settings of a backbone, from which it is built; [`register`] makes it known by its name.
//! * [`Ablation`]: which modalities are silenced (replaced by their means).
//! * [`Pass`]: what a forward pass reads, with the ablation already applied.
//! * [`Encoded`]: tables as blocks, so that ablations can share work.
//! * [`backbones`](mod@backbones): the built-in ones, each with its equations and settings.
//! * [`suite`]: checks that every backbone must pass.

mod ablation;
mod additive;
mod backbone;
pub mod backbones;
mod config;
mod encoded;
mod entry;
mod graphs;
mod inputs;
mod layer_mean;
mod model;
mod nodes;
mod occurrences;
mod parts;
mod pass;
pub mod ranges;
mod registry;
mod request;
mod requested;
pub mod section;
pub mod suite;
mod trained;

pub use ablation::{Ablation, MAX_MODALITIES};
pub use additive::{encode_additively, encode_once};
pub use backbone::{Backbone, Objective, encode_naively};
pub use config::BackboneConfig;
pub use encoded::{Block, Encoded, Margins, Terms, View};
pub use entry::{AblationEffect, BackboneEntry, BackboneSettings};
pub use graphs::Graphs;
pub use inputs::{Inputs, ModalityInput, RowSet};
pub use layer_mean::layer_mean;
pub use model::{Model, ModelError};
pub use occurrences::Occurrences;
pub use parts::{Build, Content, Init, Linear};
pub use pass::{Pass, Tables};
pub use registry::{backbones, built_in, find, register};
pub use request::{BatchTriples, Mode, Request};
pub use trained::Projection;

pub use backbones::bm3::Config as Bm3;
pub use backbones::bprmf::Config as BprMf;
pub use backbones::deepstyle::Config as DeepStyle;
pub use backbones::egogcn::Config as EgoGcn;
pub use backbones::freedom::Config as Freedom;
pub use backbones::grcn::Config as Grcn;
pub use backbones::itemknn::Config as ItemKnn;
pub use backbones::lightgcn::Config as LightGcn;
pub use backbones::mgcn::Config as Mgcn;
pub use backbones::mmgcn::Config as Mmgcn;
pub use backbones::popularity::Config as Popularity;
pub use backbones::vbpr::Config as Vbpr;
