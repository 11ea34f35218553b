//! Work of many runs: [searches](search) for good settings and [those over a run's settings](sweep), [units of work](jobs) and
//! who runs them, the [pipeline] from raw files to a report, and [the tables of a paper](reproduce) repeated.

mod csv_line;
pub mod jobs;
pub mod pipeline;
pub mod reproduce;
pub mod search;
pub mod sweep;
