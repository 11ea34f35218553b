//! Repeats the experiments of *Modality-Balanced Learning for Multimedia Recommendation* (Zhang et al., ACM MM 2024)
//! and sets the results beside the published ones.
//!
//! ```text
//! experiments/ckd-mm24/*.toml ─▶ cells ─▶ study: search on validation ─▶ every seed ─▶ results ─▶ report
//!                                            └──────── pool: each task once, `jobs` at a time ────┘
//! ```
//!
//! | part | what |
//! |---|---|
//! | [`paper()`], [`tables()`] | the paper's files: settings, search ranges, published numbers |
//! | [`expand`] | the cells `<table>/<backbone>-<method>-<data set>` of a table |
//! | [`Study`] | searches settings on validation and trains every seed; teachers and plain runs are shared |
//! | [`Pool`], [`Runner`] | tasks, each once; how one is run is the caller's, such as a process |
//! | [`perform`] | does one task in this process |
//! | [`gather`] | reads test metrics: nothing before it does |
//! | [`Pages`] | the table in Markdown, CSV and HTML |
//!
//! A task is a directory named after what it depends on (settings, seed and data), so one that is finished is found
//! again and one that was broken off is started over: being killed changes no result.

mod cells;
mod compare;
mod extent;
mod facts;
mod paper;
mod pool;
mod report;
mod results;
mod search;
mod settings;
mod study;
mod tasks;
mod worker;

pub use cells::{Cell, Choose, TEACHER, expand, unsupported};
pub use compare::Difference;
pub use facts::{DataFacts, one_family};
pub use paper::{
    Axis, Budget, Entry, How, Kind, Method, Misprint, Paper, Published, PublishedData, PublishedModality,
    TableSpec, paper, tables,
};
pub use pool::{Pool, Runner, Step, Watcher};
pub use report::{Entry as SheetEntry, Figure, Notes, Pages, Sheet};
pub use results::{Block, Column, Cost, Curve, Measured, Problem, Row, gather};
pub use search::{Candidates, Found, Objective, Tried, search, side_by_side};
pub use settings::{Point, candidates, compose};
pub use study::{Chosen, Files, Plan, SEARCH_SEED, Settled, Study};
pub use tasks::{Failure, Finished, State, Task, Work, finish};
pub use worker::perform;
