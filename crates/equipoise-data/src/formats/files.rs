//! Files of a data set by their names.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::faults::Faults;
use crate::text::TextOptions;

/// The file that marks this project's own layout.
pub(crate) const MANIFEST: &str = "manifest.toml";

/// Name of a data set: that of its directory.
pub fn directory_name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "data".into())
}

/// Whether two paths lead to one file or directory, which is there.
pub fn same_place(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// What a file holds, by the ending of its name; capitals make no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A table of text.
    Text,
    /// A Parquet file.
    Parquet,
    /// JSON objects.
    Objects,
}

/// The kind of a file and its name without the ending, both in small letters. Text may be compressed: `.csv.gz`.
pub(crate) fn kind(file: &Path) -> Option<(FileKind, String)> {
    let name = file.file_name()?.to_str()?.to_lowercase();
    let (packed, name) = name.strip_suffix(".gz").map_or((false, &*name), |name| (true, name));
    let (stem, ending) = name.rsplit_once('.')?;
    let kind = match ending {
        // RecBole's tables of items have a type behind the name of each column.
        "csv" | "tsv" | "tab" | "psv" | "txt" | "dat" | "data" | "item" => FileKind::Text,
        "parquet" if !packed => FileKind::Parquet,
        "json" | "jsonl" | "ndjson" => FileKind::Objects,
        _ => return None,
    };
    Some((kind, stem.to_owned()))
}

/// The kind of a table about items.
///
/// # Errors
/// If its ending says that it is none, or if `text` names columns and it is no text.
pub(crate) fn item_table(file: &Path, text: &TextOptions) -> Result<FileKind, DataError> {
    let kind = kind(file).map(|(kind, _)| kind);
    if kind != Some(FileKind::Text) {
        text.refuse_names(file)?;
    }
    kind.ok_or_else(|| DataError::Entry {
        file: file.to_owned(),
        place: "its name".into(),
        problem:
            "expected .csv, .tsv, .txt, .item, .jsonl (each also with .gz) or .parquet; convert or rename it"
                .into(),
    })
}

/// What lies in a directory, by name; `None` if it cannot be read and that was noted.
///
/// # Errors
/// When loading, if it cannot be read.
pub(crate) fn listed(dir: &Path, faults: &mut Faults) -> Result<Option<Vec<PathBuf>>, DataError> {
    let Some(entries) = faults.keep(std::fs::read_dir(dir).map_err(DataError::io(dir)))? else {
        return Ok(None);
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    Ok(Some(files))
}

/// The files of a directory that end in `.inter`, by name.
pub(crate) fn inter_files(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    files_ending(path, "inter")
}

/// The files of a directory with this ending, in capitals or not, compressed or not, by name.
pub(crate) fn files_ending(path: &Path, ending: &str) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(DataError::io(path))? {
        let file = entry.map_err(DataError::io(path))?.path();
        if stem(&file, ending).is_some() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// The name of a file in small letters without `.<ending>` and `.gz`, if it has that ending.
pub(crate) fn stem(file: &Path, ending: &str) -> Option<String> {
    let name = file.file_name()?.to_str()?.to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    Some(name.strip_suffix(ending)?.strip_suffix('.')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_what_a_file_holds() {
        for (name, kind_and_stem) in [
            ("a.csv", Some((FileKind::Text, "a"))),
            ("A.B.TSV.GZ", Some((FileKind::Text, "a.b"))),
            ("u.data", Some((FileKind::Text, "u"))),
            ("ml.item", Some((FileKind::Text, "ml"))),
            ("a.PARQUET", Some((FileKind::Parquet, "a"))),
            ("a.parquet.gz", None),
            ("meta.json.gz", Some((FileKind::Objects, "meta"))),
            ("csv", None),
            ("a.npy", None),
        ] {
            let expected = kind_and_stem.map(|(kind, stem)| (kind, stem.to_owned()));
            assert_eq!(kind(Path::new(name)), expected, "{name}");
        }
        assert_eq!(stem(Path::new("d/Baby.INTER.gz"), "inter").as_deref(), Some("baby"));
        assert_eq!(stem(Path::new("d/inter"), "inter"), None);
    }
}
