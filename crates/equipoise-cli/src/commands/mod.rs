//! The commands, one file each.

pub mod audit;
pub mod backbones;
pub mod compare;
mod convert;
pub mod data;
pub mod demo;
pub mod evaluate;
mod fake;
pub mod features;
mod import;
mod opened;
mod reading;
pub mod reproduce;
pub mod run;
mod settings;
mod splits;
pub mod sweep;
pub mod task;
pub mod train;
