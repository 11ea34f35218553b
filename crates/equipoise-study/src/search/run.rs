//! The search itself: batches of a strategy, tried by a few workers, each record kept at once.

use super::error::SearchError;
use super::journal::Journal;
use super::strategy::Strategy;
use super::trial::{Measured, Proposal, Record, Trial};
use equipoise_jobs::{Fault, Listener, StopFlag};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

/// Something that happened in a search.
#[derive(Clone, Debug)]
pub enum SearchEvent {
    /// The search begins or is taken up.
    Started {
        /// Evaluations in all, at most.
        total: usize,
        /// Workers.
        jobs: usize,
    },
    /// A record of an earlier call is used again.
    Known(Record),
    /// A worker begins an evaluation.
    Trying(Proposal),
    /// An evaluation is done and recorded.
    Done(Record),
}

/// A search: a strategy and what it evaluates.
///
/// Results depend on the strategy and the trial alone: neither on `jobs` nor `threads`, nor on whether the
/// search was interrupted and taken up again.
pub struct Search<'a> {
    /// Chooses the points.
    pub strategy: &'a dyn Strategy,
    /// Tries them.
    pub trial: &'a dyn Trial,
    /// How many are tried at once.
    pub jobs: usize,
    /// Threads of each.
    pub threads: usize,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct SearchRecords {
    /// All records, by trial number and rung.
    pub records: Vec<Record>,
    /// Whether the search is over; otherwise it was stopped on the way.
    pub over: bool,
}

impl Search<'_> {
    /// Searches until the strategy has no more proposals or `stop` is raised. Records that `journal` has are
    /// taken from there.
    ///
    /// # Errors
    /// [`SearchError::Machine`] if a trial failed for no fault of its own; faults of the journal.
    pub fn run(
        &self,
        journal: &Journal,
        listener: &mut dyn Listener<SearchEvent>,
        stop: &StopFlag,
    ) -> Result<SearchRecords, SearchError> {
        // Between trials too: what is known is reported when a stop is asked for.
        let _attended = stop.attend();
        listener.event(&SearchEvent::Started { total: self.strategy.total(), jobs: self.jobs });
        let mut history: Vec<Record> = Vec::new();
        loop {
            let batch = self.strategy.next(&history);
            if batch.is_empty() {
                return Ok(found(history, true));
            }
            let size = batch.len();
            let mut records = self.batch(batch, &history, journal, listener, stop)?;
            let whole = records.len() == size;
            records.sort_by_key(Record::place);
            history.extend(records);
            if !whole {
                return Ok(found(history, false));
            }
        }
    }

    /// The records of a batch; fewer when stopped.
    fn batch(
        &self,
        batch: Vec<Proposal>,
        history: &[Record],
        journal: &Journal,
        listener: &mut dyn Listener<SearchEvent>,
        stop: &StopFlag,
    ) -> Result<Vec<Record>, SearchError> {
        let (mut records, mut missing) = (Vec::new(), VecDeque::new());
        for proposal in batch {
            if let Some(record) = journal.outcome(&proposal)? {
                listener.event(&SearchEvent::Known(record.clone()));
                records.push(record);
            } else if let Some(record) = settled(&proposal, history) {
                journal.add(&record)?;
                listener.event(&SearchEvent::Done(record.clone()));
                records.push(record);
            } else {
                missing.push_back(proposal);
            }
        }
        self.work(missing, &mut records, journal, listener, stop)?;
        Ok(records)
    }

    /// Tries what is missing on `jobs` workers, and records each outcome as it comes.
    fn work(
        &self,
        missing: VecDeque<Proposal>,
        records: &mut Vec<Record>,
        journal: &Journal,
        listener: &mut dyn Listener<SearchEvent>,
        stop: &StopFlag,
    ) -> Result<(), SearchError> {
        let jobs = self.jobs.clamp(1, missing.len().max(1));
        let (queue, (sender, receiver)) = (Mutex::new(missing), channel());
        // The first fault ends the search; workers finish what they are at, and that is kept.
        let mut fault = None;
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                let (queue, sender) = (&queue, sender.clone());
                scope.spawn(move || self.worker(queue, &sender, stop));
            }
            drop(sender);
            for news in receiver {
                match news {
                    News::Trying(proposal) => listener.event(&SearchEvent::Trying(proposal)),
                    News::Done(record) => match journal.add(&record) {
                        Ok(()) => {
                            listener.event(&SearchEvent::Done(record.clone()));
                            records.push(record);
                        }
                        Err(error) => {
                            clear(&queue);
                            fault.get_or_insert(error);
                        }
                    },
                    News::Fault(number, reason) => {
                        clear(&queue);
                        fault.get_or_insert(SearchError::Machine { number, reason });
                    }
                }
            }
        });
        fault.map_or(Ok(()), Err)
    }

    fn worker(&self, queue: &Mutex<VecDeque<Proposal>>, news: &Sender<News>, stop: &StopFlag) {
        // A pool of its own: loops of one trial never wait for, nor run, those of another.
        let pool = match rayon::ThreadPoolBuilder::new().num_threads(self.threads.max(1)).build() {
            Ok(pool) => pool,
            Err(e) => {
                let first = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let number = first.map_or(0, |p| p.number);
                let _ = news.send(News::Fault(number, format!("cannot start threads: {e}")));
                return;
            }
        };
        while !stop.is_raised() {
            // Nobody panics while holding the queue.
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(proposal) = next else { return };
            // The receiver lives until every worker is gone.
            let _ = news.send(News::Trying(proposal.clone()));
            let number = proposal.number;
            let told = match pool.install(|| self.attempt(&proposal, stop)) {
                Ok(measured) => News::Done(Record { proposal, outcome: Ok(measured) }),
                Err(Fault::Own(reason)) => News::Done(Record { proposal, outcome: Err(reason) }),
                Err(fault @ (Fault::Machine(_) | Fault::Held { .. })) => {
                    News::Fault(number, fault.to_string())
                }
                Err(Fault::Interrupted) => return,
            };
            let _ = news.send(told);
        }
    }

    /// One evaluation; a panic and a value that is no number are failures of the trial.
    fn attempt(&self, proposal: &Proposal, stop: &StopFlag) -> Result<Measured, Fault> {
        let run = || self.trial.run(&proposal.point, proposal.budget, stop);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(measured)) if !measured.value.is_finite() => {
                Err(Fault::Own(format!("the metric became {}", measured.value)))
            }
            Ok(outcome) => outcome,
            Err(panic) => Err(Fault::Own(format!("a fault in the program: {}", message(&*panic)))),
        }
    }
}

enum News {
    Trying(Proposal),
    Done(Record),
    Fault(usize, String),
}

fn clear(queue: &Mutex<VecDeque<Proposal>>) {
    queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// What a larger budget gives where training ended by itself within the smaller one.
fn settled(proposal: &Proposal, history: &[Record]) -> Option<Record> {
    let earlier = history.iter().filter(|r| r.proposal.number == proposal.number);
    let last = earlier.max_by_key(|r| r.proposal.rung)?.outcome.as_ref().ok()?;
    let outcome = Ok(Measured { seconds: 0.0, ..*last });
    last.complete.then(|| Record { proposal: proposal.clone(), outcome })
}

fn found(mut records: Vec<Record>, over: bool) -> SearchRecords {
    records.sort_by_key(Record::place);
    SearchRecords { records, over }
}
