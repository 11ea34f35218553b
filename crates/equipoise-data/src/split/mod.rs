//! Dividing interactions that come without a split into train, validation and test.
//!
//! One set of rules for raw files and for tables: [`SplitRule`] says who goes where, [`Shares`] how much under the
//! rules that leave it open. Random rules draw from the stream `split` of the seed, users in the order of their
//! indices, so that rows, rule, shares and seed decide the result and nothing else does.

mod dated;
mod lattice;
mod per_user;
mod rule;
mod shares;
mod splitting;
mod time;

pub use dated::Dated;
pub use lattice::{Holdout, split_per_user};
pub use rule::SplitRule;
pub use shares::Shares;
pub use splitting::Splitting;

#[cfg(test)]
mod tests;
