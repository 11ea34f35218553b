//! Jobs whose contents are files, each of one item: what tells them apart, and their batches.

use std::fs::File;
use std::path::{Path, PathBuf};

use equipoise_jobs::{Listener, Shard};
use rayon::prelude::*;

use crate::error::EncodeError;
use crate::item_files::ItemFiles;
use crate::job::{EncodeProgress, EncodeReport, Encoder, Job, Place, Prepared, batches, key, run};

/// A job but for its encoder.
pub(crate) struct FileJob<'a> {
    /// Name of the kind of job, part of what tells jobs apart.
    pub(crate) kind: &'static str,
    pub(crate) place: &'a Place,
    /// Raw ids of the items.
    pub(crate) ids: &'a [String],
    pub(crate) found: &'a ItemFiles,
    /// The part to encode; all if absent.
    pub(crate) shard: Option<Shard>,
    /// What decides the result beside the files.
    pub(crate) settings: String,
    pub(crate) report: EncodeReport,
}

impl FileJob<'_> {
    /// Runs it with files of `tokens` tokens each in batches of at most `most`.
    ///
    /// # Errors
    /// As [`run`].
    pub(crate) fn run(
        self,
        encoder: &impl Encoder<Input = PathBuf>,
        tokens: usize,
        most: usize,
        listener: &mut dyn Listener<EncodeProgress>,
    ) -> Result<EncodeReport, EncodeError> {
        let found = self.found;
        let job = Job {
            place: self.place,
            fingerprint: fingerprint(self.kind, self.ids, found, &self.settings),
            shard: self.shard,
            ids: self.ids,
            report: self.report,
            prepare: Box::new(move |_| Ok(prepare(found, tokens, most))),
        };
        run(encoder, job, listener)
    }
}

/// Files in the order of the items, in batches of equal size.
fn prepare(found: &ItemFiles, tokens: usize, most: usize) -> Prepared<PathBuf> {
    let there = found.files.iter().zip(0u32..).filter_map(|(file, item)| Some((item, file.clone()?)));
    let (items, inputs): (Vec<u32>, Vec<PathBuf>) = there.unzip();
    let batches = batches(inputs.iter().map(|_| tokens), most);
    Prepared { items, inputs, batches }
}

/// A hash of the files and of what is done with them.
fn fingerprint(kind: &str, ids: &[String], found: &ItemFiles, settings: &str) -> String {
    let mut fingerprint = key(kind);
    fingerprint.add(settings.as_bytes());
    let hashes: Vec<Option<blake3::Hash>> =
        found.files.par_iter().map(|file| hash(file.as_deref()?)).collect();
    for (id, hash) in ids.iter().zip(hashes) {
        fingerprint.add(id.as_bytes());
        fingerprint.add(hash.as_ref().map_or(&[][..], |hash| &hash.as_bytes()[..]));
    }
    fingerprint.hex()
}

/// BLAKE3 of a file; `None` where it cannot be read, which its item will be told.
fn hash(file: &Path) -> Option<blake3::Hash> {
    if !file.is_file() {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(file).ok()?).ok()?;
    Some(hasher.finalize())
}
