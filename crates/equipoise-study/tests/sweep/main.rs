//! Searches over made-up trials: what is tried, what is kept, what is found.

mod interrupted;
#[path = "../../../equipoise-report/tests/all/markup/mod.rs"]
mod markup;
mod page;
mod study;
mod support;
mod tpe;
