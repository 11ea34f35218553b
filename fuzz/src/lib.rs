//! Places that targets write their inputs to, and a small sound data set around them.

use equipoise_data::{LoadOptions, SplitRule, check, load};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory in memory and what it holds: a file that stays as it is from one input to the next is not written again.
pub struct Place {
    dir: TempDir,
    holds: BTreeMap<String, Vec<u8>>,
    wanted: BTreeSet<String>,
}

thread_local! {
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// Hands a directory to `act` that will hold what `act` writes and no more. The code under test must only read there.
pub fn with_place(act: impl FnOnce(&mut Place)) {
    PLACE.with_borrow_mut(|place| {
        let place = place.get_or_insert_with(Place::new);
        place.wanted.clear();
        act(place);
    });
}

/// As [`with_place`], for code that writes: the directory is empty at first.
pub fn with_empty_place(act: impl FnOnce(&mut Place)) {
    with_place(|place| {
        place.empty();
        act(place);
    });
}

impl Place {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let dir = tempfile::tempdir_in(parent).expect("a temporary directory");
        Place { dir, holds: BTreeMap::new(), wanted: BTreeSet::new() }
    }

    fn empty(&mut self) {
        for entry in std::fs::read_dir(self.dir.path()).expect("listing").flatten() {
            let path = entry.path();
            let removed =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.expect("the directory is ours");
        }
        self.holds.clear();
    }

    /// Writes a file, with the directories it needs.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        self.wanted.insert(name.to_owned());
        if self.holds.get(name).is_none_or(|held| held != bytes) {
            std::fs::create_dir_all(path.parent().expect("a file has a directory")).expect("room");
            std::fs::write(&path, bytes).expect("room");
            self.holds.insert(name.to_owned(), bytes.to_owned());
        }
        path
    }

    /// Removes what an earlier input left. To be called when all is written.
    pub fn settle(&mut self) {
        let left: Vec<String> =
            self.holds.keys().filter(|name| !self.wanted.contains(*name)).cloned().collect();
        for name in left {
            std::fs::remove_file(self.path(&name)).expect("it was written");
            self.holds.remove(&name);
        }
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a sound data set of three users and four items in the LATTICE layout.
    pub fn lattice(&mut self) -> PathBuf {
        self.write("set/text_feat.npy", &npy(4, 2));
        self.splits()
    }

    /// The same without its features.
    pub fn splits(&mut self) -> PathBuf {
        self.write("set/5-core/train.json", br#"{"0": [0, 1], "1": [1, 2], "2": [3]}"#);
        self.write("set/5-core/val.json", br#"{"0": [2], "1": [3], "2": []}"#);
        self.write("set/5-core/test.json", br#"{"0": [3], "1": [0], "2": [1]}"#);
        self.path("set")
    }

    /// Checks or loads the data set `set`, by the parity of `content`'s length, under options that the selector chooses.
    pub fn read(&mut self, selector: u8, content: &[u8]) {
        self.settle();
        let path = self.path("set");
        let options = options(selector);
        if content.len() % 2 == 0 {
            drop(check(&path, &options));
        } else {
            drop(load(&path, &options));
        }
    }
}

/// Options that leave much open or little.
pub fn options(selector: u8) -> LoadOptions {
    let mut options = LoadOptions::default();
    options.split = match selector & 3 {
        0 => None,
        1 => Some(SplitRule::Ratio),
        2 => Some(SplitRule::LeaveOneOut),
        _ => Some(SplitRule::Time),
    };
    options.min_rating = (selector & 4 != 0).then_some(3.0);
    options.columns.header = selector & 8 == 0;
    options
}

/// A matrix of ascending values.
pub fn npy(rows: usize, width: usize) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {width}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let padded = format!("{header:<117}\n");
    bytes.extend((padded.len() as u16).to_le_bytes());
    bytes.extend(padded.as_bytes());
    (0..rows * width).for_each(|v| bytes.extend((v as f32).to_le_bytes()));
    bytes
}

/// The first byte chooses, the rest is the content.
pub fn chosen<'a>(data: &'a [u8], among: &[&'static str]) -> Option<(&'static str, u8, &'a [u8])> {
    let (&first, rest) = data.split_first()?;
    Some((among[first as usize % among.len()], first / among.len() as u8, rest))
}
