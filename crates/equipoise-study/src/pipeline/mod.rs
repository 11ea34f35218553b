//! From raw files to the report, in stages that are done once.
//!
//! ```text
//! raw files ─▶ import ─▶ features ─▶ data ─▶ tune-plain ─┬▶ plain (each seed) ──────────────┬▶ report
//!                                                        └▶ teachers (each seed) ─▶ tune-ckd ─▶ ckd ─┘
//! ```
//!
//! | directory | what |
//! |---|---|
//! | `import/data/` | the raw files as a data set that lacks features |
//! | `features/<modality>/` | features of texts and pictures |
//! | `data/set/` | the data set, which every command reads |
//! | `tune/plain/`, `tune/ckd/` | searches on validation, with `chosen.toml` |
//! | `plain/seed<n>/`, `ckd/seed<n>/` | runs; `teachers/seed<n>/` their teachers |
//! | `report/` | `report.html`, `report.md`, `summary.json` |
//!
//! Each stage has a directory with a `stage.json`. A stage is known by its *fingerprint*: the BLAKE3 hash of its name,
//! its settings, the files that it reads and the fingerprints of the stages that it builds on. It is up to date if
//! `stage.json` has that fingerprint and every file that it wrote is still there in its length; what has another
//! fingerprint is made anew, what was broken off goes on. All fingerprints follow from configuration and raw files,
//! so that a [`Plan`] says what will be done before anything is. Stages give the same bits whenever they are run: being
//! killed and started again changes no result.

mod carry_out;
mod config;
mod error;
mod fingerprint;
mod plan;
mod record;
mod settings;
mod stage;
mod stages;
mod summary;

pub use carry_out::{carry_out, finished_summary};
pub use config::{Budget, PipelineConfig};
pub use error::PipelineError;
pub use plan::{Plan, Planned, State};
pub use stage::Watch;
pub use summary::{Seeded, Summary, Surety, Used};
