//! Random triples for training: positives against negatives, and generic item pairs.

mod bpr;
mod distinct;
mod generic;
mod paired;

pub use bpr::{BprSampler, BprSampling};
pub use generic::GenericSampler;
pub use paired::paired_triples;

/// Why a sampler could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SamplerError {
    /// Nothing to draw from.
    #[error("the train split holds no interaction, so there is nothing to sample; check the data set")]
    Empty,
    /// A batch of nothing.
    #[error("{field} is 0, expected at least 1; raise it")]
    Zero {
        /// Name of the setting.
        field: &'static str,
    },
    /// A user for whom no negative exists.
    #[error(
        "user {user} has all {items} items in train, so no negative can be drawn; remove the user \
         or enlarge the catalogue"
    )]
    NoNegative {
        /// Index of the user.
        user: u32,
        /// Size of the catalogue.
        items: usize,
    },
}
