//! Writing RecBole's atomic files.

use std::path::Path;

use equipoise_data::DataError;
use equipoise_data::formats::write_categories;

use super::contents::Contents;
use super::features::write_features;

use crate::files::write_lines;

pub(super) fn write(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    let name = contents.file_name();
    let (users, items) = (contents.vocabulary.users(), contents.vocabulary.items());
    let dated = contents.dated();
    let header =
        if dated { "user_id:token\titem_id:token\ttimestamp:float" } else { "user_id:token\titem_id:token" };
    for (split, part) in contents.splits.iter().zip(["train", "valid", "test"]) {
        let rows = split.pairs.iter().enumerate().map(|(row, &(user, item))| {
            let (user, item) = (&users[user as usize], &items[item as usize]);
            if dated { format!("{user}\t{item}\t{}", split.times[row]) } else { format!("{user}\t{item}") }
        });
        let file = dir.join(format!("{name}.{part}.inter"));
        write_lines(&file, std::iter::once(header.to_owned()).chain(rows))?;
    }
    for (ids, kind) in [(users, "user"), (items, "item")] {
        let rows = std::iter::once(format!("{kind}_id:token")).chain(ids.iter().map(str::to_owned));
        write_lines(&dir.join(format!("{name}.{kind}")), rows)?;
    }
    if let Some(categories) = &contents.categories {
        write_categories(dir, categories)?;
    }
    write_features(contents, dir)
}
