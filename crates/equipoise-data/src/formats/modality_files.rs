//! The features of a directory: `<modality>_feat.npy`, `.npz`, `.safetensors`, `.parquet`, `.csv`, `.tsv` or a folder
//! `<modality>_feat`, and features that the request names.

use std::path::{Path, PathBuf};

use super::entry::ReadRequest;
use super::feature_rows::FeatureRows;
use super::files::same_place;
use super::gathered::GatheredModality;
use super::join::{Catalogue, ItemRows, join};
use super::missing_file::{self, ReadMissing};
use super::npy::new_features;
use super::placing::Placing;
use super::row_ids;
use super::sources;
use crate::atomic::parent;
use crate::error::{DataError, found_names};
use crate::faults::Faults;
use crate::features::Modality;
use crate::filling::rows_of_items;
use crate::missing::Missing;
use crate::options::FeatureSource;

const ENDING: &str = "_feat";

/// Reads the modalities asked for, in that order, or all that are there, by name. `items` has the raw ids by
/// index where there is a list of them.
///
/// # Errors
/// When loading, the first fault; when checking, none.
pub fn read(
    dir: &Path,
    request: &ReadRequest<'_>,
    items: Option<&[String]>,
    faults: &mut Faults,
    notes: &mut Vec<String>,
) -> Result<Vec<GatheredModality>, DataError> {
    let catalogue = items.map_or(Catalogue::Numbered, |ids| Catalogue::Named { ids, listed: ids.len() });
    read_for(dir, request, catalogue, faults, notes)
}

/// As [`read`], for items that were numbered as they came, but for the first `listed`.
///
/// # Errors
/// When loading, the first fault; when checking, none.
pub(crate) fn read_listed(
    dir: &Path,
    request: &ReadRequest<'_>,
    ids: &[String],
    listed: usize,
    faults: &mut Faults,
    notes: &mut Vec<String>,
) -> Result<Vec<GatheredModality>, DataError> {
    read_for(dir, request, Catalogue::Named { ids, listed }, faults, notes)
}

fn read_for(
    dir: &Path,
    request: &ReadRequest<'_>,
    items: Catalogue<'_>,
    faults: &mut Faults,
    notes: &mut Vec<String>,
) -> Result<Vec<GatheredModality>, DataError> {
    let Some(present) = faults.keep(list(dir, request))? else {
        return Ok(Vec::new());
    };
    missing_file::strays(dir, &present, faults)?;
    row_ids::strays(dir, &present, faults)?;
    let mut modalities = Vec::new();
    for (name, file) in wanted(dir, present, request.modalities, faults)? {
        let found = read_rows(&name, &file, items).and_then(|(rows, beside)| {
            let rows = join(&name, &file, rows, items, notes)?;
            Ok((beside.then(|| rows.item_of()), modality(&name, &file, rows)?))
        });
        if let Some((item_of, mut modality)) = faults.keep(found)? {
            let lists = missing_lists(dir, &name, &file, item_of.as_deref(), faults)?;
            modality.missing = lists.into_iter().fold(modality.missing, missing_file::either);
            modalities.push(modality);
        }
    }
    Ok(modalities)
}

/// Features of items by raw id, from these sources alone, in the order of `ids`. Items that a source or a list beside it lacks
/// are marked missing; what stands in their rows means nothing. The notes say what did not match, and where rows without ids
/// were taken in the order of `ids`.
///
/// # Errors
/// A source that cannot be read, rows that cannot be told apart, or of which none is of one of these items.
pub fn read_sources(
    sources: &[FeatureSource],
    ids: &[String],
    notes: &mut Vec<String>,
) -> Result<Vec<Modality>, DataError> {
    let items = Catalogue::Named { ids, listed: ids.len() };
    let read = |FeatureSource { name, path }: &FeatureSource| {
        let (rows, beside) = read_rows(name, path, items)?;
        let rows = join(name, path, rows, items, notes)?;
        if rows.placing == Placing::ByPosition {
            notes.push(format!("{name}: rows without ids, taken in the order of the items: {}.", ids.len()));
        }
        let item_of = beside.then(|| rows.item_of());
        let mut found = modality(name, path, rows)?;
        let mut faults = Faults::stop_at_first();
        let listed = missing_file::read(parent(path), name, &mut faults)?;
        let listed = match (listed, item_of) {
            (Some(listed), Some(item_of)) => Some(listed.of_rows(&item_of)?),
            (listed, _) => listed,
        };
        if let Some(listed) = &listed {
            listed.verify(ids.len(), &mut faults)?;
        }
        found.missing = missing_file::either(found.missing, listed);
        let missing = found.missing.map(|missing| Missing::new(missing.items));
        Ok(Modality { missing, ..Modality::new(name.clone(), found.features) })
    };
    sources.iter().map(read).collect()
}

/// Features with their ids, and whether these are from the file beside them.
fn read_rows(name: &str, file: &Path, items: Catalogue<'_>) -> Result<(FeatureRows, bool), DataError> {
    let mut rows = sources::read(name, file)?;
    // Where items are row numbers, nothing depends on ids that are still to come.
    if matches!(items, Catalogue::Numbered) && row_ids::is_reserved(file) {
        return Ok((rows, false));
    }
    let Some(beside) = row_ids::read(file, rows.features.rows())? else {
        return Ok((rows, false));
    };
    if rows.ids.as_ref().is_some_and(|own| *own != beside) {
        let (file, place) = (row_ids::row_ids_file(file), "the whole file".to_owned());
        let problem = "these ids are not those within the features; remove one of them".to_owned();
        return Err(DataError::Entry { file, place, problem });
    }
    rows.ids = Some(beside);
    Ok((rows, true))
}

/// The lists of items that lack the modality: of the data set's directory, and of the features' where they lie
/// elsewhere. A list beside ids of rows names rows, `item_of` has their items.
fn missing_lists(
    dir: &Path,
    name: &str,
    file: &Path,
    item_of: Option<&[Option<u32>]>,
    faults: &mut Faults,
) -> Result<Vec<Option<ReadMissing>>, DataError> {
    let own = file.parent().filter(|parent| *parent != dir);
    let mut lists = Vec::with_capacity(2);
    for (place, of_rows) in [(Some(dir), own.is_none()), (own, true)] {
        let Some(place) = place else { continue };
        let listed = missing_file::read(place, name, faults)?;
        lists.push(match (listed, item_of) {
            (Some(listed), Some(item_of)) if of_rows => faults.keep(listed.of_rows(item_of))?,
            (listed, _) => listed,
        });
    }
    Ok(lists)
}

/// Puts the features in the order of the items. Items without a row are marked missing.
fn modality(name: &str, file: &Path, rows: ItemRows) -> Result<GatheredModality, DataError> {
    let ItemRows { features, dtype, row_of, placing } = rows;
    let mut modality = GatheredModality::new(name, file, dtype, features);
    modality.placing = placing;
    let Some(row_of) = row_of else {
        return Ok(modality);
    };
    let values = rows_of_items(&modality.features, &row_of).expect("a row that matches was found");
    modality.features = new_features(file, row_of.len(), modality.features.width(), values)?;
    let without = row_of.iter().zip(0..).filter(|(row, _)| row.is_none());
    let without: Vec<u32> = without.map(|(_, item)| item).collect();
    if without.is_empty() { Ok(modality) } else { Ok(modality.with_missing(file, without)) }
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
fn list(dir: &Path, request: &ReadRequest<'_>) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut found: Vec<_> = request.features.iter().map(|f| (f.name.clone(), f.path.clone())).collect();
    for entry in std::fs::read_dir(dir).map_err(DataError::io(dir))? {
        let file = entry.map_err(DataError::io(dir))?.path();
        let name = sources::stem(&file);
        let name = name.and_then(|n| n.strip_suffix(ENDING)).filter(|n| !n.is_empty());
        if let Some(name) = name {
            found.push((name.to_owned(), file));
        }
    }
    found.sort();
    // A source that the request names may be found as well.
    found.dedup_by(|one, other| one.0 == other.0 && same_place(&one.1, &other.1));
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
