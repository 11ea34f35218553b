//! Lists for every user, as Parquet parts that can be made anywhere and taken up again.
//!
//! | file | what |
//! |---|---|
//! | `batch.json` | version, model, length of the lists, number of parts; what every part must agree with |
//! | `part-00000.parquet`, ... | `user`, `rank` from 1, `item`, `score`: the lists of a range of users, in the order of the model's rows |
//!
//! A part appears whole or not at all, and one that is there is not made again. Memory is bounded by the users of one part:
//! their rows and lists, and one packed item table.

use crate::error::RecommendError;
use crate::scorer::{JoinedItems, counted};
use crate::served::ServedModel;
use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, RecordBatch, StringArray, UInt32Array, types::Int32Type,
};
use equipoise_data::write_atomic;
use equipoise_jobs::StopFlag;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the file that parts must agree with.
pub const BATCH: &str = "batch.json";
/// Version of that file.
const VERSION: u32 = 1;
/// Users whose lists are held at a time.
const USERS: usize = 8192;

/// What to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Length of the lists, at least 1.
    pub n: usize,
    /// Number of parts, at least 1.
    pub shards: usize,
    /// Which part to make, from 0; all if absent.
    pub shard: Option<usize>,
    /// Whether items that a user has met are left out.
    pub exclude_seen: bool,
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchReport {
    /// Parts that were made now.
    pub made: usize,
    /// Parts that were there.
    pub there: usize,
    /// Users in all parts of this call.
    pub users: usize,
    /// Whether a stop was asked for before the end.
    pub stopped: bool,
}

/// `batch.json`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Agreement {
    version: u32,
    model: String,
    fingerprint: String,
    n: usize,
    shards: usize,
    users: usize,
    exclude_seen: bool,
}

impl ServedModel {
    /// Writes the lists of every user, or of one part of them, into `out`. `each` is told of every part.
    ///
    /// # Errors
    /// If `out` holds the parts of another batch; numbers out of range; file system faults.
    pub fn batch(
        &self,
        out: &Path,
        batch: &Batch,
        stop: &StopFlag,
        each: &mut dyn FnMut(&BatchReport),
    ) -> Result<BatchReport, RecommendError> {
        let shards = self.parts(batch)?;
        self.agree(out, batch)?;
        let coefficients = self.weighting().coefficients(self.tables())?;
        let blocks = counted(&coefficients);
        let joined = self.joined(&blocks)?;
        let mut report = BatchReport::default();
        for shard in shards {
            if stop.is_raised() {
                report.stopped = true;
                break;
            }
            let (users, path) = (self.users_of(shard, batch.shards), part(out, shard));
            report.users += users.len();
            if path.is_file() {
                report.there += 1;
            } else {
                self.write_part(&path, users, batch, &joined, &coefficients)?;
                report.made += 1;
            }
            each(&report);
        }
        Ok(report)
    }

    fn parts(&self, batch: &Batch) -> Result<Range<usize>, RecommendError> {
        if !(1..=self.tables().n_items()).contains(&batch.n) {
            let problem =
                format!("{}, expected 1 to {}, the number of items", batch.n, self.tables().n_items());
            return Err(RecommendError::field("n", problem));
        }
        if !(1..=100_000).contains(&batch.shards) {
            return Err(RecommendError::field("shards", format!("{}, expected 1 to 100000", batch.shards)));
        }
        match batch.shard {
            None => Ok(0..batch.shards),
            Some(shard) if shard < batch.shards => Ok(shard..shard + 1),
            Some(shard) => {
                let problem =
                    format!("{shard} of {}, expected a part from 0 to {}", batch.shards, batch.shards - 1);
                Err(RecommendError::field("shard", problem))
            }
        }
    }

    /// The users of a part: ranges of nearly equal size.
    fn users_of(&self, shard: usize, shards: usize) -> Range<u32> {
        let bound = |k: usize| (self.tables().n_users() as u64 * k as u64 / shards as u64) as u32;
        bound(shard)..bound(shard + 1)
    }

    /// Writes what every part must agree with, or checks that it is there.
    fn agree(&self, out: &Path, batch: &Batch) -> Result<(), RecommendError> {
        let agreement = Agreement {
            version: VERSION,
            model: self.name().version.clone(),
            fingerprint: self.name().fingerprint.clone(),
            n: batch.n,
            shards: batch.shards,
            users: self.tables().n_users(),
            exclude_seen: batch.exclude_seen,
        };
        std::fs::create_dir_all(out).map_err(RecommendError::io(out))?;
        let path = out.join(BATCH);
        match std::fs::read_to_string(&path) {
            Ok(text) if serde_json::from_str(&text).is_ok_and(|there: Agreement| there == agreement) => {
                Ok(())
            }
            Ok(_) => Err(RecommendError::file(
                &path,
                "lists of another model, or of other settings, are here; choose another --out",
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = serde_json::to_string_pretty(&agreement).expect("plain data");
                write_atomic(&path, |file| writeln!(file, "{text}")).map_err(RecommendError::io(&path))
            }
            Err(error) => Err(RecommendError::io(&path)(error)),
        }
    }

    fn write_part(
        &self,
        path: &Path,
        users: Range<u32>,
        batch: &Batch,
        joined: &JoinedItems,
        coefficients: &[(usize, f32)],
    ) -> Result<(), RecommendError> {
        let mut fault = None;
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(self.vocabulary().items()));
        let written = write_atomic(path, |file| {
            let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
            let first = self.record(&[], &[], &names);
            let mut writer = ArrowWriter::try_new(file, first.schema(), Some(properties))?;
            let users: Vec<u32> = users.clone().collect();
            for users in users.chunks(USERS) {
                let lists =
                    joined.best_of_users(self.tables(), coefficients, users, batch.exclude_seen, batch.n);
                match lists {
                    Ok(lists) => writer.write(&self.record(users, &lists, &names))?,
                    Err(error) => {
                        fault = Some(error);
                        return Err(std::io::Error::other("ranking failed"));
                    }
                }
            }
            writer.close()?;
            Ok(())
        });
        match fault {
            Some(fault) => Err(fault),
            None => written.map_err(RecommendError::io(path)),
        }
    }

    fn record(&self, users: &[u32], lists: &[Vec<(u32, f32)>], items: &ArrayRef) -> RecordBatch {
        let of_user = |k: usize| &self.vocabulary().users()[users[k] as usize];
        let owners = lists.iter().enumerate().flat_map(|(k, list)| list.iter().map(move |_| k as i32));
        let own: ArrayRef = Arc::new(StringArray::from_iter_values((0..users.len()).map(of_user)));
        let dictionary = |keys: Vec<i32>, values: &ArrayRef| -> ArrayRef {
            Arc::new(
                DictionaryArray::<Int32Type>::try_new(keys.into(), values.clone()).expect("keys are rows"),
            )
        };
        let flat = || lists.iter().flatten();
        let ranks = lists.iter().flat_map(|list| 1..=list.len() as u32);
        let columns = [
            ("user", dictionary(owners.collect(), &own)),
            ("rank", Arc::new(UInt32Array::from_iter_values(ranks)) as ArrayRef),
            ("item", dictionary(flat().map(|&(item, _)| item as i32).collect(), items)),
            ("score", Arc::new(Float32Array::from_iter_values(flat().map(|&(_, score)| score))) as ArrayRef),
        ];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }
}

fn part(out: &Path, shard: usize) -> PathBuf {
    out.join(format!("part-{shard:05}.parquet"))
}
