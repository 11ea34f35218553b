//! Doing what a plan says.

use super::error::PipelineError;
use super::plan::{self, Plan, Planned, State};
use super::record::{Record, outputs};
use super::stage::{Context, Watch};
use super::summary::Summary;
use equipoise_train::StopFlag;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Instant;

/// Directories that are being removed are called so first.
const LEAVING: &str = ".equipoise-old-";

/// Does every stage that is not up to date, in order, and returns what came of all.
///
/// # Errors
/// See [`PipelineError`]; what is done is kept.
pub fn carry_out(plan: &Plan, watch: &mut dyn Watch, stop: &StopFlag) -> Result<Summary, PipelineError> {
    let out = &plan.config.out;
    std::fs::create_dir_all(out).map_err(|e| PipelineError::file(out, e))?;
    let _lock = lock(out)?;
    sweep_up(out)?;
    let total = plan.stages.len();
    for (n, (stage, part)) in plan.stages.iter().zip(&plan.parts).enumerate() {
        let head = format!("[{}/{total}] {}", n + 1, stage.title);
        // Looked at anew: another call may have been at work since the plan was made.
        let dir = out.join(&stage.name);
        let state = plan::state(&dir, &stage.fingerprint)?;
        if state == State::UpToDate {
            watch.say(&format!("{head}: up to date"));
            continue;
        }
        if stop.is_raised() {
            return Err(PipelineError::Stopped(stage.title.clone()));
        }
        let why = match state {
            State::GoesOn => ", taken up where it was left",
            State::Outdated => ", anew since what it depends on has changed",
            _ => "",
        };
        watch.say(&format!("{head}{why}"));
        let begun = Instant::now();
        let mut record = prepare(&dir, stage, state, out)?;
        part.run(&mut Context { config: &plan.config, dir: dir.clone(), watch, stop })?;
        record.outputs = outputs(&dir)?;
        (record.finished, record.seconds) = (true, begun.elapsed().as_secs_f64());
        record.write(&dir)?;
        watch.done(n + 1, total, record.seconds);
    }
    finished_summary(out)
}

/// What a finished pipeline found.
///
/// # Errors
/// If there is none.
pub fn finished_summary(out: &Path) -> Result<Summary, PipelineError> {
    let path = out.join(super::stages::REPORT).join("summary.json");
    let text = std::fs::read_to_string(&path).map_err(|e| PipelineError::file(&path, e))?;
    serde_json::from_str(&text).map_err(|e| PipelineError::file(&path, e))
}

/// An empty directory for the stage, or the one in which it was broken off.
fn prepare(dir: &Path, stage: &Planned, state: State, out: &Path) -> Result<Record, PipelineError> {
    let record = Record::begun(stage);
    if state == State::GoesOn {
        return Ok(record);
    }
    if state == State::Outdated {
        // Renamed first: a directory that is half removed looks like nobody's.
        let aside = (0..).map(|n| out.join(format!("{LEAVING}{n}"))).find(|path| !path.exists());
        let aside = aside.expect("numbers do not end");
        std::fs::rename(dir, &aside).map_err(|e| PipelineError::file(dir, e))?;
        std::fs::remove_dir_all(&aside).map_err(|e| PipelineError::file(&aside, e))?;
    }
    std::fs::create_dir_all(dir).map_err(|e| PipelineError::file(dir, e))?;
    record.write(dir)?;
    Ok(record)
}

/// Removes what an earlier call did not come to remove.
fn sweep_up(out: &Path) -> Result<(), PipelineError> {
    let fault = |e| PipelineError::file(out, e);
    for entry in std::fs::read_dir(out).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if entry.file_name().to_string_lossy().starts_with(LEAVING) {
            std::fs::remove_dir_all(entry.path()).map_err(|e| PipelineError::file(&entry.path(), e))?;
        }
    }
    Ok(())
}

/// The right to work in `out`; the system takes it back from a process that is killed.
fn lock(out: &Path) -> Result<File, PipelineError> {
    let path = out.join(".lock");
    let file = File::create(&path).map_err(|e| PipelineError::file(&path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PipelineError::file(
            out,
            "another `equipoise run` is at work here; wait for it, or give another --out",
        )),
        Err(TryLockError::Error(e)) => Err(PipelineError::file(&path, e)),
    }
}
