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
//!
//! Whatever has a value at a point can be searched:
//!
//! ```
//! use equipoise_study::sweep::strategy::Random;
//! use equipoise_study::sweep::{
//!     Budget, Dimension, Failure, Journal, Measured, Point, Space, Study, Trial, Unwatched, best,
//! };
//! use equipoise_train::StopFlag;
//!
//! struct Valley;
//!
//! impl Trial for Valley {
//!     fn run(&self, point: &Point, _: Budget, _: &StopFlag) -> Result<Measured, Failure> {
//!         let x = point.number("x").expect("the space has x");
//!         Ok(Measured { value: -(x - 2.0).powi(2), best_epoch: 1, epochs: 1, seconds: 0.0, complete: true })
//!     }
//! }
//!
//! let space = Space::new(vec![("x".into(), Dimension::range(0.0, 10.0))]).expect("a sound range");
//! let strategy = Random::new(space, 42, 50);
//! let study = Study { strategy: &strategy, trial: &Valley, jobs: 2, threads: 1 };
//! let found = study.run(&Journal::in_memory(), &mut Unwatched, &StopFlag::default())?;
//! assert!(best(&found.records).and_then(|record| record.value()) > Some(-1.0));
//! # Ok::<(), equipoise_study::sweep::SweepError>(())
//! ```
//!
//! Runs are searched by a [`Plan`] with a [`Training`] as the trial, in a [`Study`] of one's own or, with a
//! directory and a report, in a [`Sweep`].

mod config;
mod dimension;
mod error;
mod journal;
mod page;
mod plan;
mod point;
pub mod results;
mod search;
mod space;
pub mod strategy;
mod study;
mod training;
mod trial;

pub use config::{Method, SweepConfig};
pub use dimension::{Dimension, Range};
pub use error::SweepError;
pub use journal::{Identity, Journal};
pub use page::sweep_page as html_page;
pub use plan::Plan;
pub use point::{Point, short};
pub use results::Results;
pub use search::{Outcome, Sweep};
pub use space::Space;
pub use study::{Found, Study, SweepEvent, Unwatched, Watcher};
pub use training::Training;
pub use trial::{Budget, Failure, Measured, Proposal, Record, Trial, best};
