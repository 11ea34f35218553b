//! What most programs need: `use equipoise::prelude::*;`

#[cfg(feature = "report")]
pub use crate::Audit;
pub use crate::{Agm, Arl, Ckd, Cml, Cohesion, G2d, Gb, MmPareto, Ogm, Unbalanced};
pub use crate::{
    Bm3, BprMf, DeepStyle, EgoGcn, Freedom, Grcn, ItemKnn, LightGcn, Mgcn, Mmgcn, Popularity, Vbpr,
};
pub use crate::{
    Dataset, Error, EvalConfig, Fill, Hit, Interactions, Scale, TrainedModel, TrainedRun, Training,
};
