//! Does what a plan says.

use super::error::PipelineError;
use super::event::PipelineEvent;
use super::outputs::StageResult;
use super::plan::{PipelinePlan, PlannedStage, StageState, state};
use super::stage::Context;
use super::stages::layout;
use super::summary::Summary;
use equipoise_jobs::{Claim, Fault, Listener, Lock, StopFlag, Unit};
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// Does every stage that is not up to date, in order, and returns what came of all.
///
/// # Errors
/// See [`PipelineError`]; what is done is kept.
pub fn carry_out(
    plan: &PipelinePlan,
    listener: &mut dyn Listener<PipelineEvent>,
    stop: &StopFlag,
) -> Result<Summary, PipelineError> {
    let out = &plan.config.out;
    let _lock = lock(out)?;
    let total = plan.stages.len();
    for (n, (stage, part)) in plan.stages.iter().zip(&plan.parts).enumerate() {
        let head = format!("[{}/{total}] {}", n + 1, stage.title);
        let unit = Unit::new(out.join(&stage.name), &stage.fingerprint);
        // Looked at anew: another call may have been at work since the plan was made.
        let state = state(&unit)?;
        if state == StageState::UpToDate {
            listener.event(&PipelineEvent::Note(format!("{head}: up to date")));
            continue;
        }
        if stop.is_raised() {
            return Err(PipelineError::Stopped(stage.title.clone()));
        }
        listener.event(&PipelineEvent::Note(format!("{head}{}", why(state))));
        let start = Instant::now();
        let claim = begin(&unit, stage, state)?;
        let dir = unit.dir().to_owned();
        part.run(&mut Context { config: &plan.config, dir, listener: &mut *listener, stop })?;
        let seconds = start.elapsed().as_secs_f64();
        claim.finish(&StageResult::of(unit.dir(), seconds)?)?;
        listener.event(&PipelineEvent::Done { stage: n + 1, total, seconds });
    }
    finished_summary(out)
}

fn why(state: StageState) -> &'static str {
    match state {
        StageState::GoesOn => ", taken up where it was left",
        StageState::Outdated => ", anew since what it depends on has changed",
        StageState::New | StageState::UpToDate => "",
    }
}

/// What a finished pipeline found.
///
/// # Errors
/// If there is none.
pub fn finished_summary(out: &Path) -> Result<Summary, PipelineError> {
    let path = out.join(layout::REPORT).join("summary.json");
    let text = std::fs::read_to_string(&path).map_err(|e| PipelineError::file(&path, e))?;
    serde_json::from_str(&text).map_err(|e| PipelineError::file(&path, e))
}

/// Claims an empty directory for the stage, or the one in which it was cut short.
fn begin(unit: &Unit, stage: &PlannedStage, state: StageState) -> Result<Claim, PipelineError> {
    let claim = unit.claim()?;
    if state == StageState::Outdated {
        claim.clear()?;
    }
    let PlannedStage { name, settings, files, before, .. } = stage;
    claim.begin(&json!({ "stage": name, "settings": settings, "files": files, "before": before }))?;
    Ok(claim)
}

/// The right to work in `out`.
fn lock(out: &Path) -> Result<Lock, PipelineError> {
    Lock::take(&out.join(".lock")).map_err(|fault| match fault {
        Fault::Held { by, .. } => PipelineError::file(
            out,
            format!("another `equipoise run` ({by}) is at work here; wait for it, or give another --out"),
        ),
        fault => fault.into(),
    })
}
