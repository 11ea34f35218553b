//! From raw files to the report, in stages that are done once.
//!
//! ```text
//! raw files ─▶ import ─▶ features ─▶ data ─▶ tune-plain ─┬▶ plain (each seed) ─────────────────────┐
//!                                                        └▶ teachers (each seed) ─▶ tune-ckd ─▶ ckd ─┴▶ served ─▶ report
//! ```
//!
//! | directory | what |
//! |---|---|
//! | `import/data/` | the raw files as a data set that lacks features |
//! | `features/<modality>/` | features of texts, pictures and sounds |
//! | `data/set/` | the data set, which every command reads |
//! | `tune/plain/`, `tune/ckd/` | searches on validation, with `chosen.toml` |
//! | `plain/seed<n>/`, `ckd/seed<n>/` | runs; `teachers/seed<n>/` their teachers |
//! | `served/` | the better model of the first seed on validation, with calibrated weights: what `recommend` and `serve` open |
//! | `report/` | `report.html`, `report.md`, `summary.json` |
//!
//! Each stage is a [unit of work](equipoise_jobs). Its key is a *fingerprint*: the BLAKE3 hash of its name, its settings, the
//! files that it reads and the fingerprints of the stages that it builds on. It is up to date if it is finished and every file
//! that it wrote is still there in its length; a unit of another fingerprint is made anew, one that was cut short is taken up.
//! All fingerprints follow from configuration and raw files, so that a [`PipelinePlan`] says what will be done before anything
//! is done. Stages give the same bits whenever they are run: being killed and started again changes no result.

mod carry_out;
mod check;
mod config;
mod error;
mod event;
mod fingerprint;
mod origins;
mod outputs;
mod plan;
mod settings;
mod source;
mod stage;
mod stages;
mod summary;

pub use carry_out::{carry_out, finished_summary};
pub use config::{PipelineConfig, SearchBudget};
pub use error::PipelineError;
pub use event::PipelineEvent;
pub use origins::Origins;
pub use plan::{PipelinePlan, PlannedStage, StageState};
pub use source::{ItemTable, Source};
pub use summary::{Kept, Seeded, Summary, Surety, Used};
