//! A directory that one program at a time may write, and that is exchanged for a new one at once.
//!
//! Beside a directory `out` there are, for as long as somebody works on it:
//!
//! | name | what |
//! |---|---|
//! | `.out.lock` | held by the process that works here; says which process that is |
//! | `.out.new/` | what is to stand in its place; with a mark, `.filling`, in it |
//! | `.out.old/` | what stood in its place, where the file system cannot exchange two names (see [`Place::exchange`]) |
//!
//! A process that is killed leaves some of them behind. Whoever claims the place next finds them by their names: it goes on with
//! the new directory or clears it, and removes the rest.

use crate::lock::waiting;
use crate::{Fault, Lock, StopFlag};
use equipoise_data::{make_dirs, not_writable, parent, remove_parts};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// In a directory that is filled to be exchanged for another. After the exchange it stands in the place for a moment, and what
/// lies beside it without the mark is the old one.
const FILLING: &str = ".filling";

/// The right to write a directory, which may not be there yet.
#[derive(Debug)]
pub struct Place {
    dir: PathBuf,
    _lock: Lock,
}

impl Place {
    /// Takes the right to write `out`. What a process that was killed left half exchanged is set right.
    ///
    /// # Errors
    /// [`Fault::Held`] if another has it; file system faults.
    pub fn claim(out: &Path) -> Result<Place, Fault> {
        let dir = resolved(out)?;
        let lock = match Lock::passing(&hidden(&dir, "lock"), out) {
            // Where nothing may be written beside it, such as at the root of a mounted disk, it is locked from within.
            Err(fault) if is_closed(&fault) && dir.is_dir() => Lock::passing(&dir.join(".lock"), out)?,
            lock => lock?,
        };
        let place = Place { dir, _lock: lock };
        place.recover()?;
        remove_parts(&place.dir);
        Ok(place)
    }

    /// The same, but waits while another has it, until `stop` is raised. `told` is called once if there is anything to wait for.
    ///
    /// # Errors
    /// [`Fault::Interrupted`] if `stop` was raised; file system faults.
    pub fn wait(out: &Path, stop: &StopFlag, told: &mut dyn FnMut(&Fault)) -> Result<Place, Fault> {
        match Place::claim(out) {
            Err(held @ Fault::Held { .. }) => {
                told(&held);
                waiting(|| Place::claim(out), stop, None)
            }
            done => done,
        }
    }

    /// The directory, symbolic links resolved.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The new directory that is filled beside it, whether it is there or not.
    pub fn beside(&self) -> PathBuf {
        beside(&self.dir)
    }

    /// Whether there is a new directory that somebody began to fill.
    pub fn is_begun(&self) -> bool {
        self.beside().join(FILLING).exists()
    }

    /// Makes an empty new directory; what is there is removed.
    ///
    /// # Errors
    /// File system faults.
    pub fn begin(&self) -> Result<PathBuf, Fault> {
        self.clear()?;
        let beside = self.beside();
        make_dirs(&beside).map_err(Fault::io(&beside))?;
        let mark = beside.join(FILLING);
        std::fs::write(&mark, "").map_err(Fault::io(&mark))?;
        Ok(beside)
    }

    /// Removes the new directory, if there is one.
    ///
    /// # Errors
    /// File system faults.
    pub fn clear(&self) -> Result<(), Fault> {
        remove_all(&self.beside())
    }

    /// Puts the new directory in the place. What was there lies beside it afterwards, for [`clear`](Place::clear).
    ///
    /// The two names are exchanged in one step. Where the file system cannot do that, the old directory is renamed to
    /// `.<name>.old`, the new one to its place, and the old one to `.<name>.new`; a process that is killed between the first two
    /// leaves the place empty until the next [`claim`](Place::claim) puts the old directory back.
    ///
    /// # Errors
    /// File system faults; the place is then as it was.
    pub fn exchange(&self) -> Result<(), Fault> {
        let (beside, dir) = (self.beside(), &self.dir);
        let exchanged = match std::fs::symlink_metadata(dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => std::fs::rename(&beside, dir),
            _ => match swap(&beside, dir) {
                Err(error) if cannot_swap(&error) => self.exchange_by_steps(),
                done => done,
            },
        };
        exchanged.map_err(|error| Fault::io(dir)(not_writable(error)))?;
        sync(parent(dir));
        let mark = dir.join(FILLING);
        std::fs::remove_file(&mark).map_err(Fault::io(&mark))
    }

    /// Moves what is in the directory beside and is `wanted` to the place, unless there is something of that name.
    ///
    /// # Errors
    /// File system faults.
    pub fn carry_over(&self, wanted: &dyn Fn(&OsStr) -> bool) -> Result<(), Fault> {
        let beside = self.beside();
        let entries = match std::fs::read_dir(&beside) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(Fault::io(&beside))?,
        };
        for entry in entries {
            let name = entry.map_err(Fault::io(&beside))?.file_name();
            let to = self.dir.join(&name);
            if wanted(&name) && std::fs::symlink_metadata(&to).is_err() {
                std::fs::rename(beside.join(&name), &to).map_err(Fault::io(&to))?;
            }
        }
        Ok(())
    }

    fn exchange_by_steps(&self) -> io::Result<()> {
        let (beside, dir, old) = (self.beside(), &self.dir, hidden(&self.dir, "old"));
        std::fs::rename(dir, &old)?;
        if let Err(error) = std::fs::rename(&beside, dir) {
            // The first fault is the one to report.
            let _ = std::fs::rename(&old, dir);
            return Err(error);
        }
        std::fs::rename(&old, &beside)
    }

    /// Sets right what a process left that was killed in the middle of an exchange by steps, or right after any exchange.
    fn recover(&self) -> Result<(), Fault> {
        let (dir, old) = (&self.dir, hidden(&self.dir, "old"));
        if old.is_dir() {
            let to = if dir.exists() { self.beside() } else { dir.clone() };
            std::fs::rename(&old, &to).map_err(Fault::io(&to))?;
        }
        let mark = dir.join(FILLING);
        match std::fs::remove_file(&mark) {
            Err(error) if error.kind() != ErrorKind::NotFound && error.kind() != ErrorKind::NotADirectory => {
                Err(Fault::io(&mark)(not_writable(error)))
            }
            _ => Ok(()),
        }
    }
}

/// The new directory that is filled beside `dir`, whether it is there or not.
pub fn beside(dir: &Path) -> PathBuf {
    hidden(dir, "new")
}

/// The one name of a directory, however it is reached.
fn resolved(out: &Path) -> Result<PathBuf, Fault> {
    let absolute = std::path::absolute(out).map_err(Fault::io(out))?;
    match absolute.canonicalize() {
        Ok(dir) => return Ok(dir),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(Fault::io(out)(error)),
    }
    let above = parent(&absolute);
    make_dirs(above).map_err(Fault::io(above))?;
    let above = above.canonicalize().map_err(Fault::io(above))?;
    match absolute.file_name() {
        Some(name) => Ok(above.join(name)),
        None => Err(Fault::io(out)(ErrorKind::InvalidFilename.into())),
    }
}

/// `.<name>.<ending>` beside a directory; within it, if it is the root of everything.
fn hidden(dir: &Path, ending: &str) -> PathBuf {
    let Some(name) = dir.file_name() else { return dir.join(format!(".{ending}")) };
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".");
    hidden.push(ending);
    dir.with_file_name(hidden)
}

fn is_closed(fault: &Fault) -> bool {
    fault.refused().is_some_and(|refused| refused.source.kind() == ErrorKind::ReadOnlyFilesystem)
}

fn remove_all(dir: &Path) -> Result<(), Fault> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Fault::io(dir)(not_writable(error))),
        _ => Ok(()),
    }
}

/// Names that were exchanged are on the disk before anything is removed. Not every file system can say so.
fn sync(dir: &Path) {
    let _ = std::fs::File::open(dir).and_then(|dir| dir.sync_all());
}

/// Exchanges two names in one step.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "ios"))]
fn swap(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos", target_os = "ios")))]
fn swap(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether the file system does not know how: what it answers differs.
fn cannot_swap(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(dir: &Path) -> Place {
        Place::claim(&dir.join("out")).unwrap()
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn text(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    /// Fills a new directory that says `what`.
    fn fill(place: &Place, what: &str) {
        let new = place.begin().unwrap();
        std::fs::write(new.join("what"), what).unwrap();
    }

    #[test]
    fn a_directory_is_exchanged_at_once_and_nothing_stays_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        for what in ["first", "second"] {
            let place = place(dir.path());
            fill(&place, what);
            assert!(place.is_begun());
            place.exchange().unwrap();
            assert_eq!(text(&place.dir().join("what")), what);
            assert!(!place.is_begun(), "what lies beside it now is the old one");
            place.clear().unwrap();
        }
        assert_eq!(
            (names(dir.path()), names(&dir.path().join("out"))),
            (vec!["out".into()], vec!["what".into()])
        );
    }

    #[test]
    fn steps_do_the_same_and_every_break_between_them_is_set_right() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let (old, new) = (dir.path().join(".out.old"), dir.path().join(".out.new"));
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join("what"), "old").unwrap();
        let held = place(dir.path());
        fill(&held, "new");
        held.exchange_by_steps().unwrap();
        assert_eq!((text(&out.join("what")), text(&new.join("what"))), ("new".into(), "old".into()));
        // Back to before, then killed after each step.
        held.exchange_by_steps().unwrap();
        drop(held);
        std::fs::rename(&out, &old).unwrap();
        let held = place(dir.path());
        assert_eq!(text(&out.join("what")), "old", "put back");
        assert!(held.is_begun() && !old.exists());
        drop(held);
        std::fs::rename(&out, &old).unwrap();
        std::fs::rename(&new, &out).unwrap();
        let held = place(dir.path());
        assert_eq!(text(&out.join("what")), "new");
        assert!(!held.is_begun() && !old.exists(), "the old one is beside it and may be cleared");
        held.clear().unwrap();
        drop(held);
        assert_eq!(names(dir.path()), ["out"]);
        assert_eq!(names(&out), ["what"]);
    }

    #[test]
    fn one_name_for_a_directory_however_it_is_reached_and_one_holder() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let held = Place::claim(&out).unwrap();
        assert_eq!(names(dir.path()), [".out.lock"], "the place itself is not made");
        for way in ["out/", "./out", "."] {
            let way = if way == "." { dir.path().join("x/../out") } else { dir.path().join(way) };
            std::fs::create_dir_all(dir.path().join("x")).unwrap();
            assert!(matches!(Place::claim(&way), Err(Fault::Held { .. })), "{way:?}");
        }
        let message = Place::claim(&out).unwrap_err().to_string();
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        drop(held);
        assert_eq!(names(dir.path()), ["x"]);
    }

    #[test]
    fn what_a_killed_process_left_of_a_file_goes_when_the_place_is_claimed() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join(".model.part"), "half").unwrap();
        drop(place(dir.path()));
        assert!(names(&out).is_empty());
    }

    #[test]
    fn foreign_files_are_carried_over_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        std::fs::create_dir(&out).unwrap();
        for name in ["what", "notes", "both"] {
            std::fs::write(out.join(name), "old").unwrap();
        }
        let place = place(dir.path());
        fill(&place, "new");
        std::fs::write(place.beside().join("both"), "new").unwrap();
        place.exchange().unwrap();
        place.carry_over(&|name| name != "what").unwrap();
        place.clear().unwrap();
        assert_eq!(names(&out), ["both", "notes", "what"]);
        assert_eq!((text(&out.join("both")), text(&out.join("notes"))), ("new".into(), "old".into()));
    }

    #[test]
    fn whoever_waits_is_told_once_and_gets_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let (held, stop) = (place(dir.path()), StopFlag::default());
        let out = dir.path().join("out");
        let mut told = 0;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(200));
                drop(held);
            });
            Place::wait(&out, &stop, &mut |_| told += 1).unwrap();
        });
        assert_eq!(told, 1);
        let _held = place(dir.path());
        stop.raise();
        assert_eq!(Place::wait(&out, &stop, &mut |_| ()).unwrap_err(), Fault::Interrupted);
    }
}
