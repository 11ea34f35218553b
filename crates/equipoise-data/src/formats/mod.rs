//! Layouts of data sets on disk: one file each, and one line each in the registry.

mod category_file;
mod cells;
mod columns;
mod csv_rows;
mod delimited;
mod gathered;
mod id_list;
mod join;
mod json_split;
mod lattice;
mod matrices;
mod missing_file;
mod mmrec;
mod modality_files;
mod native;
mod npy;
mod npy_array;
mod npy_header;
mod npz;
mod parquet_file;
mod parquet_table;
mod recbole;
mod records;
mod sources;
mod sparse;
mod table;

use std::path::{Path, PathBuf};

pub use category_file::{NAME as CATEGORIES, write as write_categories};
pub use cells::{Cells, read_cells};
pub use columns::Columns;
pub use gathered::{Gathered, GatheredSplit, Shape};
pub(crate) use gathered::{ReadModality, oddities};
pub use lattice::Lattice;
pub use matrices::Matrices;
pub use missing_file::ENDING as MISSING_ENDING;
pub use mmrec::Mmrec;
pub(crate) use modality_files::found_names;
pub use native::{Native, NativeContents, NativeModality, write_native};
pub use npy::{float32_header, matrix_header, read_npy, write_npy};
pub use recbole::Recbole;
pub use table::{Table, TableRows, read_table};

use crate::dataset::{LoadOptions, Loaded};
use crate::error::DataError;
pub use crate::faults::Faults;

/// A layout of files that makes up a data set.
///
/// An implementation recognises a directory and reads its parts; the checks that hold for every
/// data set (ranges, disjoint splits, rows, ...) are made once for all of them. Implemented
/// within this crate: one file and one line in [`formats`].
pub trait Format: Sync {
    /// Short name, e.g. `lattice`.
    fn name(&self) -> &'static str;

    /// One line that says which files belong to it.
    fn describe(&self) -> &'static str;

    /// Whether `path` looks like this layout; reads directory entries and at most a first line.
    fn detect(&self, path: &Path) -> bool;

    /// Reads the parts. Faults go to `faults`.
    ///
    /// # Errors
    /// The first fault, if `faults` says so.
    fn gather(&self, path: &Path, options: &LoadOptions, faults: &mut Faults) -> Result<Gathered, DataError>;

    /// Whether the layout leaves open what [`LoadOptions`] says of columns, ratings and splits.
    fn leaves_choices(&self) -> bool {
        false
    }

    /// Looks closer at what loading takes on trust, once nothing else was found wrong.
    fn audit(&self, _path: &Path, _options: &LoadOptions) -> Vec<DataError> {
        Vec::new()
    }

    /// Reads and checks a data set.
    ///
    /// # Errors
    /// The first fault found; nothing is then half read.
    fn load(&self, path: &Path, options: &LoadOptions) -> Result<Loaded, DataError> {
        refuse_idle(self.name(), self.leaves_choices(), options)?;
        let gathered = self.gather(path, options, &mut Faults::stop_at_first())?;
        gathered.assemble(path)
    }
}

/// All layouts known.
pub fn formats() -> &'static [&'static dyn Format] {
    &[&Lattice, &Matrices, &Mmrec, &Native, &Recbole, &Table]
}

/// The one layout that `path` has.
///
/// # Errors
/// [`DataError::Io`] if there is no such file or directory, [`DataError::Layout`] if it has no known
/// layout or the files of two.
pub fn detect(path: &Path) -> Result<&'static dyn Format, DataError> {
    // Says "no such file or directory" where that is so.
    std::fs::metadata(path).map_err(DataError::io(path))?;
    let fitting: Vec<_> = formats().iter().filter(|f| f.detect(path)).collect();
    let found = match fitting[..] {
        [format] => return Ok(*format),
        [] => "no known layout".to_owned(),
        _ => format!("files of several layouts ({})", found_names(fitting.iter().map(|f| f.name()))),
    };
    let known: Vec<String> = formats().iter().map(|f| format!("{}: {}", f.name(), f.describe())).collect();
    Err(DataError::Layout { path: path.to_owned(), found, expected: known.join("; ") })
}

/// Recognises the layout of `path` and reads its parts, which are not yet held against each other.
///
/// # Errors
/// As [`detect`]; an option that the layout would not read; when loading, the first fault of a part.
pub fn gather(path: &Path, options: &LoadOptions, faults: &mut Faults) -> Result<Gathered, DataError> {
    let format = detect(path)?;
    refuse_idle(format.name(), format.leaves_choices(), options)?;
    format.gather(path, options, faults)
}

/// Name of a data set: that of its directory.
fn directory_name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "data".into())
}

/// Refuses options that would change nothing in a layout without `choices`.
pub(crate) fn refuse_idle(name: &str, choices: bool, options: &LoadOptions) -> Result<(), DataError> {
    let plain = LoadOptions::default();
    let given = [
        ("columns", options.columns != plain.columns),
        ("min_rating", options.min_rating.is_some()),
        ("split", options.split.is_some()),
        ("shares", options.shares != plain.shares),
    ];
    match given.iter().find(|(_, given)| *given && !choices) {
        Some((field, _)) => Err(DataError::Setting {
            field,
            found: "set".into(),
            expected: format!("nothing, since the {name} layout leaves no choice"),
        }),
        None => Ok(()),
    }
}

/// The files of a directory that end in `.inter`, by name.
fn inter_files(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    files_ending(path, "inter")
}

/// The files of a directory with this ending, by name.
fn files_ending(path: &Path, ending: &str) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(DataError::io(path))? {
        let file = entry.map_err(DataError::io(path))?.path();
        if file.extension().is_some_and(|e| e == ending) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_has_a_name_and_a_description_of_its_own() {
        let names: Vec<_> = formats().iter().map(|f| f.name()).collect();
        for (n, format) in formats().iter().enumerate() {
            assert!(!names[..n].contains(&format.name()), "{} twice", format.name());
            assert!(format.describe().contains(".npy"), "{}", format.describe());
            assert!(!format.describe().contains('\n'));
        }
    }

    #[test]
    fn no_layout_claims_an_empty_directory_and_all_refuse_it_when_forced() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for format in formats() {
            assert!(!format.detect(dir.path()), "{}", format.name());
            let refused = format.load(dir.path(), &LoadOptions::default());
            assert!(refused.is_err(), "{}", format.name());
        }
    }
}
