//! Balancers: what is done to a recommender's loss and gradients so that every modality pulls its weight.
//!
//! * [`Balancer`]: the trait, fed with margins under ablations and nothing else of the backbone.
//! * [`none`]: no balancing, the plain multimodal model.
//! * [`ckd`]: counterfactual knowledge distillation from uni-modal [`Teacher`]s.
//! * [`gb`]: gradient blending, one loss per modality with weights from how each overfits.
//! * [`ogm`]: on-the-fly gradient modulation, which slows the modality that leads.
//! * [`cohesion`]: weights of each modality's part of the margin, triple by triple.
//! * [`agm`]: adaptive gradient modulation of each modality's response.
//! * [`weights`]: the counterfactual weights of CKD.
//! * [`losses`]: the ranking and distillation losses.
//! * [`heads`], [`update`]: what a balancer may measure, and what it may change after the loss.
//! * [`registry`]: every balancer by name.

pub mod agm;
pub mod balancer;
pub mod ckd;
pub mod cohesion;
pub mod gb;
pub mod heads;
pub mod losses;
pub mod none;
pub mod ogm;
pub mod registry;
pub mod teacher;
pub mod update;
pub mod weights;

pub use balancer::{Balancer, ModalityStep, Needs, StepLoss, StepMargins};
pub use ckd::CkdConfig;
pub use heads::{HeadLosses, Heads, Losses};
pub use registry::{BalanceConfig, BalancerEntry, Requirement, Setup, TeacherConfig, balancers, find};
pub use teacher::Teacher;
pub use update::Update;
