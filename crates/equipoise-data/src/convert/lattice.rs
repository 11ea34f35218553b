//! Writing the LATTICE layout.

use std::collections::BTreeMap;
use std::path::Path;

use super::contents::Contents;
use super::place::{write_json, write_lines};
use crate::error::DataError;
use crate::formats::{CATEGORIES, Split, write_npy};

pub(super) fn write(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    let core = dir.join("5-core");
    for (split, name) in contents.splits.iter().zip(["train", "val", "test"]) {
        write_json(&core.join(format!("{name}.json")), &by_user(split))?;
    }
    write_lines(&core.join("user_list.txt"), numbered(contents.vocabulary.users()))?;
    write_lines(&core.join("item_list.txt"), numbered(contents.vocabulary.items()))?;
    write_categories(contents, &core)?;
    write_features(contents, dir)
}

fn by_user(split: &Split) -> BTreeMap<u32, Vec<u32>> {
    let mut lists: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &(user, item) in &split.pairs {
        lists.entry(user).or_default().push(item);
    }
    lists
}

/// `raw id <tab> index`, under a line that names the columns: without it a first raw id could be taken for one.
pub(crate) fn numbered(ids: &[String]) -> impl Iterator<Item = String> + '_ {
    let rows = ids.iter().enumerate().map(|(index, id)| format!("{id}\t{index}"));
    std::iter::once("raw_id\tindex".to_owned()).chain(rows)
}

/// `categories.json`, where there are categories.
pub(super) fn write_categories(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    let Some(categories) = &contents.categories else {
        return Ok(());
    };
    let paths = categories.paths().iter().enumerate().filter(|(_, path)| !path.is_empty());
    write_json(&dir.join(CATEGORIES), &paths.collect::<BTreeMap<_, _>>())
}

/// `<modality>_feat.npy` for each modality.
pub(super) fn write_features(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    contents
        .modalities
        .iter()
        .try_for_each(|m| write_npy(&dir.join(format!("{}_feat.npy", m.name)), &m.features))
}
