//! Units of work that can be taken up again.
//!
//! A [`Unit`] is a directory and a *key*: the hash of all settings and inputs that decide what comes to lie in it.
//!
//! | file | meaning |
//! |---|---|
//! | `.lock` | held by the process that works here; says which process that is |
//! | `unit.json` | the key and what it was made from; written when work begins |
//! | `finished.json` | the result, or a summary of it; written last |
//! | `failed.json` | the unit failed by itself, and why |
//!
//! What work is done is the caller's; everything else is the same for every unit:
//!
//! * [`Unit::standing`] says whether the unit is new, begun, finished or failed, or whether another unit lies there.
//! * [`Unit::claim`] takes the lock. The operating system takes it back from a process that is killed.
//! * [`Claim::begin`] and [`Claim::finish`] write the marks. A process that is killed in between leaves a unit that is begun.
//! * A [`Fault`] says whether the same work may succeed if it is tried again.
//!
//! A [`Shard`] is one of several parts of the same work. A [`Place`] is a directory that one program at a time may write, and that is exchanged for a new one at once.
//!
//! ```
//! use equipoise_jobs::{Key, Standing, Unit};
//! let dir = tempfile::tempdir()?;
//! let unit = Unit::new(dir.path().join("squares"), Key::new("squares 1").add(b"up to 10").hex());
//! if unit.standing()? != Standing::Finished {
//!     let claim = unit.claim()?;
//!     claim.begin(&"up to 10")?;
//!     std::fs::write(unit.dir().join("squares"), "1 4 9")?;
//!     claim.finish(&3)?;
//! }
//! assert_eq!(unit.result::<u32>(), Some(3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fault;
mod key;
mod listener;
mod lock;
mod place;
mod shard;
mod unit;

/// A request to stop soon.
pub use equipoise_data::{Attended, StopFlag};
pub use fault::{Fault, Refused};
pub use key::Key;
pub use listener::{Listener, Silent};
pub use lock::Lock;
pub use place::{Place, beside};
pub use shard::Shard;
pub use unit::{Claim, FAILED, FINISHED, Standing, UNIT, Unit};
