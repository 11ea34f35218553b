//! Exports of a served model. A new target is one file here and one line in [`TARGETS`].

mod layout;
mod npy;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod postgres;
mod qdrant;
mod report;
mod seen;
mod serving;
mod target;
#[cfg(feature = "upload")]
mod upload;

pub use options::{ExportOptions, Upload};
pub use report::{ExportFile, ExportReport};
pub use target::ExportTarget;

use crate::error::RecommendError;
use crate::files::TABLES;
use crate::output::Output;
use crate::served::ServedModel;
use equipoise_data::formats::same_place;
use std::path::Path;

/// Every target.
pub const TARGETS: &[&ExportTarget] = &[
    &serving::TARGET,
    #[cfg(feature = "parquet")]
    &parquet::TARGET,
    &npy::TARGET,
    &qdrant::TARGET,
    &postgres::TARGET,
];

/// Writes the model in `dir`, a run or a served model, in the form of a target to the directory `out`, which appears whole or not
/// at all.
///
/// # Errors
/// An option that the target does not take or cannot use; what the model lacks; if `out` holds something that is not to be
/// replaced; file system faults; what a server that it is uploaded to says.
pub fn export(
    dir: &Path,
    target: &ExportTarget,
    out: &Path,
    options: &ExportOptions,
) -> Result<ExportReport, RecommendError> {
    check(target, options)?;
    let model = ServedModel::open(dir)?;
    if out.join(TABLES).is_file() && same_place(dir, out) {
        let reason = "the model itself lies there; give another directory";
        return Err(RecommendError::file(out, reason));
    }
    let output = Output::begin(out, target.mark, options.overwrite)?;
    let mut report = ExportReport::new(target.name, out, model.name());
    (target.write)(dir, &model, options, output.dir(), &mut report)?;
    report.measure(output.dir())?;
    output.finish()?;
    if let (Some(finish), Some(upload)) = (target.upload, &options.upload) {
        finish(out, options, upload, &mut report)?;
    }
    Ok(report)
}

/// Refuses options that the target does not take, or that no target can use.
fn check(target: &ExportTarget, options: &ExportOptions) -> Result<(), RecommendError> {
    if let Some(flag) = options.given().find(|flag| !target.takes.contains(flag)) {
        let takers: Vec<&str> = TARGETS.iter().filter(|t| t.takes.contains(&flag)).map(|t| t.name).collect();
        let problem = format!("{} does not take it, only {}", target.name, takers.join(", "));
        return Err(RecommendError::field(format!("--{flag}"), problem));
    }
    options.check()
}
