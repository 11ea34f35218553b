//! The features of new items, joined by raw id and checked against those of the training.

use super::table::NewItem;
use crate::error::RecommendError;
use crate::new_items::{Content, ModalityInput, NewItemMaps};
use equipoise_data::formats::read_sources;
use equipoise_data::{FeatureSource, MissingFill, Modality, quoted};
use std::collections::BTreeMap;

/// Reads the features of these items.
///
/// # Errors
/// A modality that the model lacks or that is named twice, features that cannot be read or have another width than in training.
pub(super) fn contents(
    maps: &NewItemMaps,
    items: &[NewItem],
    sources: &[FeatureSource],
    notes: &mut Vec<String>,
) -> Result<Vec<Content>, RecommendError> {
    check_names(maps, sources)?;
    let ids: Vec<String> = items.iter().map(|item| item.id.clone()).collect();
    let read = read_sources(sources, &ids, notes)?;
    let read: BTreeMap<String, Modality> = read.into_iter().map(|m| (m.name.clone(), m)).collect();
    for (modality, source) in maps.modalities.iter().filter_map(|m| Some((m, source(sources, &m.name)?))) {
        let (found, expected) = (read[&modality.name].features.width(), modality.scale.width());
        if found != expected {
            let reason = format!(
                "{} features of {found} columns, expected {expected} as in training; make them with the same encoder",
                modality.name
            );
            return Err(RecommendError::file(&source.path, reason));
        }
    }
    notes.extend(maps.modalities.iter().filter_map(|m| lacking(m, read.get(&m.name), items.len())));
    let row = |place: usize, name: &String| {
        let modality = read.get(name)?;
        let missing = modality.missing.as_ref().is_some_and(|missing| missing.contains(place as u32));
        (!missing).then(|| modality.features.row(place).into_owned())
    };
    let content = |(place, item): (usize, &NewItem)| Content {
        rows: maps.modalities.iter().map(|m| row(place, &m.name)).collect(),
        category: known_category(maps, item),
    };
    Ok(items.iter().enumerate().map(content).collect())
}

fn source<'a>(sources: &'a [FeatureSource], name: &str) -> Option<&'a FeatureSource> {
    sources.iter().find(|source| source.name == name)
}

fn check_names(maps: &NewItemMaps, sources: &[FeatureSource]) -> Result<(), RecommendError> {
    let known: Vec<&str> = maps.modalities.iter().map(|m| m.name.as_str()).collect();
    if let Some(other) = sources.iter().find(|source| !known.contains(&source.name.as_str())) {
        let problem = format!("the model has no modality {}, only {}", quoted(&other.name), known.join(", "));
        return Err(RecommendError::field("features", problem));
    }
    let twice = (1..sources.len()).find(|&k| source(&sources[..k], &sources[k].name).is_some());
    match twice {
        Some(k) => {
            let problem = format!("{} twice; give one source for each modality", quoted(&sources[k].name));
            Err(RecommendError::field("features", problem))
        }
        None if sources.is_empty() => Err(RecommendError::field("features", nothing(maps))),
        None => Ok(()),
    }
}

/// What to say to whoever gives no features at all: how those of the training were made, where that is known.
fn nothing(maps: &NewItemMaps) -> String {
    let made = |m: &ModalityInput| {
        let by = m.encoder.as_ref().map_or(String::new(), |model| match model.as_str() {
            // Its vectors are directions within the texts of one catalogue.
            "builtin" => " (by the builtin encoder, which cannot encode further items alike)".into(),
            model => format!(" (by {model:.80})"),
        });
        format!("{} of {} columns{by}", m.name, m.scale.width())
    };
    let made: Vec<String> = maps.modalities.iter().map(made).collect();
    format!(
        "none are given; expected NAME=FILE of at least one modality: {}; `equipoise features` makes them with the encoder of the \
         training",
        made.join(", ")
    )
}

/// What is said of new items without features of a modality.
fn lacking(modality: &ModalityInput, read: Option<&Modality>, items: usize) -> Option<String> {
    let count = match read {
        None => items,
        Some(read) => read.missing.as_ref().map_or(0, equipoise_data::Missing::len),
    };
    let shown = match modality.missing {
        MissingFill::Mean => "the mean of the training",
        MissingFill::Zero => "zeros",
        MissingFill::Neighbours => "the mean of the training, as they share users with no item",
    };
    let mode = modality.missing.name();
    (count > 0).then(|| {
        format!(
            "{}: new items without features, for which stand {shown} (data.missing = {mode}): {count}.",
            modality.name
        )
    })
}

/// The category of an item, or the nearest one above it, that has a vector of its own.
fn known_category(maps: &NewItemMaps, item: &NewItem) -> Vec<String> {
    let mut path = item.category();
    while path.len() > 1 && !maps.categories.contains_key(&path) {
        path.pop();
    }
    path
}
