//! What would be done.

use super::config::PipelineConfig;
use super::error::PipelineError;
use super::fingerprint::{Hashes, fingerprint};
use super::outputs::StageResult;
use super::stage::Stage;
use super::stages;
use equipoise_data::FieldError;
use equipoise_jobs::{Standing, Unit, beside};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Where a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// Its results are there.
    UpToDate,
    /// It was broken off and goes on.
    GoesOn,
    /// What is there was made from something else, or is damaged.
    Outdated,
    /// Never begun.
    New,
}

/// A stage with its fingerprint.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedStage {
    /// Its name, which is its directory too.
    pub name: String,
    /// What it does, for people.
    pub title: String,
    /// Where it stands.
    pub state: StageState,
    /// What it is known by.
    pub fingerprint: String,
    /// Everything that decides what comes out, beside the files and the stages before.
    pub settings: serde_json::Value,
    /// Hashes of raw files, by what they are.
    pub files: BTreeMap<String, String>,
    /// Stages before and their fingerprints.
    pub before: BTreeMap<String, String>,
}

/// All stages in the order in which they are done.
pub struct PipelinePlan {
    /// The configuration.
    pub config: PipelineConfig,
    /// The stages.
    pub stages: Vec<PlannedStage>,
    pub(super) parts: Vec<Box<dyn Stage>>,
}

/// The name under which hashes of raw files are kept.
const HASHES: &str = ".hashes.json";

impl PipelinePlan {
    /// Says what is to be done: reads raw files, as far as their hashes are not known, and every `stage.json`.
    ///
    /// # Errors
    /// A setting that cannot be used; a raw file that cannot be read; a directory that is not this program's.
    pub fn new(config: PipelineConfig) -> Result<PipelinePlan, PipelineError> {
        let source = config.check()?;
        let parts = stages::all(&config, &source);
        let mut hashes = Hashes::read(config.out.join(HASHES));
        let mut stages: Vec<PlannedStage> = Vec::with_capacity(parts.len());
        for part in &parts {
            let planned = planned(part.as_ref(), &config, &stages, &mut hashes)?;
            stages.push(planned);
        }
        if config.out.is_dir() {
            hashes.write()?;
        }
        Ok(PipelinePlan { config, stages, parts })
    }

    /// Whether every stage is up to date.
    pub fn is_done(&self) -> bool {
        self.stages.iter().all(|stage| stage.state == StageState::UpToDate)
    }
}

fn planned(
    part: &dyn Stage,
    config: &PipelineConfig,
    earlier: &[PlannedStage],
    hashes: &mut Hashes,
) -> Result<PlannedStage, PipelineError> {
    let name = part.name();
    let settings = part.settings(config)?;
    let mut files = BTreeMap::new();
    for (role, path) in part.files(config) {
        outside(config, &path)?;
        files.insert(role, hashes.of(&path)?);
    }
    let named =
        |name: &String| earlier.iter().find(|stage| stage.name == *name).expect("stages name earlier ones");
    let before: BTreeMap<String, String> = part
        .before()
        .iter()
        .map(named)
        .map(|stage| (stage.name.clone(), stage.fingerprint.clone()))
        .collect();
    let fingerprint = fingerprint(&name, &settings, &files, &before);
    let state = state(&Unit::new(config.out.join(&name), &fingerprint))?;
    Ok(PlannedStage { title: part.title(), name, state, fingerprint, settings, files, before })
}

/// Where a stage stands, by what lies in its directory and beside it: results of other settings stay until the new ones, which
/// are made beside them, are whole.
pub(super) fn state(unit: &Unit) -> Result<StageState, PipelineError> {
    let own = own_state(unit)?;
    let begun = |unit: &Unit| {
        matches!(unit.standing(), Ok(Standing::Begun | Standing::Failed(_) | Standing::Finished))
    };
    if own == StageState::Outdated && begun(&Unit::new(beside(unit.dir()), unit.key())) {
        return Ok(StageState::GoesOn);
    }
    Ok(own)
}

/// Where a stage stands, by what lies in its directory.
pub(super) fn own_state(unit: &Unit) -> Result<StageState, PipelineError> {
    let dir = unit.dir();
    Ok(match unit.standing()? {
        Standing::New => StageState::New,
        Standing::Begun | Standing::Failed(_) => StageState::GoesOn,
        Standing::Other => StageState::Outdated,
        Standing::Finished => match unit.result::<StageResult>() {
            Some(result) if result.is_whole(dir) => StageState::UpToDate,
            _ => StageState::Outdated,
        },
        // Of a program before units of work.
        Standing::Foreign if dir.join("stage.json").exists() => StageState::Outdated,
        Standing::Foreign => {
            let reason =
                "holds something that `equipoise run` did not write; choose another --out, or move it away";
            return Err(PipelineError::file(dir, reason));
        }
    })
}

/// Results among the raw files would change what the next call reads.
fn outside(config: &PipelineConfig, path: &Path) -> Result<(), PipelineError> {
    let (Ok(path), Ok(out)) = (path.canonicalize(), std::path::absolute(&config.out)) else {
        return Ok(());
    };
    let out = out.canonicalize().unwrap_or(out);
    if path.is_dir() && out.starts_with(&path) {
        let expected = format!("a directory outside of {}, which is read", path.display());
        return Err(FieldError::new("out", config.out.display(), expected).into());
    }
    Ok(())
}
