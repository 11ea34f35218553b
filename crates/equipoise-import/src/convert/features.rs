//! Features as every layout but the project's own has them.

use std::path::Path;

use equipoise_data::DataError;
use equipoise_data::formats::{write_npy, write_row_ids};

use super::contents::Contents;

/// `<modality>_feat.npy` and `<modality>_feat_ids.json` for each modality.
pub(super) fn write_features(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    for modality in &contents.modalities {
        let file = dir.join(format!("{}_feat.npy", modality.name));
        write_npy(&file, &modality.features)?;
        write_row_ids(&file, contents.vocabulary.items())?;
    }
    Ok(())
}
