//! Runs tasks in processes of their own.

use crate::failure::{Failure, TRY_AGAIN};
use equipoise_jobs::{Fault, StopFlag};
use equipoise_study::jobs::{Runner, SPEC, Task};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// This program, called again for each task.
pub struct Processes {
    program: PathBuf,
    threads: u16,
}

/// How often a child is looked after.
const PAUSE: Duration = Duration::from_millis(20);

impl Processes {
    /// Processes of `threads` threads each.
    pub fn new(threads: u16) -> Result<Processes, Failure> {
        // On Linux this is the program as it was started, even if its file was replaced since.
        let own = PathBuf::from("/proc/self/exe");
        let program = if own.exists() { own } else { std::env::current_exe().map_err(Failure::failed)? };
        Ok(Processes { program, threads })
    }

    fn start(&self, task: &Task) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg("task").arg(task.dir.join(SPEC)).args(["--with-stdin", "--wait", "60"]);
        command.args(["--quiet", "--threads", &self.threads.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Ctrl-C is for this process, which tells its children by closing their stdin.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }
}

impl Runner for Processes {
    fn run(&self, task: &Task, stop: &StopFlag) -> Result<(), Fault> {
        let failed = |e: std::io::Error| Fault::machine(format!("its process: {e}"));
        let mut child = self.start(task).map_err(failed)?;
        let mut stderr = child.stderr.take();
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.as_mut().map(|pipe| pipe.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let status = loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                break status;
            }
            if stop.is_raised() {
                child.kill().map_err(failed)?;
                child.wait().map_err(failed)?;
                return Err(Fault::Interrupted);
            }
            std::thread::sleep(PAUSE);
        };
        let said = reader.join().unwrap_or_default();
        if status.success() { Ok(()) } else { Err(fault(&said, status)) }
    }
}

/// Why a process failed: its own message, or how it ended. A process that the system killed may succeed another time.
fn fault(said: &str, status: ExitStatus) -> Fault {
    let said = said.trim();
    if let Some(message) = said.strip_prefix("error: ") {
        let message = message.to_owned();
        let again = status.code() == Some(i32::from(TRY_AGAIN));
        return if again { Fault::machine(message) } else { Fault::Own(message) };
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let killed = [KILL, TERM].contains(&signal);
        let memory = if signal == KILL { "; was there too little memory?" } else { "" };
        let message =
            format!("its process was ended by signal {signal}{memory} {said}").trim_end().to_owned();
        return if killed { Fault::machine(message) } else { Fault::Own(message) };
    }
    let tail: Vec<&str> = said.lines().rev().take(4).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Fault::Own(format!("its process ended with {status}: {}", tail.join(" | ")))
}

/// The signals by which the system or a person ends a process.
#[cfg(unix)]
const KILL: i32 = 9;
#[cfg(unix)]
const TERM: i32 = 15;
