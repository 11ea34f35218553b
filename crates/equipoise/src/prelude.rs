//! What most programs need: `use equipoise::prelude::*;`

#[cfg(feature = "report")]
pub use crate::Audit;
pub use crate::{
    Dataset, Error, EvalConfig, Fill, Hit, Interactions, Scale, TrainedModel, TrainedRun, Training,
};
