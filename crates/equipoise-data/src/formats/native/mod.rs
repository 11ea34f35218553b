//! The layout of this project: checked, typed and mapped into memory.
//!
//! ```text
//! <dir>/manifest.toml          version, counts, fingerprint, hashes; each modality with its origin
//! <dir>/interactions.parquet   user, item (u32), split ("train", "validation", "test"), timestamp (i64, optional)
//! <dir>/users.parquet          id: the raw ids by index; items.parquet likewise
//! <dir>/categories.json        optional
//! <dir>/features/<name>.npy    one row per item; or .safetensors with one tensor
//! ```
//!
//! Loading checks the small files against their hashes and maps the features, of which it looks at every value once:
//! a value that is not finite is refused. `data check` hashes everything too.

mod manifest;
mod names;
mod parts;
mod write;

use std::path::{Path, PathBuf};

use super::category_file::{self, NAME as CATEGORIES};
use super::entry::{Format, NoOptions, ReadRequest};
use super::gathered::{Gathered, GatheredModality, GatheredSplit};
use super::placing::Placing;
use super::{missing_file, modality_files, npy, sources};
use crate::error::DataError;
use crate::faults::Faults;
use crate::formats::files::MANIFEST;
use manifest::{Manifest, ModalityEntry};
use names::{INTERACTIONS, ITEMS, USERS};
pub use write::{NativeContents, NativeModality, write_native};

/// `manifest.toml`, `interactions.parquet`, `users.parquet`, `items.parquet` and `features/<modality>.npy`.
#[derive(Debug)]
pub struct Native;

impl Format for Native {
    type Options = NoOptions;

    fn name(&self) -> &'static str {
        "equipoise"
    }

    fn describe(&self) -> &'static str {
        "manifest.toml, interactions.parquet, users.parquet, items.parquet and features/<modality>.npy"
    }

    fn detect(&self, path: &Path) -> bool {
        path.join(MANIFEST).is_file()
    }

    fn gather(
        &self,
        request: &ReadRequest<'_>,
        _: &NoOptions,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError> {
        let path = request.path;
        let mut found = Gathered { format: Format::name(self).into(), ..Gathered::default() };
        let Some(manifest) = faults.keep(Manifest::read(path))? else {
            return Ok(found);
        };
        found.name = manifest.name.clone();
        found.users = faults.keep(ids(&manifest, path, USERS, manifest.users))?;
        found.items = faults.keep(ids(&manifest, path, ITEMS, manifest.items))?;
        if let Some(splits) = faults.keep(interactions(&manifest, path))? {
            found.splits = splits.map(Some);
        }
        if manifest.files.contains_key(CATEGORIES)
            && faults.keep(manifest.verify(path, CATEGORIES))?.is_some()
        {
            found.categories = category_file::read(path, faults)?;
        }
        found.modalities = modalities(&manifest, request, faults)?;
        Ok(found)
    }

    fn audit(&self, request: &ReadRequest<'_>) -> Vec<DataError> {
        audit(request).err().into_iter().collect()
    }
}

fn ids(
    manifest: &Manifest,
    dir: &Path,
    name: &str,
    count: usize,
) -> Result<(PathBuf, Vec<String>), DataError> {
    let file = manifest.verify(dir, name)?;
    let ids = parts::read_ids(&file)?;
    same(dir, &file, "the number of ids", ids.len(), count)?;
    Ok((file, ids))
}

fn interactions(manifest: &Manifest, dir: &Path) -> Result<[GatheredSplit; 3], DataError> {
    let file = manifest.verify(dir, INTERACTIONS)?;
    let splits = parts::read_interactions(&file)?;
    let expected = [manifest.train, manifest.validation, manifest.test];
    for (split, expected) in splits.iter().zip(expected) {
        same(dir, &file, "the number of interactions of a split", split.pairs.len(), expected)?;
    }
    Ok(splits)
}

fn same(dir: &Path, file: &Path, what: &'static str, found: usize, expected: usize) -> Result<(), DataError> {
    if found == expected {
        return Ok(());
    }
    let (found, expected, by) = (found.to_string(), expected.to_string(), dir.join(MANIFEST));
    Err(DataError::Changed { file: file.to_owned(), what, found, expected, by })
}

fn modalities(
    manifest: &Manifest,
    request: &ReadRequest<'_>,
    faults: &mut Faults,
) -> Result<Vec<GatheredModality>, DataError> {
    let dir = request.path;
    if let Some(extra) = request.features.first() {
        faults.add(DataError::Setting {
            field: "features",
            found: extra.name.clone(),
            expected: "none: the manifest names the features of this layout".into(),
        })?;
    }
    let listed = manifest.modality.iter().map(|m| (m.name.clone(), dir.join(&m.file))).collect();
    let wanted = modality_files::wanted(dir, listed, request.modalities, faults)?;
    let mut modalities = Vec::with_capacity(wanted.len());
    for (name, file) in wanted {
        let entry = manifest.modality.iter().find(|m| m.name == name).expect("chosen from the manifest");
        if let Some((features, dtype)) = faults.keep(map(dir, &file, entry))? {
            let missing = missing_file::read(dir, &name, faults)?;
            modalities.push(GatheredModality {
                name,
                file,
                dtype,
                features,
                missing,
                placing: Placing::ById,
            });
        }
    }
    Ok(modalities)
}

fn map(dir: &Path, file: &Path, entry: &ModalityEntry) -> Result<(crate::Features, &'static str), DataError> {
    let mapped = if file.extension().is_some_and(|e| e == "safetensors") {
        sources::map_safetensors(file)
    } else {
        npy::map_npy(file)
    };
    let (features, dtype) = mapped?;
    same(dir, file, "the width of the features", features.width(), entry.width)?;
    features.check_finite().map_err(|error| npy::feature_error(file, error))?;
    Ok((features, dtype))
}

/// Reads what loading maps: every value and every hash, and, of the whole data set, the fingerprint.
fn audit(request: &ReadRequest<'_>) -> Result<(), DataError> {
    let path = request.path;
    let manifest = Manifest::read(path)?;
    for modality in &manifest.modality {
        let file = path.join(&modality.file);
        manifest::verify(path, &file, &modality.hash)?;
        map(path, &file, modality)?;
    }
    if request.modalities.is_none() && request.features.is_empty() {
        let gathered = Native.gather(request, &NoOptions {}, &mut Faults::stop_at_first())?;
        let found = gathered.assemble(path)?.data.fingerprint();
        if found != manifest.fingerprint {
            let (expected, by) = (manifest.fingerprint, path.join(MANIFEST));
            let what = "the fingerprint of the data";
            return Err(DataError::Changed { file: path.to_owned(), what, found, expected, by });
        }
    }
    Ok(())
}
