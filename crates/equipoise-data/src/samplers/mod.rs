//! Random triples for training: positives against negatives, and generic item pairs.

mod bpr;
mod distinct;
mod generic;
mod paired;

pub use bpr::{BprSampler, BprSampling};
pub use generic::GenericSampler;
pub use paired::paired_triples;

/// Parallel lists of user, item, item. Samplers clear and refill them, so one can be reused.
///
/// From [`BprSampler`]: user, a train item, an item that is not a train item.
/// From [`GenericSampler`]: user, first item, second item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Triples {
    /// Users.
    pub users: Vec<u32>,
    /// Positive (or first) items.
    pub positives: Vec<u32>,
    /// Negative (or second) items.
    pub negatives: Vec<u32>,
}

impl Triples {
    /// Number of triples.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    fn clear(&mut self) {
        self.users.clear();
        self.positives.clear();
        self.negatives.clear();
    }
}

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
