//! The features of a directory: `<modality>_feat.npy`, `.npz`, `.safetensors`, `.parquet` or a folder
//! `<modality>_feat`, and those named apart.

use std::path::{Path, PathBuf};

use super::gathered::ReadModality;
use super::join::{Catalogue, join};
use super::missing_file;
use super::sources;
use crate::dataset::LoadOptions;
use crate::error::DataError;
use crate::faults::Faults;

const ENDING: &str = "_feat";

/// Reads the modalities asked for, in that order, or all that are there, by name. `items` has the raw ids by
/// index where there is a list of them.
///
/// # Errors
/// When loading, the first fault; when checking, none.
pub(crate) fn read(
    dir: &Path,
    options: &LoadOptions,
    items: Option<&[String]>,
    faults: &mut Faults,
    notes: &mut Vec<String>,
) -> Result<Vec<ReadModality>, DataError> {
    let catalogue = items.map_or(Catalogue::Numbered, |ids| Catalogue::Named { ids, listed: ids.len() });
    read_for(dir, options, catalogue, faults, notes)
}

/// As [`read`], for items that were numbered as they came, but for the first `listed`.
///
/// # Errors
/// When loading, the first fault; when checking, none.
pub(crate) fn read_listed(
    dir: &Path,
    options: &LoadOptions,
    ids: &[String],
    listed: usize,
    faults: &mut Faults,
    notes: &mut Vec<String>,
) -> Result<Vec<ReadModality>, DataError> {
    read_for(dir, options, Catalogue::Named { ids, listed }, faults, notes)
}

fn read_for(
    dir: &Path,
    options: &LoadOptions,
    items: Catalogue<'_>,
    faults: &mut Faults,
    notes: &mut Vec<String>,
) -> Result<Vec<ReadModality>, DataError> {
    let Some(present) = faults.keep(list(dir, options))? else {
        return Ok(Vec::new());
    };
    missing_file::strays(dir, &present, faults)?;
    let mut modalities = Vec::new();
    for (name, file) in wanted(dir, present, options.modalities.as_deref(), faults)? {
        let read = sources::read(&name, &file).and_then(|rows| join(&name, &file, rows, items, notes));
        if let Some(mut modality) = faults.keep(read)? {
            let listed = missing_file::read(dir, &name, faults)?;
            modality.missing = missing_file::either(listed, modality.missing);
            // Features that lie elsewhere bring their list along.
            if let Some(beside) = file.parent().filter(|parent| *parent != dir) {
                let listed = missing_file::read(beside, &name, faults)?;
                modality.missing = missing_file::either(modality.missing, listed);
            }
            modalities.push(modality);
        }
    }
    Ok(modalities)
}

/// Those of the present modalities that are asked for: there must be at least one.
pub(crate) fn wanted(
    dir: &Path,
    present: Vec<(String, PathBuf)>,
    asked: Option<&[String]>,
    faults: &mut Faults,
) -> Result<Vec<(String, PathBuf)>, DataError> {
    if present.is_empty() || asked.is_some_and(<[String]>::is_empty) {
        faults.add(DataError::NoModality { path: dir.to_owned() })?;
    }
    match asked {
        Some(names) => select(dir, &present, names, faults),
        None => Ok(present),
    }
}

/// Names and files, sorted by name.
fn list(dir: &Path, options: &LoadOptions) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut found: Vec<_> = options.features.iter().map(|f| (f.name.clone(), f.path.clone())).collect();
    for entry in std::fs::read_dir(dir).map_err(DataError::io(dir))? {
        let file = entry.map_err(DataError::io(dir))?.path();
        let known = match file.extension().and_then(|e| e.to_str()) {
            Some(ending) => sources::ENDINGS.contains(&ending),
            None => file.is_dir(),
        };
        let name = file.file_stem().and_then(|n| n.to_str());
        let name = name.and_then(|n| n.strip_suffix(ENDING)).filter(|n| known && !n.is_empty());
        if let Some(name) = name {
            found.push((name.to_owned(), file));
        }
    }
    found.sort();
    match found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some([(name, one), (_, two)]) => Err(DataError::Layout {
            path: dir.to_owned(),
            found: format!("features of {name} twice, in {} and {}", one.display(), two.display()),
            expected: "one source for each modality".into(),
        }),
        _ => Ok(found),
    }
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
