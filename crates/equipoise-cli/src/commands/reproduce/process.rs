//! Runs tasks in processes of their own.

use crate::failure::Failure as CliFailure;
use equipoise_study::reproduce::{Failure, Runner, Task};
use equipoise_train::StopFlag;
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
    pub fn new(threads: u16) -> Result<Processes, CliFailure> {
        // On Linux this is the program as it was started, even if its file was replaced since.
        let own = PathBuf::from("/proc/self/exe");
        let program = if own.exists() { own } else { std::env::current_exe().map_err(CliFailure::failed)? };
        Ok(Processes { program, threads })
    }

    fn start(&self, task: &Task) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(["reproduce-task", task.work.word()]).arg(&task.dir);
        command.args(["--quiet", "--threads", &self.threads.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Ctrl-C is for this process, which tells its children by closing their stdin.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }
}

impl Runner for Processes {
    fn run(&self, task: &Task, stop: &StopFlag) -> Result<(), Failure> {
        let failed = |e: std::io::Error| Failure::Failed(format!("its process: {e}"));
        let mut child = self.start(task).map_err(failed)?;
        let mut stderr = child.stderr.take();
        let listener = std::thread::spawn(move || {
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
                return Err(Failure::Stopped);
            }
            std::thread::sleep(PAUSE);
        };
        let said = listener.join().unwrap_or_default();
        if status.success() { Ok(()) } else { Err(Failure::Failed(reason(&said, status))) }
    }
}

/// The message of a process that failed: its own, or how it ended.
fn reason(said: &str, status: ExitStatus) -> String {
    let said = said.trim();
    if let Some(message) = said.strip_prefix("error: ") {
        return message.to_owned();
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let memory = if signal == 9 { "; was there too little memory?" } else { "" };
        return format!("its process was ended by signal {signal}{memory} {said}").trim_end().to_owned();
    }
    let tail: Vec<&str> = said.lines().rev().take(4).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    format!("its process ended with {status}: {}", tail.join(" | "))
}
