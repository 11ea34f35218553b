//! One task of `equipoise reproduce`, in a process of its own: a crash or a lack of memory ends one run only.

use crate::failure::Failure;
use crate::global::Global;
use crate::progress::Progress;
use equipoise_study::reproduce::{Work, perform};
use equipoise_train::StopFlag;
use std::io::Read;
use std::path::PathBuf;

/// Do one task; started by `reproduce`.
#[derive(clap::Args)]
pub struct Args {
    /// Which kind.
    #[arg(value_parser = ["search", "teachers", "final"])]
    work: String,
    /// Its directory.
    dir: PathBuf,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    end_with_parent();
    let work = [Work::Search, Work::Teachers, Work::Final].into_iter().find(|w| w.word() == args.work);
    let work = work.expect("clap knows the kinds");
    Ok(perform(work, &args.dir, &mut Progress::new(global.quiet), &StopFlag::default())?)
}

/// Ends this process when whoever started it is gone: its end of the pipe closes then, however it died. What was
/// under way has no `finished.json` and is started over.
fn end_with_parent() {
    std::thread::spawn(|| {
        let mut buffer = [0; 64];
        while matches!(std::io::stdin().read(&mut buffer), Ok(n) if n > 0) {}
        std::process::exit(1);
    });
}
