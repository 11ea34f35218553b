//! A run that was trained, for commands that read it.

use crate::failure::Failure;
use crate::print;
use equipoise_train::Run;
use equipoise_train::events::Ending;
use std::path::Path;

/// Opens a run, and says so if its training was interrupted, or if its files cannot be checked.
pub fn open(dir: &Path) -> Result<Run, Failure> {
    let run = Run::open(dir)?;
    if !run.is_bound() {
        print::say(&format!(
            "note: {}: an earlier version made this run and kept no hashes of its files: they are taken as they are",
            dir.display()
        ));
    }
    let report = run.report()?;
    if report.ending == Ending::Interrupted {
        let way = if run.is_interrupted() { "; the same `equipoise train` command goes on" } else { "" };
        print::say(&format!(
            "note: {} is unfinished, its training was interrupted after {} epochs: its model is the best so far, of epoch {}{way}",
            dir.display(),
            report.epochs,
            report.best_epoch
        ));
    }
    Ok(run)
}
