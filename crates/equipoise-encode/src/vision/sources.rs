//! Which file is the picture of which item.

use std::path::{Path, PathBuf};

use equipoise_data::formats::Cells;

use crate::error::EncodeError;
use crate::item_texts::{self, ItemTexts, by_id, nothing};

/// Endings of the names of pictures, the first being preferred.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Pictures by item, and what did not match.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// By item; `None` where there is none.
    pub files: Vec<Option<PathBuf>>,
    /// Pictures of items that are not in the data set.
    pub unknown: usize,
    /// Further pictures of an item.
    pub repeated: usize,
}

/// Finds the pictures `<raw item id>.jpg`, `.jpeg`, `.png` or `.webp`, in capitals or not, in a folder.
///
/// # Errors
/// If the folder cannot be read or has no picture of any item.
pub(super) fn in_folder(ids: &[String], folder: &Path) -> Result<Pictures, EncodeError> {
    let items = by_id(ids);
    let mut found = Pictures { files: vec![None; ids.len()], ..Pictures::default() };
    let (mut ranks, mut example) = (vec![ENDINGS.len(); ids.len()], None);
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(EncodeError::io(folder))?;
    names.sort();
    for path in names {
        let Some((stem, rank)) = stem_and_rank(&path) else { continue };
        let Some(&item) = items.get(stem.as_str()) else {
            found.unknown += 1;
            example.get_or_insert(stem);
            continue;
        };
        found.repeated += usize::from(found.files[item].is_some());
        if rank < ranks[item] {
            (ranks[item], found.files[item]) = (rank, Some(path));
        }
    }
    match found.files.iter().any(Option::is_some) {
        true => Ok(found),
        false => {
            let pictures = example.map_or("no .jpg, .jpeg, .png or .webp at all".into(), |stem: String| {
                format!("its pictures are called {stem:.60?} and so on")
            });
            Err(nothing(folder, "no picture is of an item of the data set", &pictures, ids))
        }
    }
}

fn stem_and_rank(path: &Path) -> Option<(String, usize)> {
    let ending = path.extension()?.to_str()?.to_lowercase();
    let rank = ENDINGS.iter().position(|known| *known == ending)?;
    Some((path.file_stem()?.to_str()?.to_owned(), rank))
}

/// Reads the paths of pictures, relative to the table, from a column; of several rows about one item the first is kept.
///
/// # Errors
/// If the table cannot be read, a row has no id, or no row is about an item of the data set.
pub(super) fn in_table(ids: &[String], table: &Path, cells: &Cells) -> Result<Pictures, EncodeError> {
    let folder = table.parent().unwrap_or(Path::new(""));
    let ItemTexts { texts, unknown, repeated } = item_texts::read(ids, table, cells)?;
    let files = texts.into_iter().map(|path| path.map(|path| folder.join(path.trim()))).collect();
    Ok(Pictures { files, unknown, repeated })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Vec<String> {
        ["a", "b.1", "c"].map(String::from).to_vec()
    }

    #[test]
    fn pictures_of_a_folder_find_their_items_and_the_rest_is_counted() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in ["a.png", "a.JPG", "b.1.webp", "other.jpeg", "c.txt", "notes.md"] {
            std::fs::write(dir.path().join(name), "").expect("written");
        }
        let found = in_folder(&ids(), dir.path()).expect("two match");
        let expected =
            [Some("a.JPG"), Some("b.1.webp"), None].map(|name| name.map(|name| dir.path().join(name)));
        assert_eq!(found.files, expected);
        assert_eq!((found.unknown, found.repeated), (1, 1));
        let message = in_folder(&["q".into()], dir.path()).expect_err("none matches").to_string();
        assert!(message.contains("\"a\"") && message.contains("\"q\""), "{message}");
        let empty = tempfile::tempdir().expect("a temporary directory");
        assert!(in_folder(&ids(), empty.path()).expect_err("none").to_string().contains("no .jpg"));
        assert!(in_folder(&ids(), &dir.path().join("none")).is_err());
    }

    #[test]
    fn paths_of_a_table_are_relative_to_it() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let table = dir.path().join("items.csv");
        std::fs::write(&table, "item,photo\nc,pictures/1.jpg\na,\nz,2.jpg\nc,3.jpg\nb.1,/far/4.png\n")
            .expect("written");
        let cells = Cells { id: None, columns: vec!["photo".into()] };
        let found = in_table(&ids(), &table, &cells).expect("three match");
        let expected = [None, Some("/far/4.png".into()), Some(dir.path().join("pictures/1.jpg"))];
        assert_eq!(found.files, expected);
        assert_eq!((found.unknown, found.repeated), (1, 1));
        let message = in_table(&["q".into()], &table, &cells).expect_err("none matches").to_string();
        assert!(message.contains("\"c\"") && message.contains("\"q\""), "{message}");
    }
}
