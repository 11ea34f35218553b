//! A job from its inputs to its files.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;

use super::output::{Output, Place};
use super::report::{BrokenItem, EncodeProgress, EncodeReport, VERSION};
use super::store::{Rows, Store};
use super::{Encoder, Remark};
use crate::error::EncodeError;
use equipoise_jobs::{Listener, Shard};

/// What is encoded and where it goes.
pub(crate) struct Job<'a, I> {
    pub(crate) place: &'a Place,
    /// Of contents, model and settings.
    pub(crate) fingerprint: String,
    /// The part of it that is encoded and kept for whoever puts the parts together; all of it, into files, if absent.
    pub(crate) shard: Option<Shard>,
    /// Raw ids of the items.
    pub(crate) ids: &'a [String],
    /// What is known of the features beforehand.
    pub(crate) report: EncodeReport,
    /// Makes the inputs, in the order of the batches, each with its item; may note more in the report.
    pub(crate) prepare: Prepare<'a, I>,
}

/// See [`Job::prepare`].
pub(crate) type Prepare<'a, I> = Box<dyn FnOnce(&mut EncodeReport) -> Result<Prepared<I>, EncodeError> + 'a>;

/// Inputs in batches.
pub(crate) struct Prepared<I> {
    /// Item of each input.
    pub(crate) items: Vec<u32>,
    pub(crate) inputs: Vec<I>,
    pub(crate) batches: Vec<Range<usize>>,
}

/// Encodes what neither an earlier run nor one of a part has, on every thread of rayon's pool, and writes the files; of a part it
/// keeps the rows and writes no file.
///
/// # Errors
/// If the output may not be written, another run writes it, or the file system refuses.
pub(crate) fn run<E: Encoder>(
    encoder: &E,
    job: Job<'_, E::Input>,
    listener: &mut dyn Listener<EncodeProgress>,
) -> Result<EncodeReport, EncodeError> {
    let start = Instant::now();
    job.place.check()?;
    if let Some(report) = there_already(job.place, &job.fingerprint, job.ids)? {
        return Ok(report);
    }
    let mut report = EncodeReport {
        version: VERSION,
        name: job.place.name.clone(),
        rows: job.ids.len(),
        width: encoder.width(),
        fingerprint: job.fingerprint,
        ..job.report
    };
    let prepared = (job.prepare)(&mut report)?;
    if prepared.inputs.is_empty() {
        return Err(job.place.no_content(&report));
    }
    let store = Store::open(&job.place.dir, &job.place.name, &report.fingerprint, job.shard)?;
    let mut rows = store.rows(&prepared.batches, encoder.width())?;
    if let Some(shard) = job.shard {
        let (resumed, items) = encode_rest(encoder, &prepared, &mut rows, &|k| shard.has(k), listener)?;
        let seconds = start.elapsed().as_secs_f64();
        let rate = (items - resumed) as f64 / seconds.max(1e-9);
        return Ok(EncodeReport { part: Some(shard), rows: items, resumed, seconds, rate, ..report });
    }
    store.adopt(&job.place.name, &report.fingerprint, &mut rows)?;
    report.resumed = encode_rest(encoder, &prepared, &mut rows, &|_| true, listener)?.0;
    let mut kept = Kept { rows: &mut rows, prepared: &prepared, broken: Vec::new() };
    report.truncated += kept.find_broken().map_err(EncodeError::io(&job.place.dir))?;
    report.broken.extend(kept.broken_items(job.ids));
    if kept.broken.len() == prepared.inputs.len() {
        store.finish()?;
        return Err(job.place.no_content(&report));
    }
    report.seconds = start.elapsed().as_secs_f64();
    report.rate = (prepared.items.len() - report.resumed) as f64 / report.seconds.max(1e-9);
    store.publishing()?;
    job.place.write(&mut kept, job.ids, &mut report)?;
    store.finish()?;
    Ok(report)
}

/// The report of these very features if they are there and whole; what a job left that was stopped after their last file is removed.
///
/// # Errors
/// If other features are there that may not be replaced, or the file system refuses.
pub(crate) fn there_already(
    place: &Place,
    fingerprint: &str,
    ids: &[String],
) -> Result<Option<EncodeReport>, EncodeError> {
    if let Some(report) = place.up_to_date(fingerprint, ids)? {
        Store::tidy(&place.dir, &place.name, fingerprint)?;
        return Ok(Some(report));
    }
    if !Store::was_publishing(&place.dir, &place.name, fingerprint) {
        place.refuse_occupied()?;
    }
    Ok(None)
}

/// Encodes the `wanted` batches that have no record; returns how many of their inputs had one, and how many there are.
fn encode_rest<E: Encoder>(
    encoder: &E,
    prepared: &Prepared<E::Input>,
    rows: &mut Rows,
    wanted: &dyn Fn(usize) -> bool,
    listener: &mut dyn Listener<EncodeProgress>,
) -> Result<(usize, usize), EncodeError> {
    let wanted: Vec<usize> = (0..prepared.batches.len()).filter(|&batch| wanted(batch)).collect();
    let left: Vec<usize> = wanted.iter().copied().filter(|&batch| !rows.has(batch)).collect();
    let inputs =
        |batches: &[usize]| batches.iter().map(|&batch| prepared.batches[batch].len()).sum::<usize>();
    let total = inputs(&wanted);
    let before = total - inputs(&left);
    let mut state = EncodeProgress { done: before, total, before };
    listener.event(&state);
    let next = AtomicUsize::new(0);
    let threads = rayon::current_num_threads().min(left.len());
    std::thread::scope(|scope| {
        // Few batches wait to be written: memory stays small.
        let (sender, receiver) = sync_channel(2 * threads.max(1));
        for _ in 0..threads {
            let (sender, next, left) = (sender.clone(), &next, &left);
            scope.spawn(move || work(encoder, prepared, left, next, &sender));
        }
        drop(sender);
        for Done { batch, rows: values, remarks } in receiver {
            rows.add(batch, &values, &remarks)?;
            state.done += prepared.batches[batch].len();
            listener.event(&state);
        }
        Ok((before, total))
    })
}

struct Done {
    batch: usize,
    rows: Vec<f32>,
    remarks: Vec<Remark>,
}

/// Takes whole batches until none is left, or nobody takes the results.
fn work<E: Encoder>(
    encoder: &E,
    prepared: &Prepared<E::Input>,
    left: &[usize],
    next: &AtomicUsize,
    sender: &SyncSender<Done>,
) {
    while let Some(&batch) = left.get(next.fetch_add(1, Ordering::Relaxed)) {
        let inputs = &prepared.inputs[prepared.batches[batch].clone()];
        let mut rows = vec![0.0; inputs.len() * encoder.width()];
        let remarks = encoder.encode(inputs, &mut rows);
        if sender.send(Done { batch, rows, remarks }).is_err() {
            return;
        }
    }
}

/// The records as rows of items.
struct Kept<'a, I> {
    rows: &'a mut Rows,
    prepared: &'a Prepared<I>,
    /// Broken inputs by place among all, ascending.
    broken: Vec<(usize, String)>,
}

impl<I> Kept<'_, I> {
    /// Finds the inputs that could not be read; returns how many were cut.
    fn find_broken(&mut self) -> io::Result<usize> {
        let mut cut = 0;
        for (batch, range) in self.prepared.batches.iter().enumerate() {
            for remark in self.rows.read(batch)?.1 {
                match remark {
                    Remark::Broken { place, reason } => self.broken.push((range.start + place, reason)),
                    Remark::Cut { .. } => cut += 1,
                }
            }
        }
        self.broken.sort();
        Ok(cut)
    }

    fn broken_items(&self, ids: &[String]) -> Vec<BrokenItem> {
        let mut broken: Vec<(u32, &String)> =
            self.broken.iter().map(|(place, reason)| (self.prepared.items[*place], reason)).collect();
        broken.sort();
        let item = |(item, reason): (u32, &String)| BrokenItem {
            item: ids[item as usize].clone(),
            reason: reason.clone(),
        };
        broken.into_iter().map(item).collect()
    }
}

impl<I> Output for Kept<'_, I> {
    fn rows(&mut self, each: &mut dyn FnMut(u32, &[f32]) -> io::Result<()>) -> io::Result<()> {
        for (batch, range) in self.prepared.batches.iter().enumerate() {
            let (rows, _) = self.rows.read(batch)?;
            let width = rows.len() / range.len();
            for (place, row) in range.clone().zip(rows.chunks_exact(width)) {
                if self.broken.binary_search_by_key(&place, |b| b.0).is_err() {
                    each(self.prepared.items[place], row)?;
                }
            }
        }
        Ok(())
    }
}
