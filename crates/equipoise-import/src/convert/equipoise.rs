//! Writing this project's own layout.

use std::path::Path;

use equipoise_data::DataError;
use equipoise_data::formats::{NativeContents, NativeModality, write_native};

use super::contents::Contents;

pub(super) fn write(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    let scale = contents.scale.to_string();
    let modalities = contents.modalities.iter().map(|modality| NativeModality {
        name: &modality.name,
        features: &modality.features,
        provenance: &modality.provenance,
        scale: &scale,
    });
    let native = NativeContents {
        name: &contents.name,
        source: &contents.source,
        vocabulary: &contents.vocabulary,
        splits: contents.splits.each_ref(),
        categories: contents.categories.as_ref(),
        modalities: modalities.collect(),
        fingerprint: &contents.fingerprint,
    };
    write_native(dir, &native)
}
