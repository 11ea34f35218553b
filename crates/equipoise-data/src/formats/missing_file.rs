//! Lists of the items that lack a modality: `<modality>_missing.json`, item ids as in the splits, `[3, 17, ...]`.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use super::files::listed;
use crate::error::DataError;
use crate::faults::Faults;
use crate::text::json;

/// Ending of the file's name.
pub const ENDING: &str = "_missing.json";

const SHAPE: &str = "[item ids], whole numbers from 0 as in the splits";

/// A list as it stands in the file.
#[derive(Debug)]
pub(crate) struct ReadMissing {
    file: PathBuf,
    pub(crate) items: Vec<u32>,
}

/// Reads the list of modality `name` if it is there.
///
/// # Errors
/// When loading, the first fault; when checking, none.
pub(crate) fn read(dir: &Path, name: &str, faults: &mut Faults) -> Result<Option<ReadMissing>, DataError> {
    let file = dir.join(format!("{name}{ENDING}"));
    if !file.exists() {
        return Ok(None);
    }
    let items = json::read(&file, SHAPE, PhantomData::<Vec<u32>>);
    Ok(faults.keep(items)?.map(|items| ReadMissing { file, items }))
}

/// Notes every list that belongs to no modality: a slip in its name would go unseen otherwise.
pub(crate) fn strays(
    dir: &Path,
    present: &[(String, PathBuf)],
    faults: &mut Faults,
) -> Result<(), DataError> {
    let Some(files) = listed(dir, faults)? else { return Ok(()) };
    for file in files {
        let name = file.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(ENDING));
        let Some(name) = name.filter(|name| present.iter().all(|(there, _)| there != name)) else {
            continue;
        };
        let problem =
            format!("no {name}_feat.npy beside it; correct the name, add the features or remove the list");
        faults.add(DataError::Entry { file: file.clone(), place: format!("modality {name:?}"), problem })?;
    }
    Ok(())
}

/// What a list says, and what features that were joined by id left open.
pub(crate) fn either(listed: Option<ReadMissing>, open: Option<ReadMissing>) -> Option<ReadMissing> {
    match (listed, open) {
        (Some(mut listed), Some(open)) => {
            let known: HashSet<u32> = listed.items.iter().copied().collect();
            listed.items.extend(open.items.into_iter().filter(|item| !known.contains(item)));
            Some(listed)
        }
        (listed, open) => listed.or(open),
    }
}

impl ReadMissing {
    /// Items that `file` says are missing.
    pub(crate) fn of(file: &Path, items: Vec<u32>) -> ReadMissing {
        ReadMissing { file: file.to_owned(), items }
    }

    /// The items of a list of rows; rows of items that the data set does not have are left out.
    ///
    /// # Errors
    /// If there is no such row.
    pub(crate) fn of_rows(self, item_of: &[Option<u32>]) -> Result<ReadMissing, DataError> {
        if let Some(row) = self.items.iter().find(|row| **row as usize >= item_of.len()) {
            let last = item_of.len().saturating_sub(1);
            let problem = format!("no such row of the features, expected 0..={last}; correct or remove it");
            return Err(DataError::Entry { file: self.file, place: format!("row {row}"), problem });
        }
        let items = self.items.iter().filter_map(|&row| item_of[row as usize]).collect();
        Ok(ReadMissing { items, ..self })
    }

    /// Notes items out of range, repeats, and a list of everything.
    pub(crate) fn verify(&self, items: usize, faults: &mut Faults) -> Result<(), DataError> {
        let fault =
            |place: String, problem: String| DataError::Entry { file: self.file.clone(), place, problem };
        let last = items.saturating_sub(1);
        let beyond = self.items.iter().filter(|item| **item as usize >= items);
        let beyond = beyond.map(|item| {
            fault(format!("item {item}"), format!("no such item, expected 0..={last}; correct or remove it"))
        });
        faults.add_all(beyond, &self.file.display().to_string(), "missing item out of range")?;
        let mut sorted = self.items.clone();
        sorted.sort_unstable();
        let repeated = sorted.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
        let repeated = repeated.map(|same| {
            fault(
                format!("item {}", same[0]),
                "occurs twice, expected each item once; remove the others".into(),
            )
        });
        faults.add_all(repeated, &self.file.display().to_string(), "repeated missing item")?;
        sorted.dedup();
        if items > 0 && sorted.len() == items {
            let problem = "lists every item, expected one that has the modality; remove the modality".into();
            faults.add(fault("the whole file".into(), problem))?;
        }
        Ok(())
    }
}
