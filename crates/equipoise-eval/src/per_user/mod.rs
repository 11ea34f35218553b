//! The value of every metric for every evaluated user, in memory and on disk.

#[cfg(feature = "parquet")]
mod parquet;
mod table;

#[cfg(feature = "parquet")]
pub use self::parquet::PerUserFile;
pub use table::PerUser;
