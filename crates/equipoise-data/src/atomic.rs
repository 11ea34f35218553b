//! Whole-file writes that a crash cannot leave half done.

use crate::unfinished::Unfinished;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

/// Writes a file so that a reader sees the old contents or the new, never a part.
///
/// `write` fills `.<name>.part` in the directory of `path`, which is flushed to disk and renamed over `path`. What a killed
/// program left under that name is written over. Programs that write the same file take turns. Missing parent directories are
/// created.
///
/// # Errors
/// Whatever the file system or `write` reports; `path` is then as it was before and the part is gone. A place that may not be
/// written is [`ErrorKind::ReadOnlyFilesystem`], whatever the reason.
///
/// ```
/// use std::io::Write;
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("notes/hello.txt");
/// equipoise_data::write_atomic(&path, |file| file.write_all(b"hello"))?;
/// assert_eq!(std::fs::read(&path)?, b"hello");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_atomic<P, F>(path: P, write: F) -> io::Result<()>
where
    P: AsRef<Path>,
    F: FnOnce(&mut BufWriter<File>) -> io::Result<()>,
{
    let path = path.as_ref();
    make_dirs(parent(path))?;
    let (file, part) = part(path).map_err(not_writable)?;
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.flush()?;
    writer.get_ref().sync_all()?;
    part.publish(|part| std::fs::rename(part, path)).map_err(not_writable)
}

/// Makes a directory, and those above it, for something to be written there.
///
/// # Errors
/// File system faults. A place that may not be written is [`ErrorKind::ReadOnlyFilesystem`], whatever the reason.
pub fn make_dirs(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir).map_err(not_writable)
}

/// The directory that holds `path`.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A place where nothing may be written is a fault of the machine, as a full disk is: unlike a file that may not be read, it
/// says nothing about what was given.
pub fn not_writable(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::PermissionDenied => io::Error::new(ErrorKind::ReadOnlyFilesystem, error),
        _ => error,
    }
}

/// How the name of a part ends.
const PART: &str = ".part";

/// An empty file beside `path`, for this program alone until it is renamed or removed.
fn part(path: &Path) -> io::Result<(File, Unfinished)> {
    let name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidFilename))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(PART);
    let hidden = path.with_file_name(hidden);
    loop {
        let file = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(&hidden)?;
        match file.lock() {
            // A file system without locks: whoever is last is the one whose file stays.
            Err(error) if error.kind() == ErrorKind::Unsupported => {}
            locked => locked?,
        }
        // Its last holder has renamed or removed the file that was waited for.
        if is_at(&file, &hidden) {
            let part = Unfinished::new(hidden);
            file.set_len(0)?;
            return Ok((file, part));
        }
    }
}

/// Removes what killed programs left of the files of a directory that they were [writing](write_atomic). Whoever writes there now
/// is not disturbed. Only the holder of the right to write the directory needs to call this.
pub fn remove_parts(dir: &Path) {
    let is_part = |name: &str| name.starts_with('.') && name.ends_with(PART);
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if entry.file_type().is_ok_and(|kind| kind.is_file()) && name.to_str().is_some_and(is_part) {
            let part = File::options().read(true).write(true).open(entry.path());
            if part.is_ok_and(|part| part.try_lock().is_ok()) {
                // What cannot be removed is no obstacle.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether an open file is the one that the path leads to now.
#[cfg(unix)]
pub fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |about: std::fs::Metadata| (about.dev(), about.ino());
    match (file.metadata().map(id), std::fs::metadata(path).map(id)) {
        (Ok(file), Ok(path)) => file == path,
        _ => false,
    }
}

/// Elsewhere an open file cannot be renamed or removed.
#[cfg(not(unix))]
pub fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).expect("listing");
        entries.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_temporary() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("file");
        write_atomic(&path, |f| f.write_all(b"old")).expect("first write");
        let failed = write_atomic(&path, |f| {
            f.write_all(b"half of the new")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).expect("still there"), b"old");
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn what_a_killed_program_left_is_written_over() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join(".file.part"), "half of what a killed program wrote").expect("write");
        let path = dir.path().join("file");
        write_atomic(&path, |f| f.write_all(b"new")).expect("write");
        assert_eq!(std::fs::read(&path).expect("there"), b"new");
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn parts_that_nobody_writes_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in [".killed.part", ".hidden", "visible.part", ".busy.part"] {
            std::fs::write(dir.path().join(name), "x").expect("write");
        }
        std::fs::create_dir(dir.path().join(".folder.part")).expect("create");
        let busy = File::open(dir.path().join(".busy.part")).expect("there");
        busy.lock().expect("free");
        remove_parts(dir.path());
        let mut left = names(dir.path());
        left.sort();
        assert_eq!(left, [".busy.part", ".folder.part", ".hidden", "visible.part"]);
    }

    #[test]
    fn writers_of_one_file_take_turns() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("file");
        std::thread::scope(|scope| {
            for letter in b"abcdefgh" {
                let path = &path;
                scope.spawn(move || {
                    for length in 1..40 {
                        write_atomic(path, |f| f.write_all(&vec![*letter; length * 500])).expect("write");
                        let read = std::fs::read(path).expect("there is a file at any time");
                        assert!(!read.is_empty() && read.iter().all(|byte| *byte == read[0]), "one writer's");
                    }
                });
            }
        });
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_readable_like_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (ours, plain) = (dir.path().join("ours"), dir.path().join("plain"));
        write_atomic(&ours, |f| f.write_all(b"x")).expect("write");
        std::fs::write(&plain, b"x").expect("write");
        let mode = |p: &Path| std::fs::metadata(p).expect("metadata").permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
