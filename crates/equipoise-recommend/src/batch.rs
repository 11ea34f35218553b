//! Lists for every user, as Parquet parts that can be made anywhere and taken up again.
//!
//! | file | what |
//! |---|---|
//! | `batch.json` | version, model, length of the lists, number of parts; what every part must agree with |
//! | `part-00000.parquet`, ... | `user`, `rank` from 1, `item`, `score`: the lists of a range of users, in the order of the model's rows |
//!
//! A part appears whole or not at all, and one that is there is not made again. A thread of its own writes what has been ranked.
//! Memory is bounded whatever the number of users: the packed item table, and three pieces of 8,192 users: one being
//! ranked, one waiting, one being written.

use crate::error::RecommendError;
use crate::scorer::counted;
use crate::served::ServedModel;
use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, RecordBatch, StringArray, UInt32Array, types::Int32Type,
};
use equipoise_data::write_atomic;
use equipoise_eval::{NO_ITEM, Ranking};
use equipoise_jobs::StopFlag;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// Name of the file that parts must agree with.
pub const BATCH: &str = "batch.json";
/// Version of that file.
const VERSION: u32 = 2;
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
    /// Weights of the modalities.
    weights: String,
}

/// What is passed from the thread that ranks to the one that writes.
struct Piece {
    users: Vec<u32>,
    ranking: Ranking,
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
        // Looked at once, so that both threads agree on it.
        let missing: BTreeSet<usize> = shards.clone().filter(|&shard| !part(out, shard).is_file()).collect();
        let wanted = missing.iter().map(|&shard| self.users_of(shard, batch.shards)).collect();
        std::thread::scope(|scope| {
            let (send, pieces) = sync_channel(1);
            let (tell, told) = channel();
            let writing =
                scope.spawn(move || self.write_parts(out, (shards, missing), batch, &pieces, &tell));
            // Ranking stays on this thread, which may be one of those that share the work: it must not wait for the others.
            let ranked =
                self.rank_parts(wanted, batch, stop, &send, &mut || told.try_iter().for_each(|r| each(&r)));
            drop(send);
            told.iter().for_each(|report| each(&report));
            let written = writing.join().expect("writing does not panic");
            ranked.and(written)
        })
    }

    /// Ranks the users of parts, piece by piece, until somebody asks to stop before a part or nobody takes the pieces.
    fn rank_parts(
        &self,
        parts: Vec<Range<u32>>,
        batch: &Batch,
        stop: &StopFlag,
        send: &SyncSender<Piece>,
        after_each: &mut dyn FnMut(),
    ) -> Result<(), RecommendError> {
        let coefficients = self.weighting().coefficients(self.tables())?;
        let joined = self.joined(&counted(&coefficients))?;
        for users in parts {
            if stop.is_raised() {
                return Ok(());
            }
            let users: Vec<u32> = users.collect();
            for users in users.chunks(USERS) {
                let ranking =
                    joined.rank_users(self.tables(), &coefficients, users, batch.exclude_seen, batch.n)?;
                if send.send(Piece { users: users.to_vec(), ranking }).is_err() {
                    return Ok(());
                }
                after_each();
            }
        }
        Ok(())
    }

    /// Writes parts from the pieces that come in, in their order.
    fn write_parts(
        &self,
        out: &Path,
        (shards, missing): (Range<usize>, BTreeSet<usize>),
        batch: &Batch,
        pieces: &Receiver<Piece>,
        tell: &Sender<BatchReport>,
    ) -> Result<BatchReport, RecommendError> {
        let names: ArrayRef = Arc::new(StringArray::from_iter_values(self.vocabulary().items().iter()));
        let mut report = BatchReport::default();
        for shard in shards {
            let (users, path) = (self.users_of(shard, batch.shards), part(out, shard));
            if !missing.contains(&shard) {
                report.there += 1;
            } else if self.write_part(&path, users.clone(), pieces, &names)? {
                report.made += 1;
            } else {
                report.stopped = true;
                break;
            }
            report.users += users.len();
            // Nobody listens any more once the ranking has failed.
            let _ = tell.send(report.clone());
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
            weights: self.weighting().words(self.modalities()),
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

    /// Writes one part; whether there was somebody who ranked it.
    fn write_part(
        &self,
        path: &Path,
        users: Range<u32>,
        pieces: &Receiver<Piece>,
        names: &ArrayRef,
    ) -> Result<bool, RecommendError> {
        let first = if users.is_empty() {
            None
        } else {
            // The first piece comes before the file is begun: after a stop there is none.
            match pieces.recv() {
                Ok(piece) => Some(piece),
                Err(_) => return Ok(false),
            }
        };
        let mut cut = false;
        let written = write_atomic(path, |file| {
            let mut left = users.len();
            let mut next = first;
            let empty = self.record(&[], None, names);
            let mut writer = ArrowWriter::try_new(file, empty.schema(), Some(properties()))?;
            while left > 0 {
                let Some(Piece { users, ranking }) = next.take().or_else(|| pieces.recv().ok()) else {
                    cut = true;
                    return Err(std::io::Error::other("ranking ended"));
                };
                writer.write(&self.record(&users, Some(&ranking), names))?;
                left -= users.len();
            }
            writer.close()?;
            Ok(())
        });
        match written {
            Ok(()) => Ok(true),
            // The thread that ranks says why.
            Err(_) if cut => Ok(false),
            Err(error) => Err(RecommendError::io(path)(error)),
        }
    }

    fn record(&self, users: &[u32], ranking: Option<&Ranking>, items: &ArrayRef) -> RecordBatch {
        let of_user = |&user: &u32| &self.vocabulary().users()[user as usize];
        let own: ArrayRef = Arc::new(StringArray::from_iter_values(users.iter().map(of_user)));
        let (k, all, scores) = match ranking {
            Some(ranking) => (ranking.k, ranking.items.as_slice(), ranking.scores.as_slice()),
            None => (1, &[][..], &[][..]),
        };
        // Places without an item are at the ends of the lists.
        let places: Vec<u32> = (0..).zip(all).filter(|(_, item)| **item != NO_ITEM).map(|(p, _)| p).collect();
        let of =
            |values: &dyn Fn(usize) -> i32| places.iter().map(|&p| values(p as usize)).collect::<Vec<_>>();
        let dictionary = |keys: Vec<i32>, values: &ArrayRef| -> ArrayRef {
            Arc::new(
                DictionaryArray::<Int32Type>::try_new(keys.into(), values.clone()).expect("keys are rows"),
            )
        };
        let ranks = places.iter().map(|&place| place % k as u32 + 1);
        let scores = places.iter().map(|&place| scores[place as usize]);
        let columns = [
            ("user", dictionary(of(&|place| (place / k) as i32), &own)),
            ("rank", Arc::new(UInt32Array::from_iter_values(ranks)) as ArrayRef),
            ("item", dictionary(of(&|place| all[place] as i32), items)),
            ("score", Arc::new(Float32Array::from_iter_values(scores)) as ArrayRef),
        ];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }
}

/// Users and items as numbers of a dictionary, ranks as differences, scores as they are: hardly any two are equal. Least and largest values
/// are kept of the users alone, by whom parts are searched.
fn properties() -> WriterProperties {
    let column = |name: &str| ColumnPath::from(name);
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(column("user"), EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(column("rank"), false)
        .set_column_encoding(column("rank"), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled(column("score"), false)
        .set_column_compression(column("score"), Compression::UNCOMPRESSED)
        .build()
}

fn part(out: &Path, shard: usize) -> PathBuf {
    out.join(format!("part-{shard:05}.parquet"))
}
