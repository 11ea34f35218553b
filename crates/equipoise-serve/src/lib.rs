//! The server: recommendations by HTTP, feedback, a page to look at them.
//!
//! * [`Server`]: opens models, listens, answers until it is asked to stop; [`ServeOptions`] says how.
//! * [`App`]: what all routes share, the models by name behind an atomic swap among it; [`router`] makes the routes of it.
//! * [`Problem`]: every error as `application/problem+json`.

mod app;
mod error;
mod models;
mod options;
mod page;
mod problem;
mod router;
mod routes;
mod server;

pub use app::App;
pub use error::ServeError;
pub use models::{Models, Served};
pub use options::{ModelSource, ServeOptions};
pub use page::Pictures;
pub use problem::Problem;
pub use router::router;
pub use server::Server;
