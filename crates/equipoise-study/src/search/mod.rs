//! Searches: for the point of a space at which something measured on validation is largest.
//!
//! ```text
//! Space ─▶ Strategy ─proposals─▶ Search ─point, budget─▶ Trial
//!              ▲                   │                      │
//!              └── history ── Journal ◀── measured ───────┘
//! ```
//!
//! * [`Space`]: a [`Dimension`] (list or range) for each searched setting; a [`Point`] is one value for each.
//! * [`strategy::Strategy`]: grid, random, coordinate, TPE, successive halving; pure functions of the history.
//! * [`Trial`]: what is evaluated at a point, such as a training. Its result has no field for test metrics.
//! * [`Search`]: evaluates proposals on a few workers and keeps each record in a [`Journal`] at once.
//!
//! Equal settings give equal records, whatever the number of jobs and threads, and whether or not the search was killed on
//! the way.
//!
//! Anything that has a value at a point can be searched:
//!
//! ```
//! use equipoise_study::search::strategy::Random;
//! use equipoise_study::search::{
//!     Dimension, Fault, Journal, Measured, Point, Search, Silent, Space, StopFlag, Trial, TrialBudget, best,
//! };
//!
//! struct Valley;
//!
//! impl Trial for Valley {
//!     fn run(&self, point: &Point, _: TrialBudget, _: &StopFlag) -> Result<Measured, Fault> {
//!         let x = point.number("x").expect("the space has x");
//!         Ok(Measured { value: -(x - 2.0).powi(2), best_epoch: 1, epochs: 1, seconds: 0.0, complete: true })
//!     }
//! }
//!
//! let space = Space::new(vec![("x".into(), Dimension::range(0.0, 10.0))]).expect("a sound range");
//! let strategy = Random::new(space, 42, 50);
//! let search = Search { strategy: &strategy, trial: &Valley, jobs: 2, threads: 1 };
//! let found = search.run(&Journal::in_memory(), &mut Silent, &StopFlag::default())?;
//! assert!(best(&found.records).and_then(|record| record.value()) > Some(-1.0));
//! # Ok::<(), equipoise_study::search::SearchError>(())
//! ```
//!
//! Trainings are searched by a [`Sweep`](crate::sweep::Sweep).

mod dimension;
mod error;
#[cfg(feature = "search-store")]
mod journal;
#[cfg(not(feature = "search-store"))]
#[path = "journal_in_memory.rs"]
mod journal;
mod point;
mod run;
mod space;
pub mod strategy;
mod trial;

pub use dimension::{Dimension, Range};
pub use equipoise_jobs::{Fault, Listener, Silent, StopFlag};
pub use error::SearchError;
pub use journal::{Identity, Journal};
pub use point::{Point, short};
pub use run::{Search, SearchEvent, SearchRecords};
pub use space::Space;
pub(crate) use space::key_of;
pub use trial::{Measured, Proposal, Record, Trial, TrialBudget, best};
