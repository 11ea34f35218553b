//! Synthetic data of known properties: a data set, a shop's tables and pictures, raw Amazon files of any size.

pub(crate) mod amazon;
mod demo;
mod shop;

pub use amazon::{RawAmazonConfig, RawAmazonFiles, write_amazon};
pub use demo::{DemoConfig, write_demo};
pub use shop::{ShopConfig, write_shop};
