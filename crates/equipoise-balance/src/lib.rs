//! Balancers: what is added to a recommender's loss so that every modality pulls its weight.
//!
//! * [`Balancer`]: the trait, fed with margins under ablations and nothing else of the backbone.
//! * [`none`]: no balancing, the plain multimodal model.
//! * [`ckd`]: counterfactual knowledge distillation from uni-modal [`Teacher`]s.
//! * [`weights`]: the counterfactual weights of CKD.
//! * [`losses`]: the distillation losses.
//! * [`registry`]: every balancer by name.

pub mod balancer;
pub mod ckd;
pub mod losses;
pub mod none;
pub mod registry;
pub mod teacher;
pub mod weights;

pub use balancer::{Balancer, ModalityStep, Needs, StepLoss, StepMargins};
pub use ckd::CkdConfig;
pub use registry::{BalanceConfig, BalancerEntry, TeacherConfig, balancers, find};
pub use teacher::Teacher;
