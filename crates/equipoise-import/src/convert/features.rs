//! Features as every layout but the project's own has them.

use std::path::Path;

use equipoise_data::DataError;
use equipoise_data::formats::write_npy;

use super::contents::Contents;

/// `<modality>_feat.npy` for each modality.
pub(super) fn write_features(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    contents
        .modalities
        .iter()
        .try_for_each(|m| write_npy(&dir.join(format!("{}_feat.npy", m.name)), &m.features))
}
