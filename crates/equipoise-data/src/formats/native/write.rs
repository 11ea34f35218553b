//! Writing a directory of the `equipoise` layout.

use std::collections::BTreeMap;
use std::path::Path;

use super::manifest::{Manifest, ModalityEntry, VERSION, hash};
use super::names::{INTERACTIONS, ITEMS, USERS};
use super::parts::{write_ids, write_interactions};
use crate::atomic::write_atomic;
use crate::categories::Categories;
use crate::error::DataError;
use crate::features::Features;
use crate::formats::category_file;
use crate::formats::files::MANIFEST;
use crate::formats::gathered::GatheredSplit;
use crate::formats::npy::write_npy_as_stored;
use crate::vocabulary::Vocabulary;

/// Everything that a directory of the `equipoise` layout holds.
#[derive(Clone, Debug)]
pub struct NativeContents<'a> {
    /// Name of the data set.
    pub name: &'a str,
    /// Layout that the data set was read from.
    pub source: &'a str,
    /// Raw ids of users and items.
    pub vocabulary: &'a Vocabulary,
    /// Train, validation and test, each with distinct pairs.
    pub splits: [&'a GatheredSplit; 3],
    /// Categories of the items, if there are any.
    pub categories: Option<&'a Categories>,
    /// The modalities, in their order.
    pub modalities: Vec<NativeModality<'a>>,
    /// [`Dataset::fingerprint`](crate::Dataset::fingerprint) with all modalities.
    pub fingerprint: &'a str,
}

/// One modality of a directory of the `equipoise` layout.
#[derive(Clone, Copy, Debug)]
pub struct NativeModality<'a> {
    /// Name of the modality, which becomes part of a file's name.
    pub name: &'a str,
    /// Features, one row per item.
    pub features: &'a Features,
    /// Where the features come from.
    pub provenance: &'a str,
    /// Scale that the features have been given, as [`FeatureScale`](crate::FeatureScale) is spelt.
    pub scale: &'a str,
}

/// Writes a data set into the directory `dir`. The manifest comes last, because it is what marks the directory as a
/// data set.
///
/// # Errors
/// [`DataError::Io`] if a file cannot be written, [`DataError::Parquet`] if the encoder refuses the data.
pub fn write_native(dir: &Path, contents: &NativeContents<'_>) -> Result<(), DataError> {
    write_interactions(&dir.join(INTERACTIONS), contents.splits)?;
    write_ids(&dir.join(USERS), contents.vocabulary.users())?;
    write_ids(&dir.join(ITEMS), contents.vocabulary.items())?;
    let mut names = vec![INTERACTIONS, USERS, ITEMS];
    if let Some(categories) = contents.categories {
        category_file::write(dir, categories)?;
        names.push(category_file::NAME);
    }
    let mut files = BTreeMap::new();
    for name in names {
        files.insert(name.to_owned(), hash(&dir.join(name))?);
    }
    let modality = contents.modalities.iter().map(|modality| write_modality(dir, modality));
    let manifest = manifest(contents, files, modality.collect::<Result<_, _>>()?);
    let file = dir.join(MANIFEST);
    write_atomic(&file, |out| std::io::Write::write_all(out, manifest.text().as_bytes()))
        .map_err(DataError::io(&file))
}

fn write_modality(dir: &Path, modality: &NativeModality<'_>) -> Result<ModalityEntry, DataError> {
    let name = format!("features/{}.npy", modality.name);
    let file = dir.join(&name);
    write_npy_as_stored(&file, modality.features)?;
    Ok(ModalityEntry {
        name: modality.name.to_owned(),
        width: modality.features.width(),
        dtype: "float32".into(),
        file: name,
        hash: hash(&file)?,
        provenance: modality.provenance.to_owned(),
        scale: modality.scale.to_owned(),
    })
}

fn manifest(
    contents: &NativeContents<'_>,
    files: BTreeMap<String, String>,
    modality: Vec<ModalityEntry>,
) -> Manifest {
    let [train, validation, test] = contents.splits.map(|split| split.pairs.len());
    Manifest {
        version: VERSION,
        name: contents.name.to_owned(),
        source: contents.source.to_owned(),
        users: contents.vocabulary.users().len(),
        items: contents.vocabulary.items().len(),
        train,
        validation,
        test,
        fingerprint: contents.fingerprint.to_owned(),
        files,
        modality,
    }
}
