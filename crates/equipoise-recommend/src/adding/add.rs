//! Writes a new version of a served model with more items.

use super::features::contents;
use super::table::NewItem;
use crate::added_items::AddedItems;
use crate::directory::Contents;
use crate::error::RecommendError;
use crate::items::ItemInfos;
use crate::manifest::MANIFEST;
use crate::new_items::{BlockMapKind, Content, Found, NewItemMaps, NewItemsReport, maps_of};
use crate::output::Output;
use crate::served::ServedModel;
use equipoise_data::{FeatureSource, Vocabulary, quoted};
use serde::Serialize;
use std::collections::HashSet;
use std::path::PathBuf;

/// New items for a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddItems {
    /// The run or served model.
    pub model: PathBuf,
    /// The items; none may be known to the model.
    pub items: Vec<NewItem>,
    /// Features by modality, whose rows are joined to the items by raw id.
    pub features: Vec<FeatureSource>,
    /// Where the new version goes; it may be the place of a served model, with `overwrite`.
    pub out: PathBuf,
    /// Whether a served model that is there is replaced.
    pub overwrite: bool,
}

/// What was added.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AddedReport {
    /// Number of items added.
    pub added: usize,
    /// Number of items of the new version.
    pub items: usize,
    /// Version of the model that was written.
    pub version: String,
    /// How rows were made, and how good that is.
    pub placed: NewItemsReport,
    /// What was guessed, missing or passed over, a sentence each.
    pub notes: Vec<String>,
}

/// Writes a served model with more items at its end. What is known of users, items and weights stays as it is.
///
/// # Errors
/// If the model cannot take new items (it reads no content, or its maps are missing), an item is known or named twice, features
/// do not fit; file system faults. Nothing is written then.
pub fn add_items(request: &AddItems) -> Result<AddedReport, RecommendError> {
    let model = ServedModel::open(&request.model)?;
    check_ids(&model, &request.items)?;
    let maps = match maps_of(&request.model, &model)? {
        Found::Maps(maps) => *maps,
        Found::Missing(reason) => {
            let reason = format!("cannot take new items: {reason}");
            return Err(RecommendError::file(&request.model, reason));
        }
    };
    if !maps.reads_content() {
        let reason = "cannot take new items: the model reads no features, so that all of them would score alike; train a \
             backbone that reads content, such as vbpr";
        return Err(RecommendError::file(&request.model, reason));
    }
    let mut notes = Vec::new();
    let contents = contents(&maps, &request.items, &request.features, &mut notes)?;
    notes.extend(said(&maps, &contents));
    let rows = maps.rows(&contents);
    if let Some(value) = rows.iter().flatten().find(|v| !v.is_finite()) {
        let problem =
            format!("they give a row that holds {value}; give features of the size of those in training");
        return Err(RecommendError::field("features", problem));
    }
    let grown = grown(&model, &maps, &request.items, &rows)?;
    let output = Output::begin(&request.out, MANIFEST, request.overwrite)?;
    let version = grown.write(output.dir())?;
    output.finish()?;
    let items = grown.tables.n_items();
    Ok(AddedReport { added: request.items.len(), items, version, placed: maps.report, notes })
}

fn check_ids(model: &ServedModel, items: &[NewItem]) -> Result<(), RecommendError> {
    let fault = |problem: String| Err(RecommendError::field("items", problem));
    if items.is_empty() {
        return fault("none are given; expected at least one".into());
    }
    let known = items.iter().filter(|item| model.vocabulary().item(&item.id).is_some());
    let known: Vec<&NewItem> = known.collect();
    if let Some(first) = known.first() {
        return fault(format!(
            "{} and {} others are items of the model already; leave them out",
            quoted(&first.id),
            known.len() - 1
        ));
    }
    let mut seen = HashSet::with_capacity(items.len());
    match items.iter().find(|item| !seen.insert(item.id.as_str())) {
        Some(twice) => fault(format!("{} occurs twice; keep one row of it", quoted(&twice.id))),
        None => Ok(()),
    }
}

/// What the categories of items came to.
fn said(maps: &NewItemMaps, contents: &[Content]) -> Option<String> {
    let reads = maps.blocks.iter().any(|block| block.kind == BlockMapKind::ProjectionAndCategory);
    let unknown = contents.iter().filter(|item| !maps.categories.contains_key(&item.category)).count();
    (reads && unknown > 0).then(|| {
        format!("Items whose category the training does not know, for which the mean of all categories stands: {unknown}.")
    })
}

/// The model with its new items.
fn grown(
    model: &ServedModel,
    maps: &NewItemMaps,
    items: &[NewItem],
    rows: &[Vec<f32>],
) -> Result<Contents, RecommendError> {
    let first = model.tables().n_items() as u32;
    let ids = model.vocabulary().items().iter().chain(items.iter().map(|item| item.id.as_str()));
    let vocabulary = Vocabulary::new(model.vocabulary().users().clone(), ids.collect())?;
    let known = items.iter().zip(first..).filter(|(item, _)| !item.attributes.is_empty());
    let infos: ItemInfos = model.infos().with(known.map(|(item, row)| (row, item.attributes.clone())));
    let mut settings = model.settings().clone();
    settings.name.get_or_insert_with(|| model.name().name.clone());
    settings.added = Some(added(settings.added.as_ref(), items, rows));
    Ok(Contents {
        vocabulary,
        tables: model.tables().with_items(rows),
        precision: model.tables().precision(),
        infos,
        settings,
        map: model.map().cloned(),
        new_items: Some(maps.clone()),
        half: None,
    })
}

fn added(before: Option<&AddedItems>, items: &[NewItem], rows: &[Vec<f32>]) -> AddedItems {
    let mut hash = blake3::Hasher::new();
    hash.update(before.map_or("", |before| &before.hash).as_bytes());
    for item in items {
        hash.update(item.id.as_bytes()).update(b"\0");
    }
    for value in rows.iter().flatten() {
        hash.update(&value.to_le_bytes());
    }
    AddedItems {
        items: before.map_or(0, |before| before.items) + items.len(),
        hash: hash.finalize().to_hex().to_string(),
    }
}
