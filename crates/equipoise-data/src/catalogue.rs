//! The items of a data set, which may have no features yet.

use std::path::Path;

use crate::error::DataError;
use crate::faults::Faults;
use crate::formats::{self, Gathered};
use crate::options::LoadOptions;

/// Name of the file, in a data set and in a run, that says what items are: one JSON object a line with `id`, and `title`, `picture` and
/// other attributes. No training reads it.
pub const ITEM_INFOS: &str = "items.jsonl";

/// The items of a data set in the order in which features have their rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemIds {
    /// Raw ids by index; the index in decimals where the data set names none.
    pub ids: Vec<String>,
    /// Name of the layout.
    pub format: String,
}

/// Reads the items of the data set at `path`; it needs no features, and its splits are not held against each other.
///
/// Without a list of raw ids there are as many items as the features have rows, or, where there are no features
/// either, as the interactions name.
///
/// # Errors
/// If the layout is not known, or a part of the data set is faulty; that it has no split or no features is no fault
/// here.
pub fn item_ids(path: &Path) -> Result<ItemIds, DataError> {
    let format = formats::detect(path)?;
    let gather = |modalities: Option<Vec<String>>| {
        let options = LoadOptions { modalities, ..LoadOptions::default() };
        let mut faults = Faults::collect_all();
        let found = format.gather(path, &options, &mut faults)?;
        faults.found.into_iter().find(matters).map_or(Ok(found), Err)
    };
    let mut found = gather(Some(Vec::new()))?;
    if found.items.is_none() {
        found = gather(None)?;
    }
    let ids = match &found.items {
        Some((_, ids)) => ids.clone(),
        None => (0..count(&found)?).map(|n| n.to_string()).collect(),
    };
    if ids.is_empty() {
        return Err(DataError::Entry {
            file: path.to_owned(),
            place: "its items".into(),
            problem: "none: there is no interaction and no list of items; give a data set that has some"
                .into(),
        });
    }
    Ok(ItemIds { ids, format: format.name().to_owned() })
}

/// Whether a fault says something about the items.
fn matters(fault: &DataError) -> bool {
    !matches!(fault, DataError::NoModality { .. } | DataError::Unsplit { .. } | DataError::Undated { .. })
}

fn count(found: &Gathered) -> Result<usize, DataError> {
    match found.modalities.first() {
        Some(modality) => Ok(modality.features.rows()),
        None => found.verify(&mut Faults::stop_at_first()).map(|shape| shape.items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_known_before_there_are_features() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("write");
        write("train.json", r#"{"0": [0, 2], "1": [1]}"#);
        write("val.json", r#"{"0": [], "1": []}"#);
        write("test.json", r#"{"0": [], "1": []}"#);
        let found = item_ids(dir.path()).expect("three items");
        assert_eq!(found.ids, ["0", "1", "2"]);
        write("item_list.txt", "c\t2\na\t0\nb\t1\nd\t3\n");
        let found = item_ids(dir.path()).expect("four items");
        assert_eq!(
            (&found.ids[..], &found.format[..]),
            (&["a", "b", "c", "d"].map(String::from)[..], "lattice")
        );
        write("item_list.txt", "c\t2\na\t0\n");
        assert!(item_ids(dir.path()).expect_err("a gap").to_string().contains("item_list.txt"));
    }

    #[test]
    fn an_empty_table_has_no_items() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("likes.csv");
        std::fs::write(&file, "user,item\n").expect("write");
        let message = item_ids(&file).expect_err("empty").to_string();
        assert!(message.contains("likes.csv") && message.contains("no interaction"), "{message}");
    }

    #[test]
    fn a_table_without_a_split_has_items_all_the_same() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("likes.csv");
        std::fs::write(&file, "user,item\nu,x\nu,y\nv,x\n").expect("write");
        assert_eq!(item_ids(&file).expect("two items").ids, ["x", "y"]);
    }
}
