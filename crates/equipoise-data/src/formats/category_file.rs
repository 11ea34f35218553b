//! Categories of items beside the splits: `{"<item id>": "Label" or ["Widest", ..., "Narrowest"], ...}`.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::Write;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::atomic::write_atomic;
use crate::categories::Categories;
use crate::error::DataError;
use crate::faults::Faults;
use crate::quoted::{quoted, short};
use crate::text::json;

/// Name of the file.
pub const NAME: &str = "categories.json";

const SHAPE: &str = "{\"item id\": \"label\" or [labels, widest first], ...}";

/// Categories as they stand in the file.
#[derive(Debug)]
pub struct GatheredCategories {
    file: PathBuf,
    paths: Vec<(u32, Vec<String>)>,
}

/// Reads the categories in `dir` if the file is there.
///
/// # Errors
/// When loading, the first fault; when checking, none: what could be understood is returned.
pub fn read(dir: &Path, faults: &mut Faults) -> Result<Option<GatheredCategories>, DataError> {
    let file = dir.join(NAME);
    if !file.exists() {
        return Ok(None);
    }
    let entries = json::read(&file, SHAPE, PhantomData::<Entries>);
    let Some(Entries(entries)) = faults.keep(entries)? else {
        return Ok(None);
    };
    let (mut paths, mut wrong, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (key, value) in entries {
        match entry(&key, value, &mut seen) {
            Ok(entry) => paths.push(entry),
            Err(problem) => wrong.push(fault(&file, &format!("item {}", quoted(&key)), problem)),
        }
    }
    faults.add_all(wrong, &file.display().to_string(), "malformed category")?;
    Ok(Some(GatheredCategories { file, paths }))
}

/// Writes the categories into `dir`; items without one are left out.
///
/// # Errors
/// [`DataError::Io`] if the file cannot be written.
pub fn write(dir: &Path, categories: &Categories) -> Result<(), DataError> {
    let file = dir.join(NAME);
    let paths = categories.paths().iter().enumerate().filter(|(_, path)| !path.is_empty());
    let paths: BTreeMap<_, _> = paths.collect();
    let written = write_atomic(&file, |out| {
        serde_json::to_writer(&mut *out, &paths)?;
        out.write_all(b"\n")
    });
    written.map_err(DataError::io(&file))
}

fn fault(file: &Path, place: &str, problem: String) -> DataError {
    DataError::Entry { file: file.to_owned(), place: place.to_owned(), problem }
}

fn entry(key: &str, value: Value, seen: &mut HashSet<u32>) -> Result<(u32, Vec<String>), String> {
    let digits = !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
    let item = key.parse().ok().filter(|_| digits).ok_or(
        "the item id is no index, expected a whole number from 0 in quotes as in the splits; correct it",
    )?;
    if !seen.insert(item) {
        return Err("the item occurs twice, expected one category per item; remove the others".into());
    }
    let found = short(&value.to_string());
    let expected = "expected a label or a list of labels, widest first; correct it or leave the item out";
    let path = path(value).ok_or_else(|| format!("category {found}, {expected}"))?;
    Ok((item, path))
}

/// The labels, unless there is none or one of them is no text.
fn path(value: Value) -> Option<Vec<String>> {
    let label = |value| match value {
        Value::String(label) if !label.trim().is_empty() => Some(label),
        _ => None,
    };
    let labels: Vec<String> = match value {
        Value::Array(list) => list.into_iter().map(label).collect::<Option<_>>()?,
        one => vec![label(one)?],
    };
    (!labels.is_empty()).then_some(labels)
}

impl GatheredCategories {
    /// Notes every item that the data set does not have.
    pub(crate) fn verify(&self, items: usize, faults: &mut Faults) -> Result<(), DataError> {
        let unknown = self.paths.iter().filter(|(item, _)| *item as usize >= items);
        let last = items.saturating_sub(1);
        let problem = format!("no such item, expected 0..={last}; correct the id or remove the entry");
        let faulty = unknown.map(|(item, _)| fault(&self.file, &format!("item \"{item}\""), problem.clone()));
        faults.add_all(faulty, &self.file.display().to_string(), "category of an unknown item")
    }

    /// Number of items with a category.
    pub(crate) fn len(&self) -> usize {
        self.paths.len()
    }

    /// The category of every item, once [`verify`](Self::verify) found no fault.
    pub(crate) fn of_items(self, items: usize) -> Categories {
        let mut paths = vec![Vec::new(); items];
        for (item, path) in self.paths {
            paths[item as usize] = path;
        }
        Categories::new(paths)
    }
}

/// The members of an object in their order, repeated keys included.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from item ids to categories")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}
