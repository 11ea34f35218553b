//! The training loop, early stopping, run directories and events.
//!
//! * [`RunConfig`]: everything a run depends on, one type for TOML, flags and code; [`config::Layers`] keeps
//!   where each value came from.
//! * [`Role`]: which model of a run is in training.
//! * [`Trainer`]: the loop over one model; it never sees test data.
//! * [`job`]: a whole run: teachers where the balancer needs them, the model, the one sealed test evaluation, and
//!   the run directory.
//! * [`heads`]: losses of a model's channels, for balancers that weigh by them.
//! * [`Tuning`]: a model trained to be compared with others on validation, without a run directory.
//! * [`events`]: what happens, for progress bars and log files.
//! * [`run`]: the run directory; [`tables`]: the final tables in it, from which to recommend without the data set.

pub mod config;
pub mod error;
pub mod evaluation;
pub mod events;
pub mod heads;
pub mod job;
pub mod memory;
pub mod recall_by_group;
pub mod report;
pub mod role;
pub mod run;
pub mod stopping;
pub mod tables;
pub mod teachers;
pub mod tracking;
pub mod trainer;
pub mod tuning;

mod batch;
mod beforehand;
mod bound;
mod carry_out;
mod checkpoint;
mod course;
mod halves;
mod keeper;
mod measurement;
mod model_run;
mod prepared;
mod processor;
mod requirement;
mod step;
mod stored;
mod together;

pub use config::{Checked, CheckpointEvery, DataConfig, PatienceRule, RunConfig, TrainConfig};
pub use error::TrainError;
pub use evaluation::Metrics;
pub use events::{EpochRecord, Event, Listener, ModalityRecord};
pub use job::Job;
pub use model_run::Outcome;
pub use prepared::Prepared;
pub use report::{AblationMetrics, Report, TestReport};
pub use role::Role;
pub use run::Run;
pub use step::{StepNumbers, Stepper};
pub use stopping::StopFlag;
pub use stored::StoredParameters;
pub use tables::{FinalBlock, FinalTables, TablePrecision};
pub use trainer::{Trained, Trainer};
pub use tuning::{Tuned, Tuning, TuningPlace};
