//! A whole search over runs, with its directory:
//!
//! | file | what |
//! |---|---|
//! | `sweep.sqlite` | the journal, locked by `.sweep.sqlite.lock` |
//! | `trials.jsonl` | the same records, one a line, while the search goes on |
//! | `trials.csv` | the same as a table |
//! | `sweep.md`, `sweep.html` | the report, for a repository and for a browser |
//! | `best.toml` | the best run's configuration, ready for `equipoise train --config` |
//! | `teachers/<key>/<modality>/` | teachers, by what they depend on |
//! | `trials/` | checkpoints of the trials at work, while the search goes on |

use super::elsewhere::Elsewhere;
use super::error::SweepError;
use super::plan::SweepPlan;
use super::results::{self, Results};
use super::training::SweepTraining;
use crate::jobs::Runner;
use crate::search::{Identity, Journal, Listener, Record, Search, SearchEvent, SearchRecords, Trial, best};
use equipoise_data::write_atomic;
use equipoise_train::{Checked, RunConfig, StopFlag};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The directory of the checkpoints.
const TRIALS: &str = "trials";
/// The records for other programs.
const LOG: &str = "trials.jsonl";

/// A search to be made, or taken up where it was left.
pub struct Sweep<'a> {
    /// What is searched, and how.
    pub plan: &'a SweepPlan,
    /// Where it goes.
    pub out: &'a Path,
    /// How many trials are under way at once.
    pub jobs: usize,
    /// Threads of each.
    pub threads: usize,
    /// Who carries trials out; this process if nobody is named.
    pub runner: Option<&'a dyn Runner>,
}

/// What came of it.
pub struct SweepOutcome {
    /// Everything that the report shows.
    pub results: Results,
    /// The configuration of the best trial, if one succeeded.
    pub best: Option<RunConfig>,
}

impl Sweep<'_> {
    /// Searches to the end, or until `stop` is raised; then writes the report of what is known.
    ///
    /// # Errors
    /// See [`SweepError`]; records made before a fault are kept.
    pub fn run(
        &self,
        listener: &mut dyn Listener<SearchEvent>,
        stop: &StopFlag,
    ) -> Result<SweepOutcome, SweepError> {
        let default = self.out.join("teachers");
        let teachers = self.plan.config().teachers.as_deref().unwrap_or(&default);
        let trials = self.out.join(TRIALS);
        let training = SweepTraining::new(self.plan, teachers)?.keeping(&trials);
        let (fingerprint, dataset) = training.with_data(|data| (data.fingerprint(), data.name.clone()))?;
        let strategy = self.plan.strategy()?;
        let journal = self.journal(&self.plan.identity(&fingerprint))?;
        let elsewhere = self.runner.map(|runner| Elsewhere {
            plan: self.plan,
            here: &training,
            teachers: absolute(teachers),
            trials: absolute(&trials),
            runner,
        });
        let trial: &dyn Trial = elsewhere.as_ref().map_or(&training, |elsewhere| elsewhere);
        let search = Search { strategy: &*strategy, trial, jobs: self.jobs, threads: self.threads };
        let mut log = Log {
            path: self.out.join(LOG),
            plan: self.plan,
            records: Vec::new(),
            next: listener,
            failed: None,
        };
        let found = search.run(&journal, &mut log, stop)?;
        log.failed.map_or(Ok(()), Err)?;
        if !stop.is_raised() && trials.exists() {
            std::fs::remove_dir_all(&trials).map_err(|e| SweepError::file(&trials, e))?;
        }
        self.report(found, dataset, strategy.total())
    }

    fn journal(&self, identity: &Identity) -> Result<Journal, SweepError> {
        let (path, log) = (self.out.join("sweep.sqlite"), self.out.join(LOG));
        // A log is written after the first record only.
        if std::fs::metadata(&path).is_ok_and(|about| about.len() == 0) && log.exists() {
            let reason = format!(
                "empty, but {LOG} beside it has records; restore the file, or search anew with another --out"
            );
            return Err(SweepError::file(&path, reason));
        }
        let journal = Journal::open(&path, identity)?;
        if let (Some(last), Some(trials)) = (journal.last()?, self.plan.config().trials)
            && last >= trials
        {
            let done = last + 1;
            let reason = format!(
                "{done} trials were begun here, and sweep.trials = {trials}: expected {done} or more"
            );
            return Err(SweepError::file(&path, reason));
        }
        Ok(journal)
    }

    fn report(
        &self,
        found: SearchRecords,
        dataset: String,
        total: usize,
    ) -> Result<SweepOutcome, SweepError> {
        let (plan, base) = (self.plan, self.plan.base());
        let top = best(&found.records).cloned();
        let config = top.as_ref().map(|record| plan.at(&record.proposal.point)).transpose()?;
        let text =
            config.as_ref().map(|c| c.to_toml().map_err(|e| SweepError::file(self.out, e))).transpose()?;
        let results = Results {
            name: name(self.out),
            dataset,
            backbone: base.backbone.name.clone(),
            balance: base.balance.name.clone(),
            method: plan.config().method,
            metric: plan.metric().to_owned(),
            seed: plan.seed(),
            total,
            over: found.over,
            space: plan.space().clone(),
            records: found.records,
            best_toml: text.unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        let files = [
            (LOG, results::jsonl(plan, &results.records)),
            ("trials.csv", results::csv(&results)),
            ("sweep.md", results::markdown(&results)),
            ("sweep.html", super::page::sweep_page(&results)),
        ];
        for (name, text) in files {
            write(&self.out.join(name), &text)?;
        }
        if !results.best_toml.is_empty() {
            write(&self.out.join("best.toml"), &results::best_toml(&results))?;
        }
        Ok(SweepOutcome { results, best: config.map(Checked::into_inner) })
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn name(out: &Path) -> String {
    let absolute = out.canonicalize().unwrap_or_else(|_| out.to_owned());
    absolute.file_name().map_or_else(|| out.display().to_string(), |n| n.to_string_lossy().into_owned())
}

fn write(path: &Path, text: &str) -> Result<(), SweepError> {
    write_atomic(path, |file| file.write_all(text.as_bytes())).map_err(|e| SweepError::file(path, e))
}

/// Keeps `trials.jsonl` up to date, and passes everything on.
struct Log<'a> {
    path: PathBuf,
    plan: &'a SweepPlan,
    records: Vec<Record>,
    next: &'a mut dyn Listener<SearchEvent>,
    failed: Option<SweepError>,
}

impl Listener<SearchEvent> for Log<'_> {
    fn event(&mut self, event: &SearchEvent) {
        if let SearchEvent::Known(record) | SearchEvent::Done(record) = event {
            self.records.push(record.clone());
            self.records.sort_by_key(Record::place);
        }
        if let (SearchEvent::Done(_), None) = (event, &self.failed) {
            self.failed = write(&self.path, &results::jsonl(self.plan, &self.records)).err();
        }
        self.next.event(event);
    }
}
