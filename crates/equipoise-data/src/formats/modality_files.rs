//! The `<modality>_feat.npy` files of a directory.

use std::path::{Path, PathBuf};

use super::gathered::ReadModality;
use super::missing_file;
use super::npy::read_npy;
use crate::error::DataError;
use crate::faults::Faults;

const ENDING: &str = "_feat.npy";

/// Reads the modalities asked for, in that order, or all that are there, by name.
///
/// # Errors
/// When loading, the first fault; when checking, none.
pub(crate) fn read(
    dir: &Path,
    asked: Option<&[String]>,
    faults: &mut Faults,
) -> Result<Vec<ReadModality>, DataError> {
    let Some(present) = faults.keep(list(dir))? else {
        return Ok(Vec::new());
    };
    if present.is_empty() || asked.is_some_and(<[String]>::is_empty) {
        faults.add(DataError::NoModality { path: dir.to_owned() })?;
    }
    missing_file::strays(dir, &present, faults)?;
    let wanted = match asked {
        Some(names) => select(dir, &present, names, faults)?,
        None => present,
    };
    let mut modalities = Vec::with_capacity(wanted.len());
    for (name, file) in wanted {
        if let Some((features, dtype)) = faults.keep(read_npy(&file))? {
            let missing = missing_file::read(dir, &name, faults)?;
            modalities.push(ReadModality { name, file, dtype, features, missing });
        }
    }
    Ok(modalities)
}

/// Names and files, sorted by name.
fn list(dir: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(DataError::io(dir))? {
        let file = entry.map_err(DataError::io(dir))?.path();
        let name = file.file_name().and_then(|n| n.to_str());
        let name = name.and_then(|n| n.strip_suffix(ENDING)).filter(|n| !n.is_empty());
        if let Some(name) = name {
            found.push((name.to_owned(), file));
        }
    }
    found.sort();
    Ok(found)
}

fn select(
    dir: &Path,
    present: &[(String, PathBuf)],
    names: &[String],
    faults: &mut Faults,
) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut chosen: Vec<(String, PathBuf)> = Vec::new();
    for (n, name) in names.iter().enumerate() {
        if names[..n].contains(name) {
            faults.add(DataError::Setting {
                field: "modalities",
                found: names.join(", "),
                expected: format!("each name once, {name} occurs twice"),
            })?;
            continue;
        }
        match present.iter().find(|(there, _)| there == name) {
            Some(modality) => chosen.push(modality.clone()),
            None => faults.add(DataError::MissingModality {
                path: dir.to_owned(),
                name: name.clone(),
                found: found_names(present.iter().map(|(there, _)| there.as_str())),
            })?,
        }
    }
    Ok(chosen)
}

/// Names for a message.
pub(crate) fn found_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.is_empty() {
        true => "none".into(),
        false => names.join(", "),
    }
}
