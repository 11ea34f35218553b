//! The value of every metric for every evaluated user, in memory and on disk.

mod parquet;
mod table;

pub use self::parquet::PerUserFile;
pub use table::PerUser;
