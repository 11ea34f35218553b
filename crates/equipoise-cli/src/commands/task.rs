//! `equipoise task`: one unit of work, as a scheduler runs it.

use super::features::Shown;
use crate::failure::Failure;
use crate::global::Global;
use crate::interrupt::{end, stop_flag};
use crate::print;
use crate::progress::Progress;
use equipoise_jobs::{Fault, Listener};
use equipoise_study::jobs::{Task, TaskEvent, perform};
use serde_json::json;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

/// Do one unit of work that a file specifies; done when finished.json is in its directory.
///
/// A task is a pure function of its specification: the same file gives the same results, whether or not the task was killed
/// on the way. What was cut short is taken up by the same command; what is finished is not done again.
#[derive(clap::Args)]
#[command(after_help = "\
SPEC is TOML, or JSON if its name ends in .json:

  kind = \"train\"           # train, teachers, search, encode-text, encode-image, encode-audio
  dir = \"plain/seed1\"      # where it works, relative to SPEC [default: the directory of SPEC]
  inputs = \"8fd3...\"       # fingerprint that the data must have [default: whatever it has]
  [config]                 # of a run (train, teachers, search: as `train --config`), or of an encoding
  seed = 1
  data.path = \"my-data\"

Exit codes: 0 done; 75 try again (interrupted, a fault of the machine, or another process is at work on the task);
any other: the task fails whenever it is run, and failed.json says why.")]
pub struct Args {
    /// The specification.
    spec: PathBuf,
    /// Wait so long for another process that is at work on the task.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// End when stdin is closed: a scheduler that holds the other end of the pipe takes its tasks with it.
    #[arg(long)]
    with_stdin: bool,
}

pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    if args.with_stdin {
        end_with_stdin();
    }
    let task = Task::read(&args.spec).map_err(Failure::input)?;
    let mut shown =
        TaskProgress { training: Progress::new(global.quiet), encoding: Shown::new(global.quiet) };
    let done = perform(&task, &mut shown, &stop_flag(), Duration::from_secs(args.wait));
    let finished = done.map_err(|fault| match fault {
        Fault::Own(message) => Failure::failed(message),
        fault => Failure::again(fault),
    })?;
    if global.json() {
        return print::json(&json!({ "dir": task.dir, "finished": finished }));
    }
    print::out(&format!("done: {}\n", task.name))
}

/// Shows a training or an encoding.
struct TaskProgress {
    training: Progress,
    encoding: Shown,
}

impl Listener<TaskEvent> for TaskProgress {
    fn event(&mut self, event: &TaskEvent) {
        match event {
            TaskEvent::Training(event) => self.training.event(event),
            TaskEvent::Encoding(progress) => self.encoding.event(progress),
        }
    }
}

/// Ends this process when its stdin closes, which happens however the process at the other end died. What was under way has no
/// `finished.json` and is taken up by the same command.
fn end_with_stdin() {
    std::thread::spawn(|| {
        let mut buffer = [0; 64];
        while matches!(std::io::stdin().read(&mut buffer), Ok(n) if n > 0) {}
        end();
    });
}
