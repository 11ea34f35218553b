//! Exact full ranking, metrics, per-user results and significance.
//!
//! [`rank`] scores every item for every user asked for and keeps the best k, [`evaluate`] compares
//! such a ranking with held-out interactions, [`PerUser`] keeps the value of every metric for every
//! user, and [`significance`] tells whether two runs differ.
//!
//! ```
//! use equipoise_data::Interactions;
//! use equipoise_eval::{Embeddings, EvalConfig, evaluate};
//!
//! // Two users, three items, one dimension: both users prefer the items in order 2, 1, 0.
//! let (train, _) = Interactions::from_pairs(2, 3, &[(0, 2), (1, 0)]);
//! let (test, _) = Interactions::from_pairs(2, 3, &[(0, 1), (1, 1)]);
//! let model = Embeddings::new(&[1.0, 1.0], &[0.1, 0.2, 0.3], 1)?;
//! let config = EvalConfig { ks: vec![1], ..EvalConfig::default() };
//! let result = evaluate(&model, &test, &[&train], &config)?;
//! // User 0 has seen item 2, so item 1 comes first; for user 1 it comes second.
//! assert_eq!(result.metric("recall@1")?, 0.5);
//! # Ok::<(), equipoise_eval::EvalError>(())
//! ```

mod candidates;
mod config;
mod embeddings;
mod error;
mod evaluate;
pub mod metrics;
mod per_user;
mod rank;
pub mod significance;

pub use candidates::Candidates;
pub use config::EvalConfig;
pub use embeddings::Embeddings;
pub use error::{EvalError, Table};
pub use evaluate::{Evaluation, SAYS_NOTHING, evaluate, evaluate_until};
pub use metrics::{Metric, MetricName, NdcgDefinition};
pub use per_user::PerUser;
#[cfg(feature = "parquet")]
pub use per_user::PerUserFile;
pub use rank::{ItemIndex, NO_ITEM, Ranking, rank};
pub use significance::{
    PairedTest, SignedRankTest, WilcoxonMethod, holm, paired_error, paired_t, two_way_interval,
    wilcoxon_signed_rank,
};
