//! Work of many runs: [searches](sweep) over settings, the [pipeline] from raw files to a report, and [the tables of a
//! paper](reproduce) repeated.

pub mod pipeline;
pub mod reproduce;
pub mod sweep;
