//! The commands, one file each.

pub mod audit;
pub mod backbones;
pub mod calibrate;
pub mod compare;
mod convert;
pub mod data;
pub mod demo;
pub mod evaluate;
pub mod explain;
pub mod export;
mod fake;
pub mod features;
mod import;
pub mod items;
mod opened;
mod reading;
pub mod recommend;
pub mod reproduce;
pub mod run;
pub mod serve;
mod settings;
pub mod similar;
mod splits;
pub mod sweep;
pub mod table_flags;
pub mod task;
pub mod train;
