//! Reading a data set.

use std::path::Path;

use crate::dataset::Loaded;
use crate::error::DataError;
use crate::faults::Faults;
use crate::formats;
use crate::options::LoadOptions;

/// Reads a data set, recognising its layout.
///
/// Settled shape: the catalogue has as many items as the features have rows (all modalities must
/// agree), hence also items without any interaction; there are 1 + max(user id) users, or as many
/// as the user list names. Repeated interactions are merged and noted.
///
/// # Errors
/// The first fault found, with its place and remedy; [`check`](crate::check()) lists them all.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded, DataError> {
    formats::gather(path, options, &mut Faults::stop_at_first())?.assemble(path)
}
