//! Does what a plan says.

use super::error::PipelineError;
use super::event::PipelineEvent;
use super::outputs::StageResult;
use super::plan::{PipelinePlan, PlannedStage, StageState, own_state, state};
use super::stage::Context;
use super::stages::layout;
use super::summary::Summary;
use equipoise_data::remove_parts;
use equipoise_jobs::{Claim, Listener, Lock, Place, Standing, StopFlag, Unit};
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
    let _lock = Lock::take(&out.join(".lock"))?;
    remove_parts(out);
    let total = plan.stages.len();
    for (n, (stage, part)) in plan.stages.iter().zip(&plan.parts).enumerate() {
        let head = format!("[{}/{total}] {}", n + 1, stage.title);
        let dir = out.join(&stage.name);
        let unit = Unit::new(&dir, &stage.fingerprint);
        // Looked at anew: another call may have been at work since the plan was made.
        let state = state(&unit)?;
        if state == StageState::UpToDate {
            // A call that was killed right after its work may have left what it replaced.
            Place::claim(&dir)?.clear()?;
            listener.event(&PipelineEvent::Note(format!("{head}: up to date")));
            continue;
        }
        if stop.is_raised() {
            return Err(PipelineError::Stopped(stage.title.clone()));
        }
        listener.event(&PipelineEvent::Note(format!("{head}{}", why(state))));
        let start = Instant::now();
        let place = Place::claim(&dir)?;
        let filled = filled(&place, &unit)?;
        if filled.standing()? != Standing::Finished {
            let claim = begin(&filled, stage)?;
            let dir = filled.dir().to_owned();
            part.run(&mut Context { config: &plan.config, dir, listener: &mut *listener, stop })?;
            let seconds = start.elapsed().as_secs_f64();
            claim.finish(&StageResult::of(filled.dir(), seconds)?)?;
        }
        if filled.dir() != unit.dir() {
            place.exchange()?;
            place.clear()?;
        }
        let seconds = start.elapsed().as_secs_f64();
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

/// Where a stage is made: in its place, or beside results of other settings, which stay until it is whole. What an earlier call
/// began beside it is gone on with if it is the same stage, and removed otherwise.
fn filled(place: &Place, unit: &Unit) -> Result<Unit, PipelineError> {
    if own_state(unit)? != StageState::Outdated {
        place.clear()?;
        return Ok(unit.clone());
    }
    let beside = Unit::new(place.beside(), unit.key());
    if place.is_begun() && !matches!(beside.standing()?, Standing::Other | Standing::Foreign) {
        return Ok(beside);
    }
    place.begin()?;
    Ok(beside)
}

/// Claims the directory in which a stage is made.
fn begin(unit: &Unit, stage: &PlannedStage) -> Result<Claim, PipelineError> {
    let claim = unit.claim()?;
    let PlannedStage { name, settings, files, before, .. } = stage;
    claim.begin(&json!({ "stage": name, "settings": settings, "files": files, "before": before }))?;
    Ok(claim)
}
