//! `equipoise sweep`

use super::settings;
use crate::failure::Failure;
use crate::global::Global;
use crate::interrupt::stop_flag;
use crate::print;
use crate::process::Processes;

use crate::progress::SweepProgress;
use equipoise_study::jobs::Runner;
use equipoise_study::sweep::{Results, Sweep, SweepOutcome, SweepPlan};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Search for good settings, by a metric on validation.
#[derive(clap::Args)]
#[command(after_help = "\
CONFIG is a run's configuration with a section on what to search:

  [sweep]
  method = \"tpe\"                  # grid, coordinate, random, tpe, halving
  trials = 40
  [sweep.space]
  \"train.lr\" = { low = 1e-4, high = 1e-2, log = true }
  \"train.reg\" = [1e-4, 1e-3, 1e-2]

[sweep] also takes seed, metric (default train.metric) and teachers (a directory that searches may share). tpe reads startup, round,
gamma and candidates; halving reads eta and min_epochs, and needs the latter. A range may have integer = true.

The search writes best.toml (a configuration for `train --config`), trials.csv, sweep.md and sweep.html. It sees no test
data. Ctrl-C stops it; the same command takes it up again, also after the process was killed. Results depend neither on
--jobs nor on --threads.")]
pub struct Args {
    /// Configuration file with a [sweep] section.
    config: PathBuf,
    /// Directory of the data set, in any layout that `data check` reads [default: data.path of the file].
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Directory of the search to make or to take up.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Trials at once; they share the data in memory and divide the threads.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Where trials are carried out, each in a process of its own: ray or ray:ADDRESS (with the Python package), or a command that is
    /// given the arguments of this program, such as "srun --cpus-per-task 4 equipoise". All machines must see the data and --out at the
    /// same paths; --threads is the number of threads of each.
    #[arg(long, value_name = "WHERE")]
    on: Option<String>,
    /// Any setting of the base configuration.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Args {
    fn flags(&self) -> Result<Vec<(String, toml::Value, String)>, Failure> {
        let mut flags = Vec::new();
        if let Some(path) = &self.data {
            let path = settings::path("--data", path)?;
            flags.push(("data.path".to_owned(), path, "--data".to_owned()));
        }
        for text in &self.set {
            let (key, value) = settings::pair(text)?;
            let flag = format!("--set {key}");
            flags.push((key, value, flag));
        }
        Ok(flags)
    }
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let plan = SweepPlan::file(&args.config, &args.flags()?)?;
    if plan.base().data.path.as_os_str().is_empty() {
        return Err(Failure::input(
            "no data: give --data PATH, or `path` under [data] in the configuration file",
        ));
    }
    let jobs = usize::from(args.jobs);
    let threads = (rayon::current_num_threads() / jobs).max(1);
    let share = global.threads.unwrap_or_else(|| u16::try_from(threads).unwrap_or(u16::MAX));
    let processes = args.on.as_ref().map(|on| Processes::through(on, share)).transpose()?;
    let runner = processes.as_ref().map(|processes| processes as &dyn Runner);
    let sweep = Sweep { plan: &plan, out: &args.out, jobs, threads, runner };
    let mut progress = SweepProgress::new(global.quiet, plan.metric());
    let outcome = sweep.run(&mut progress, &stop_flag())?;
    drop(progress);
    show(&outcome, &args.out, global)?;
    ended(&outcome.results)
}

/// A search that is not over, and one that found nothing, are no success.
fn ended(results: &Results) -> Result<(), Failure> {
    if !results.over {
        let done = results.records.len();
        let total = results.total;
        return Err(Failure::interrupted(format!(
            "stopped after {done} of {total} evaluations; run the same command to go on"
        )));
    }
    match results.failed().next() {
        Some((_, reason)) if results.best().is_none() => {
            Err(Failure::failed(format!("no trial succeeded; the first: {reason}")))
        }
        _ => Ok(()),
    }
}

fn show(outcome: &SweepOutcome, out: &Path, global: &Global) -> Result<(), Failure> {
    let results = &outcome.results;
    if global.json() {
        let best = results
            .best()
            .map(|r| json!({ "trial": r.proposal.number, "value": r.value(), "point": r.proposal.point }));
        return print::json(&json!({
            "metric": results.metric,
            "over": results.over,
            "evaluations": results.records.len(),
            "failed": results.failed().count(),
            "best": best,
            "report": out.join("sweep.html"),
        }));
    }
    let mut text = format!("\n{}\n", results.headline());
    let failed = results.failed().count();
    if failed > 0 {
        text += &format!("{failed} of {} evaluations failed; see the report\n", results.records.len());
    }
    if outcome.best.is_some() {
        text += &format!("best   {}\n", out.join("best.toml").display());
    }
    print::out(&format!("{text}report {}\n", out.join("sweep.html").display()))
}
