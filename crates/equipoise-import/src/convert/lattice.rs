//! Writing the LATTICE layout.

use std::collections::BTreeMap;
use std::path::Path;

use equipoise_data::DataError;
use equipoise_data::formats::{GatheredSplit, write_categories};

use super::contents::Contents;
use super::features::write_features;
use crate::files::{write_json, write_lines};
use crate::lattice_files::numbered;

pub(super) fn write(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    let core = dir.join("5-core");
    for (split, name) in contents.splits.iter().zip(["train", "val", "test"]) {
        write_json(&core.join(format!("{name}.json")), &by_user(split))?;
    }
    write_lines(&core.join("user_list.txt"), numbered(contents.vocabulary.users().iter()))?;
    write_lines(&core.join("item_list.txt"), numbered(contents.vocabulary.items().iter()))?;
    if let Some(categories) = &contents.categories {
        write_categories(&core, categories)?;
    }
    write_features(contents, dir)
}

fn by_user(split: &GatheredSplit) -> BTreeMap<u32, Vec<u32>> {
    let mut lists: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &(user, item) in &split.pairs {
        lists.entry(user).or_default().push(item);
    }
    lists
}
