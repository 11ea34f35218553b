//! The layouts that are known: those of this crate, and those that a program registers.

use std::path::Path;
use std::sync::OnceLock;

use super::entry::FormatEntry;
use super::gathered::Gathered;
use super::lattice::Lattice;
use super::matrices::Matrices;
use super::mmrec::Mmrec;
#[cfg(feature = "parquet")]
use super::native::Native;
use super::no_table::no_table;
use super::recbole::Recbole;
use super::table::TableLayout;
use crate::error::{DataError, found_names};
use crate::faults::Faults;
use crate::options::LoadOptions;
use crate::registered::Registered;

/// The layouts of this crate.
fn built_in() -> &'static [FormatEntry] {
    static BUILT_IN: OnceLock<Vec<FormatEntry>> = OnceLock::new();
    BUILT_IN.get_or_init(|| {
        vec![
            FormatEntry::new(Lattice),
            FormatEntry::new(Matrices),
            FormatEntry::new(Mmrec),
            #[cfg(feature = "parquet")]
            FormatEntry::new(Native),
            FormatEntry::new(Recbole),
            FormatEntry::new(TableLayout),
        ]
    })
}

static REGISTERED: Registered<FormatEntry> = Registered::new();

/// Adds a layout, which is known from then on wherever a data set is recognised, read, checked or converted.
///
/// # Errors
/// [`DataError::Setting`] if the name is empty or taken.
pub fn register(entry: FormatEntry) -> Result<(), DataError> {
    let name = entry.name();
    if name.is_empty() || !REGISTERED.add(built_in(), entry, |a, b| a.name() == b.name()) {
        let (found, expected) = (format!("{name:?}"), "a name that no other layout has".to_owned());
        return Err(DataError::Setting { field: "name of a layout", found, expected });
    }
    Ok(())
}

/// All layouts known.
pub fn formats() -> Vec<&'static FormatEntry> {
    REGISTERED.beside(built_in())
}

/// The one layout that `path` has.
///
/// # Errors
/// [`DataError::Io`] if there is no such file or directory, [`DataError::Layout`] if it has no known
/// layout or the files of two, [`DataError::Entry`] if it is a file that is no table.
pub fn detect(path: &Path) -> Result<&'static FormatEntry, DataError> {
    // Says "no such file or directory" where that is so.
    std::fs::metadata(path).map_err(DataError::io(path))?;
    let all = formats();
    let fitting: Vec<_> = all.iter().copied().filter(|f| f.detect(path)).collect();
    let found = match fitting[..] {
        [format] => return Ok(format),
        [] if path.is_file() => return Err(no_table(path)),
        [] => "no known layout".to_owned(),
        [..] => format!("files of several layouts ({})", found_names(fitting.iter().map(|f| f.name()))),
    };
    let known: Vec<String> = all.iter().map(|f| format!("{}: {}", f.name(), f.describe())).collect();
    Err(DataError::Layout { path: path.to_owned(), found, expected: known.join("; ") })
}

/// Recognises the layout of `path` and reads its parts, which are not yet held against each other.
///
/// # Errors
/// As [`detect`]; an option that the layout does not take; when loading, the first fault of a part.
pub fn gather(path: &Path, options: &LoadOptions, faults: &mut Faults) -> Result<Gathered, DataError> {
    detect(path)?.gather(path, options, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_has_a_name_and_a_description_of_its_own() {
        let names: Vec<_> = built_in().iter().map(FormatEntry::name).collect();
        for (n, format) in built_in().iter().enumerate() {
            assert!(!names[..n].contains(&format.name()), "{} twice", format.name());
            assert!(format.describe().contains(".npy"), "{}", format.describe());
            assert!(!format.describe().contains('\n'));
        }
    }

    #[test]
    fn no_layout_claims_an_empty_directory_and_all_refuse_it_when_forced() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for format in built_in() {
            assert!(!format.detect(dir.path()), "{}", format.name());
            let found = format.gather(dir.path(), &LoadOptions::default(), &mut Faults::stop_at_first());
            assert!(found.and_then(|found| found.assemble(dir.path())).is_err(), "{}", format.name());
        }
    }

    #[test]
    fn a_name_is_taken_once() {
        let message = register(FormatEntry::new(Lattice)).expect_err("taken").to_string();
        assert!(message.contains("\"lattice\""), "{message}");
    }
}
