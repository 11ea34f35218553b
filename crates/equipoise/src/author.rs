//! For authors of backbones, balancers and layouts of files. Whoever only uses them needs nothing of this.
//!
//! A backbone is a type of settings with [`BackboneSettings`], which builds a [`Backbone`]; a balancer one with
//! [`BalancerSettings`], which builds a [`Balancer`]; a layout is a [`Format`]. Registered, each is known wherever the
//! built-in ones are: in configurations, searches, reports and on the command line. [`backbone_suite`] and [`balancer_suite`]
//! hold an entry to what all of them must do. The guides `docs/add-a-backbone.md` and `docs/add-a-balancer.md` are examples.

pub use equipoise_balance::{
    BalanceConfig, Balancer, BalancerEntry, BalancerSettings, BalancerState, HeadLosses, Heads, Losses,
    ModalityStep, Needs, Quantities, Quantity, Requirement, Setup, StateError, StepLoss, StepMargins,
    TREATMENT_EFFECT, Teacher, Update, balancers, losses, register as register_balancer, stacking,
    suite as balancer_suite, weights,
};
pub use equipoise_data::formats::{
    Faults, Format, FormatEntry, Gathered, GatheredModality, GatheredSplit, NoOptions, ReadRequest,
    register as register_format,
};
pub use equipoise_data::{DataError, FieldError, Seed, Stream, Triples};
pub use equipoise_models::{
    AblationEffect, Backbone, BackboneConfig, BackboneEntry, BackboneSettings, BatchTriples, Block, Build,
    Content, Encoded, Graphs, Init, Inputs, Linear, Margins, Mode, Model, ModelError, Objective, Occurrences,
    Pass, Projection, Request, RowSet, Tables, Terms, View, backbones, encode_additively, encode_naively,
    encode_once, layer_mean, ranges, register as register_backbone, suite as backbone_suite,
};
/// Operations on tensors with fast gradients, initialisers and parameters.
pub use equipoise_nn as ops;
pub use equipoise_nn::Tensor;
