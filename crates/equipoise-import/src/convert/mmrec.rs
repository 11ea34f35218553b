//! Writing the MMRec layout.

use std::path::Path;

use equipoise_data::DataError;
use equipoise_data::formats::write_categories;

use super::contents::Contents;
use super::features::write_features;

use crate::files::write_lines;
use crate::lattice_files::numbered;

pub(super) fn write(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    let dated = contents.dated();
    let header = if dated { "userID\titemID\ttimestamp\tx_label" } else { "userID\titemID\tx_label" };
    let rows = contents.splits.iter().enumerate().flat_map(|(label, split)| {
        split.pairs.iter().enumerate().map(move |(row, (user, item))| {
            if dated {
                format!("{user}\t{item}\t{}\t{label}", split.times[row])
            } else {
                format!("{user}\t{item}\t{label}")
            }
        })
    });
    let file = dir.join(format!("{}.inter", contents.file_name()));
    write_lines(&file, std::iter::once(header.to_owned()).chain(rows))?;
    write_lines(&dir.join("u_id_mapping.csv"), numbered(contents.vocabulary.users().iter()))?;
    write_lines(&dir.join("i_id_mapping.csv"), numbered(contents.vocabulary.items().iter()))?;
    if let Some(categories) = &contents.categories {
        write_categories(dir, categories)?;
    }
    write_features(contents, dir)
}
