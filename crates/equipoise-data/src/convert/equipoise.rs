//! Writing this project's own layout.

use std::collections::BTreeMap;
use std::path::Path;

use super::contents::Contents;
use super::lattice::write_categories;
use crate::atomic::write_atomic;
use crate::error::DataError;
use crate::formats::native::{
    INTERACTIONS, ITEMS, MANIFEST, Manifest, USERS, VERSION, hash, write_ids, write_interactions,
};
use crate::formats::{CATEGORIES, write_npy_as_stored};

pub(super) fn write(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    write_interactions(&dir.join(INTERACTIONS), contents.splits.each_ref())?;
    write_ids(&dir.join(USERS), contents.vocabulary.users())?;
    write_ids(&dir.join(ITEMS), contents.vocabulary.items())?;
    write_categories(contents, dir)?;
    let mut files = BTreeMap::new();
    for name in [INTERACTIONS, USERS, ITEMS, CATEGORIES] {
        let file = dir.join(name);
        if file.exists() {
            files.insert(name.to_owned(), hash(&file)?);
        }
    }
    let mut modality = Vec::with_capacity(contents.modalities.len());
    for content in &contents.modalities {
        let name = format!("features/{}.npy", content.name);
        let file = dir.join(&name);
        write_npy_as_stored(&file, &content.features)?;
        modality.push(content.entry(name, hash(&file)?));
    }
    let [train, validation, test] = contents.splits.each_ref().map(|s| s.pairs.len());
    let manifest = Manifest {
        version: VERSION,
        name: contents.name.clone(),
        source: contents.source.clone(),
        users: contents.vocabulary.users().len(),
        items: contents.vocabulary.items().len(),
        train,
        validation,
        test,
        fingerprint: contents.fingerprint.clone(),
        files,
        modality,
    };
    // Last: the manifest is what makes a data set of the directory.
    let file = dir.join(MANIFEST);
    write_atomic(&file, |out| std::io::Write::write_all(out, manifest.text().as_bytes()))
        .map_err(DataError::io(&file))
}
