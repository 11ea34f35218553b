//! Whether the files of a model have changed.

use std::path::Path;
use std::time::SystemTime;

/// What the files of a model are: names, lengths and times of all files of its directory, or of the one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(Vec<(String, u64, Option<SystemTime>)>);

impl Stamp {
    /// The files as they are now; those that cannot be seen are not there.
    pub(crate) fn of(path: &Path) -> Stamp {
        let seen = |path: &Path| {
            let about = std::fs::metadata(path).ok().filter(|about| about.is_file())?;
            let name = path.file_name()?.to_string_lossy().into_owned();
            // What is being written has a hidden name.
            (!name.starts_with('.')).then(|| (name, about.len(), about.modified().ok()))
        };
        let mut files: Vec<_> = match std::fs::read_dir(path) {
            Ok(entries) => entries.flatten().filter_map(|entry| seen(&entry.path())).collect(),
            Err(_) => seen(path).into_iter().collect(),
        };
        files.sort();
        Stamp(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_comes_goes_or_changes_changes_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = Stamp::of(dir.path());
        fs::write(dir.path().join("a"), "1").unwrap();
        let second = Stamp::of(dir.path());
        assert_ne!(first, second);
        fs::write(dir.path().join(".part"), "1").unwrap();
        assert_eq!(second, Stamp::of(dir.path()));
        fs::write(dir.path().join("a"), "12").unwrap();
        assert_ne!(second, Stamp::of(dir.path()));
        fs::remove_file(dir.path().join("a")).unwrap();
        assert_eq!(first, Stamp::of(dir.path()));
    }
}
