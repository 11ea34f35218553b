//! [Searches](crate::search) over settings of a run, by a metric on validation.
//!
//! * [`SweepPlan`]: a run's configuration with a `[sweep]` section: what is searched, and how.
//! * [`SweepTraining`]: the trial that trains a model at a point.
//! * [`Sweep`]: the whole search, with its directory and its report.

mod config;
mod elsewhere;
mod error;
mod page;
mod plan;
pub mod results;
mod training;
mod whole;

pub use config::{Method, SweepConfig};
pub use error::SweepError;
pub use page::sweep_page as html_page;
pub use plan::SweepPlan;
pub use results::Results;
pub use training::SweepTraining;
pub use whole::{Sweep, SweepOutcome};
