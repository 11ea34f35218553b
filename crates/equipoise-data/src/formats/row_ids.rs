//! Whose row is whose, in a file beside the features: `text_feat_ids.json` of `text_feat.npy`.
//!
//! ```text
//! {"version": 1, "features": "<BLAKE3 of the features, 64 hex digits>", "ids": ["raw id of row 0", ...]}
//! ["raw id of row 0", 17, ...]
//! ```
//!
//! This program writes the first form with every matrix, the second is for files made elsewhere; a whole number stands for
//! its decimals. The hash tells ids of another matrix from those of this one. An empty hash marks features that are being
//! written: whoever is killed in between leaves a file that nobody takes for whole.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::files::listed;
use crate::atomic::write_atomic;
use crate::error::{DataError, json_error};
use crate::faults::Faults;
use crate::ids::Ids;
use crate::quoted::quoted;
use crate::text::text_of;

/// What stands between the stem of the features' name and `.json`.
const ENDING: &str = "_ids.json";

/// What a list of a modality found in a directory is called after the modality's name.
const OF_MODALITY: &str = "_feat_ids.json";

/// Version that is written, and the last one that is read.
const VERSION: u32 = 1;

const SHAPE: &str = "[item id of each row, ...], texts or whole numbers";

/// The first form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    features: String,
    ids: Vec<Id>,
}

/// Looked at before all else: a later version may have other fields.
#[derive(Deserialize)]
struct Version {
    version: i64,
}

/// A raw id.
struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Id;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an item id, a text or a whole number")
            }

            fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<Id, E> {
                Ok(Id(id.to_owned()))
            }

            fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<Id, E> {
                Ok(Id(id.to_string()))
            }

            fn visit_i64<E: serde::de::Error>(self, id: i64) -> Result<Id, E> {
                Ok(Id(id.to_string()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// The file of the ids of these features.
pub fn row_ids_file(features: &Path) -> PathBuf {
    let stem = features.file_stem().unwrap_or_default().to_string_lossy();
    features.with_file_name(format!("{stem}{ENDING}"))
}

/// Marks features that are about to be written: until [`write_row_ids`] nobody reads them.
///
/// # Errors
/// [`DataError::Io`] if the file cannot be written.
pub fn reserve_row_ids(features: &Path) -> Result<(), DataError> {
    write(features, &Ids::default(), String::new())
}

/// Writes the raw id of each row beside a matrix of features that is whole.
///
/// # Errors
/// [`DataError::Io`] if the features cannot be read or the file cannot be written.
pub fn write_row_ids(features: &Path, ids: &Ids) -> Result<(), DataError> {
    write(features, ids, hash(features)?)
}

fn write(features: &Path, ids: &Ids, hash: String) -> Result<(), DataError> {
    #[derive(Serialize)]
    struct Borrowed<'a> {
        version: u32,
        features: String,
        ids: &'a Ids,
    }
    let file = row_ids_file(features);
    let content = Borrowed { version: VERSION, features: hash, ids };
    write_atomic(&file, |out| {
        serde_json::to_writer(&mut *out, &content)?;
        out.write_all(b"\n")
    })
    .map_err(DataError::io(&file))
}

/// Whether the ids beside the features are those of a matrix that is whole and as it was written, in this order.
///
/// # Errors
/// [`DataError::Io`] if the features cannot be read.
pub fn has_row_ids(features: &Path, ids: &Ids) -> Result<bool, DataError> {
    let Ok(bytes) = std::fs::read(row_ids_file(features)) else {
        return Ok(false);
    };
    let same = |written: &Written| {
        written.ids.len() == ids.len() && written.ids.iter().zip(ids.iter()).all(|(a, b)| a.0 == b)
    };
    match serde_json::from_slice::<Written>(&bytes) {
        Ok(written) if written.version == VERSION && same(&written) => {
            Ok(written.features == hash(features)?)
        }
        _ => Ok(false),
    }
}

/// Reads the ids beside the features, if there are any.
///
/// # Errors
/// A file that is damaged or of another matrix; an id that is empty or occurs twice; another number of ids than `rows`.
pub(crate) fn read(features: &Path, rows: usize) -> Result<Option<Vec<String>>, DataError> {
    let file = row_ids_file(features);
    if !file.is_file() {
        return Ok(None);
    }
    let text = text_of(&file)?;
    let fault = |error: serde_json::Error| json_error(&file, SHAPE, &error);
    let ids: Vec<Id> = if text.trim_ascii_start().starts_with('{') {
        let Version { version } = serde_json::from_str(&text).map_err(fault)?;
        if version > i64::from(VERSION) {
            return Err(DataError::Newer { file, found: version, known: VERSION });
        }
        let written: Written = serde_json::from_str(&text).map_err(fault)?;
        if written.version == 0 {
            return Err(entry(&file, "version", format!("0, expected {VERSION}; make the features again")));
        }
        same_matrix(&file, features, &written.features)?;
        written.ids
    } else {
        serde_json::from_str(&text).map_err(fault)?
    };
    let ids: Vec<String> = ids.into_iter().map(|id| id.0).collect();
    if ids.len() != rows {
        let problem = format!(
            "{} ids for the {rows} rows of {}; give each row one",
            ids.len(),
            features.file_name().unwrap_or_default().display()
        );
        return Err(entry(&file, "the whole file", problem));
    }
    let mut seen = HashSet::with_capacity(rows);
    match ids.iter().position(|id| id.is_empty() || !seen.insert(id.as_str())) {
        Some(row) => {
            let problem = format!(
                "the id {} is empty or occurs before; give each row an id of its own",
                quoted(&ids[row])
            );
            Err(entry(&file, &format!("row {row}"), problem))
        }
        None => Ok(Some(ids)),
    }
}

fn same_matrix(file: &Path, features: &Path, expected: &str) -> Result<(), DataError> {
    let name = features.file_name().unwrap_or_default().display();
    let problem = if expected.is_empty() {
        format!("{name} was being written when its writer ended; give the command that made it again")
    } else if hash(features)? != expected {
        format!(
            "these ids are of another {name} than the one beside them, which was replaced or changed since; make the \
             features again, or write the ids of its rows as a JSON list"
        )
    } else {
        return Ok(());
    };
    Err(entry(file, "features", problem))
}

/// Whether these features are marked as being written.
pub(crate) fn is_reserved(features: &Path) -> bool {
    reserves(&row_ids_file(features))
}

fn reserves(file: &Path) -> bool {
    let bytes = std::fs::read(file).unwrap_or_default();
    serde_json::from_slice::<Written>(&bytes).is_ok_and(|written| written.features.is_empty())
}

fn entry(file: &Path, place: &str, problem: String) -> DataError {
    DataError::Entry { file: file.to_owned(), place: place.to_owned(), problem }
}

fn hash(file: &Path) -> Result<String, DataError> {
    let mut hasher = blake3::Hasher::new();
    let input = File::open(file).map_err(DataError::io(file))?;
    hasher.update_reader(input).map_err(DataError::io(file))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Whether these features were made by an earlier version of this program, which did not write down whose row is whose.
pub(crate) fn made_without(features: &Path) -> bool {
    let stem = features.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = stem.strip_suffix("_feat").unwrap_or(&stem);
    features.with_file_name(format!("{name}_encoder.json")).is_file() && !row_ids_file(features).is_file()
}

/// Notes every list that belongs to no modality of the directory: a slip in its name would go unseen otherwise.
pub(crate) fn strays(
    dir: &Path,
    present: &[(String, PathBuf)],
    faults: &mut Faults,
) -> Result<(), DataError> {
    let Some(files) = listed(dir, faults)? else { return Ok(()) };
    let used: Vec<PathBuf> = present.iter().map(|(_, features)| row_ids_file(features)).collect();
    for file in files.into_iter().filter(|file| !used.contains(file)) {
        let name = file.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(OF_MODALITY));
        if let Some(name) = name.filter(|_| !reserves(&file)) {
            let problem = format!(
                "no features of {} beside these ids; correct the name, add the features or remove the ids",
                quoted(name)
            );
            faults.add(entry(&file, "its name", problem))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(dir: &Path, content: &str) -> PathBuf {
        let file = dir.join("text_feat.npy");
        std::fs::write(&file, content).expect("written");
        file
    }

    fn message(read: Result<Option<Vec<String>>, DataError>) -> String {
        read.expect_err("refused").to_string()
    }

    #[test]
    fn ids_that_were_written_are_those_of_this_matrix_alone() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = features(dir.path(), "one");
        let ids: Ids = ["b\tc", "007", "7"].iter().collect();
        assert_eq!(read(&file, 3).expect("no ids"), None);
        write_row_ids(&file, &ids).expect("written");
        assert_eq!(read(&file, 3).expect("sound"), Some(ids.to_vec()));
        assert!(has_row_ids(&file, &ids).expect("readable"));
        assert!(!has_row_ids(&file, &ids.range(0..2).collect()).expect("readable"));
        assert!(message(read(&file, 4)).contains("3 ids for the 4 rows of text_feat.npy"));
        features(dir.path(), "two");
        assert!(message(read(&file, 3)).contains("of another text_feat.npy"));
        assert!(!has_row_ids(&file, &ids).expect("readable"));
        reserve_row_ids(&file).expect("written");
        assert!(message(read(&file, 3)).contains("was being written"));
    }

    #[test]
    fn a_list_by_hand_may_have_numbers_and_what_is_no_id_has_its_place() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = features(dir.path(), "any");
        let put = |text: &str| std::fs::write(row_ids_file(&file), text).expect("written");
        put("[\"a\", 12, -3]");
        assert_eq!(read(&file, 3).expect("sound"), Some(["a", "12", "-3"].map(String::from).to_vec()));
        for (text, says) in [
            ("[1.5, 2]", "whole number"),
            ("[\"a\",\n null]", "line 2"),
            ("{\"version\": 2, \"rows\": 3}", "version 2"),
            ("{\"version\": 1}", "features"),
            ("nothing", "line 1"),
            ("[\"a\", \"a\"]", "row 1"),
            ("[\"a\", \"\"]", "row 1"),
        ] {
            put(text);
            let message = message(read(&file, 2));
            assert!(message.contains(says) && message.contains("text_feat_ids.json"), "{says}: {message}");
        }
    }

    #[test]
    fn ids_of_no_features_and_features_of_an_earlier_version_are_seen() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = features(dir.path(), "any");
        assert!(!made_without(&file));
        std::fs::write(dir.path().join("text_encoder.json"), "{}").expect("written");
        assert!(made_without(&file));
        write_row_ids(&file, &["a"].iter().collect()).expect("written");
        assert!(!made_without(&file));
        let present = [("text".to_owned(), file)];
        let mut faults = Faults::collect_all();
        std::fs::write(dir.path().join("item_ids.json"), "{}").expect("written");
        strays(dir.path(), &present, &mut faults).expect("collected");
        assert!(faults.found.is_empty(), "{:?}", faults.found);
        std::fs::write(dir.path().join("txt_feat_ids.json"), "[]").expect("written");
        strays(dir.path(), &present, &mut faults).expect("collected");
        assert!(faults.found[0].to_string().contains("\"txt\""), "{:?}", faults.found);
        reserve_row_ids(&dir.path().join("new_feat.npy")).expect("written");
        strays(dir.path(), &present, &mut faults).expect("collected");
        assert_eq!(faults.found.len(), 2, "txt again, and not what is being written: {:?}", faults.found);
    }
}
