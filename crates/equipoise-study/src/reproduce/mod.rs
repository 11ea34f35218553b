//! Repeats the experiments of *Modality-Balanced Learning for Multimedia Recommendation* (Zhang et al., ACM MM 2024)
//! and sets the results beside the published ones.
//!
//! ```text
//! paper/ckd-mm24/*.toml ─▶ cells ─▶ reproduction: search on validation ─▶ every seed ─▶ results ─▶ report
//!                                        └──────── scheduler: each task once, `jobs` at a time ────┘
//! ```
//!
//! | part | what |
//! |---|---|
//! | [`paper()`], [`tables()`] | the paper's files: settings, search ranges, published numbers |
//! | [`expand`] | the cells `<table>/<backbone>-<method>-<data set>` of a table |
//! | [`Reproduction`] | searches settings on validation and trains every seed; teachers and plain runs are shared |
//! | [`Scheduler`](crate::jobs::Scheduler) | runs tasks, each once; how one is run is a [`Runner`](crate::jobs::Runner)'s, such as a process |
//! | [`calibrate_runs`] | weights of the modalities of every finished model, chosen on validation |
//! | [`gather`] | reads test metrics |
//! | [`Pages`] | the table in Markdown, CSV and HTML |
//!
//! A [task](crate::jobs::Task) has a directory named after what it depends on (settings, seed and data), so that one that is
//! finished is found again and one that was cut short is started over: being killed changes no result.

mod calibrated;
mod cells;
mod choice;
mod compare;
mod departures;
mod digest;
mod extent;
mod facts;
mod missing;
mod paper;
mod parts;
mod plan;
mod report;
mod reproduction;
mod results;
mod settings;
mod teaching;

pub use calibrated::{CalibratedRun, calibrate_runs};
pub use cells::{Cell, Choose, TEACHER, expand, unsupported};
pub use choice::{BestPoint, Tried, ValidationObjective, choose};
pub use compare::Difference;
pub use digest::digest;
pub use facts::{DataFacts, one_family};
pub use missing::MissingResult;
pub use paper::{
    Misprint, Paper, PaperAxis, PaperBackbone, PaperFiles, PaperMethod, PaperSearch, Published,
    PublishedData, PublishedModality, SearchManner, TableKind, TableSpec, paper, tables,
};
pub use plan::{ReproductionPlan, SEARCH_SEED};
pub use report::{Entry as SheetEntry, Figure, Notes, Pages, Sheet};
pub use reproduction::{Chosen, Reproduction, SeedFiles, SettledCell};
pub use results::{CellRow, Curve, DataBlock, RunCost, SeedProblem, SeedResult, TableColumn, gather};
pub use settings::{candidates, compose};
