//! How rows of features come to their items, and how they come to them beyond doubt.

use std::path::Path;

use super::row_ids::row_ids_file;

/// How rows came to their items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placing {
    /// By raw ids.
    ById,
    /// By ids that are all numbers from 1 on, where items are row numbers.
    ByNumberFrom1,
    /// Without ids, in the order of the items.
    ByPosition,
}

/// What is said of items that seem to be numbered from 1, the last being `last`.
pub(crate) fn one_off(last: usize, ways: &str) -> String {
    format!(
        "while items seem to be numbered from 1, to {last}: the row of item 1 may be row 0 or row 1; {ways}"
    )
}

/// How the rows of a file are given to items beyond doubt, as messages say it.
pub fn ways_to_place_rows(file: &Path) -> String {
    let list = row_ids_file(file);
    let list = list.file_name().unwrap_or_default().display();
    format!(
        "name the item of each row in {list} beside them (a JSON list of ids), or list the items in the order of the \
         rows in item_list.txt (raw id, tab, row from 0; RecBole: <name>.item)"
    )
}
