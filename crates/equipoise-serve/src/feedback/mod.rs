//! Feedback: what users have met since their model was trained.
//!
//! [`Store`] keeps every event in a SQLite file and what each user has met in memory, so that lists heed it at once;
//! [`export`](fn@export) gives the events back as a table.

mod event;
mod export;
mod fault;
mod file;
mod ids;
mod met;
mod store;
mod writer;

pub use event::{FeedbackEvent, FeedbackRequest, LARGEST_EVENT_WEIGHT};
pub use export::{Exported, export};
pub use fault::FeedbackError;
pub use store::Store;
