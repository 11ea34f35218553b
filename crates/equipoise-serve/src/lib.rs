//! The server: recommendations by HTTP, feedback, a page to look at them.
//!
//! * [`Server`]: opens models, listens, answers until it is asked to stop; [`ServeOptions`] says how.
//! * [`App`]: what all routes share, the models by name behind an atomic swap among it; [`router`] makes the routes of it.
//! * [`Problem`]: every error as `application/problem+json`.

mod app;
mod body;
mod connections;
mod error;
mod feedback;
mod guard;
mod limits;
mod log;
mod metrics;
mod models;
mod openapi;
mod options;
mod page;
mod patient;
mod problem;
mod reload;
mod router;
mod routes;
mod scoring;
mod server;
mod stamp;
mod token;

pub use app::App;
pub use error::ServeError;
pub use feedback::{Exported, FeedbackError, FeedbackEvent, FeedbackRequest, LARGEST_EVENT_WEIGHT, export};
pub use log::LogLevel;
pub use models::{Models, Served};
pub use options::{ModelSource, ServeOptions};
pub use page::Pictures;
pub use problem::Problem;
pub use router::router;
pub use server::Server;
