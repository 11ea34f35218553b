//! Units of work that train and encode, and who runs them.
//!
//! * [`Task`]: a unit of work as a file; [`perform`] is a pure function of it. `equipoise task` calls it, so that any
//!   scheduler can run tasks.
//! * [`Scheduler`]: runs tasks, each once, a few at a time; how one is run is a [`Runner`]'s, such as a process.
//!
//! The marks and locks of a unit are those of [`equipoise_jobs`].

mod perform;
mod scheduler;
mod task;

pub use perform::{TaskEvent, fault, perform};
pub use scheduler::{JobEvent, Runner, Scheduler, side_by_side};
pub use task::{Finished, SPEC, Task, Work};
