//! Searches over settings of a run, by a metric on validation.
//!
//! ```text
//! Space ─▶ Strategy ─proposals─▶ Study ─point, budget─▶ Trial
//!              ▲                   │                      │
//!              └── history ── Journal ◀── measured ───────┘
//! ```
//!
//! * [`Space`]: a [`Dimension`] (list or range) for each searched setting; a [`Point`] is one value for each.
//! * [`strategy::Strategy`]: grid, random, TPE, successive halving; pure functions of the history.
//! * [`Trial`]: whatever can be tried at a point, such as [`Training`]. Its answer has no room for test numbers.
//! * [`Study`]: runs proposals on a few workers and keeps each record in a [`Journal`] at once.
//! * [`Plan`]: a run's configuration with a `[sweep]` section; [`Sweep`] is the whole search over it, with its
//!   directory.
//!
//! The same settings give the same records whatever the number of jobs and threads, and whether or not the
//! search was killed on the way.

mod config;
mod dimension;
mod error;
mod journal;
mod plan;
mod point;
pub mod results;
mod search;
mod space;
pub mod strategy;
mod study;
mod training;
mod trial;

pub use crate::html::sweep_page as html_page;
pub use config::{Method, SweepConfig};
pub use dimension::{Dimension, Range};
pub use error::SweepError;
pub use journal::{Identity, Journal};
pub use plan::Plan;
pub use point::{Point, short};
pub use results::Results;
pub use search::{Outcome, Sweep};
pub use space::Space;
pub use study::{Found, Study, SweepEvent, Unwatched, Watcher};
pub use training::Training;
pub use trial::{Budget, Failure, Measured, Proposal, Record, Trial, best};
