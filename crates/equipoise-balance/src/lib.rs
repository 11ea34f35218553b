//! Balancers: what is done to a recommender's loss and gradients so that every modality pulls its weight.
//!
//! * [`Balancer`]: the trait, fed with margins under ablations and nothing else of the backbone.
//! * [`BalancerSettings`]: the settings of a balancer, from which it is built; [`register`] makes it known by its name.
//! * [`none`]: no balancing, the plain multimodal model.
//! * [`ckd`]: counterfactual knowledge distillation from uni-modal [`Teacher`]s.
//! * [`gb`]: gradient blending, one loss per modality with weights from how each overfits.
//! * [`ogm`]: on-the-fly gradient modulation, which slows the modality that leads.
//! * [`cohesion`]: weights of each modality's part of the margin, triple by triple.
//! * [`agm`]: adaptive gradient modulation of each modality's response.
//! * [`cml`]: calibrated multimodal learning, a penalty where a modality lowers a margin.
//! * [`g2d`]: gradient-guided distillation, modalities that learn one after the other.
//! * [`mmpareto`]: own losses whose gradients give way where they are in conflict.
//! * [`arl`]: modalities that learn in the inverse ratio of their variances.
//! * [`weights`]: the counterfactual weights of CKD.
//! * [`robust`]: teaching by the sum of all teachers, in which what says nothing has no weight; [`stacking`]: that sum.
//! * [`losses`]: the ranking and distillation losses.
//! * [`suite`]: checks that every balancer must pass.
//! * [`Heads`], [`Update`]: what a balancer may measure, and what it may change after the loss.
//! * [`BalancerState`]: what it keeps from one step to the next, for checkpoints.

pub mod agm;
pub mod arl;
mod balancer;
pub mod ckd;
pub mod cml;
pub mod cohesion;
mod config;
mod distillation;
mod entry;
pub mod g2d;
pub mod gb;
mod heads;
pub mod losses;
pub mod mmpareto;
mod modality_step;
pub mod none;
pub mod ogm;
mod own_groups;
mod quantities;
mod registry;
pub mod robust;
pub mod stacking;
mod state;
pub mod suite;
mod teacher;
mod update;
pub mod weights;

pub use balancer::{Balancer, Needs, StepLoss, StepMargins};
pub use config::{BalanceConfig, TeacherConfig};
pub use entry::{BalancerEntry, BalancerSettings, Requirement, Setup};
pub use heads::{HeadLosses, Heads, Losses};
pub use modality_step::ModalityStep;
pub use own_groups::OwnGroups;
pub use quantities::{Quantities, Quantity, TREATMENT_EFFECT};
pub use registry::{balancers, built_in, find, register};
pub use state::{BalancerState, StateError};
pub use teacher::Teacher;
pub use update::{Apply, Owner, Update};

pub use agm::Config as Agm;
pub use arl::Config as Arl;
pub use ckd::Config as Ckd;
pub use cml::Config as Cml;
pub use cohesion::Config as Cohesion;
pub use g2d::Config as G2d;
pub use gb::Config as Gb;
pub use mmpareto::Config as MmPareto;
pub use none::Config as Unbalanced;
pub use ogm::Config as Ogm;
