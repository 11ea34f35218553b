//! Runs tasks in processes of their own, here or through a command that starts them elsewhere.

use crate::failure::{Failure, TRY_AGAIN};
use equipoise_jobs::{Fault, StopFlag};
use equipoise_study::jobs::{Runner, SPEC, Task};
use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A program that is called for each task.
pub struct Processes {
    /// It, and its first arguments.
    command: Vec<OsString>,
    threads: u16,
    /// How long a task has to end by itself once its standard input is closed, before its process is killed.
    grace: Duration,
}

/// How often a child is looked after.
const PAUSE: Duration = Duration::from_millis(20);
/// What a process on another machine needs to hear that it is to stop.
const GRACE: Duration = Duration::from_secs(10);

impl Processes {
    /// Processes of this program, of `threads` threads each.
    pub fn new(threads: u16) -> Result<Processes, Failure> {
        // On Linux this is the program as it was started, even if its file was replaced since.
        let own = PathBuf::from("/proc/self/exe");
        let program = if own.exists() { own } else { std::env::current_exe().map_err(Failure::failed)? };
        Ok(Processes { command: vec![program.into()], threads, grace: Duration::ZERO })
    }

    /// Processes that a command starts, maybe on other machines: `ray`, `ray:ADDRESS`, or the command itself, which is given the
    /// arguments of `equipoise`.
    ///
    /// # Errors
    /// If quotes in it do not close, or it is empty.
    pub fn through(on: &str, threads: u16) -> Result<Processes, Failure> {
        let command = match on.strip_prefix("ray") {
            Some(rest) if rest.is_empty() || rest.starts_with(':') => by_ray(on),
            _ => shlex::split(on).unwrap_or_default().into_iter().map(OsString::from).collect(),
        };
        if command.is_empty() {
            return Err(Failure::input(format!(
                "--on {on:?}: expected ray, ray:ADDRESS, or a command that starts the program, such as \"srun equipoise\"; do its quotes \
                 close?"
            )));
        }
        Ok(Processes { command, threads, grace: GRACE })
    }

    fn start(&self, task: &Task) -> std::io::Result<Child> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        command.arg("task").arg(task.dir.join(SPEC)).args(["--with-stdin", "--wait", "60"]);
        command.args(["--quiet", "--threads", &self.threads.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Ctrl-C is for this process, which tells its children by closing their stdin.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }

    /// Ends a task: by closing its standard input, and by force if that takes too long.
    fn end(&self, child: &mut Child) -> std::io::Result<()> {
        drop(child.stdin.take());
        let asked = Instant::now();
        while asked.elapsed() < self.grace {
            if child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        child.kill()?;
        child.wait().map(drop)
    }
}

/// The package's module, by the interpreter beside this program or the first on the search path.
fn by_ray(on: &str) -> Vec<OsString> {
    let own = std::env::current_exe().ok();
    let beside =
        own.and_then(|program| Some(program.parent()?.join("python3"))).filter(|path| path.is_file());
    let python = beside.map_or_else(|| OsString::from("python3"), OsString::from);
    [python].into_iter().chain(["-m", "equipoise.cluster", "--on", on].map(OsString::from)).collect()
}

impl Runner for Processes {
    fn run(&self, task: &Task, stop: &StopFlag) -> Result<(), Fault> {
        let name = self.command[0].display();
        let failed = |e: std::io::Error| Fault::machine(format!("its process ({name}): {e}"));
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
                self.end(&mut child).map_err(failed)?;
                return Err(Fault::Interrupted);
            }
            std::thread::sleep(PAUSE);
        };
        let said = reader.join().unwrap_or_default();
        if status.success() { Ok(()) } else { Err(fault(&said, status)) }
    }
}

/// Why a process failed: its own message, or how it ended. A process that the system killed may succeed another time, and so may one that
/// says so by its exit code.
fn fault(said: &str, status: ExitStatus) -> Fault {
    let said = said.trim();
    let again = status.code() == Some(i32::from(TRY_AGAIN));
    // What started the program elsewhere may have said something before.
    let own =
        said.strip_prefix("error: ").or_else(|| said.rsplit_once("\nerror: ").map(|(_, message)| message));
    if let Some(message) = own {
        let message = message.to_owned();
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
    let message = format!("its process ended with {status}: {}", tail.join(" | "));
    if again { Fault::machine(message) } else { Fault::Own(message) }
}

/// The signals by which the system or a person ends a process.
#[cfg(unix)]
const KILL: i32 = 9;
#[cfg(unix)]
const TERM: i32 = 15;

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_fault_is_the_programs_own_words_and_may_pass_where_the_exit_code_says_so() {
        let ended = |said: &str, code: i32| fault(said, ExitStatus::from_raw(code << 8));
        assert_eq!(ended("error: lr = -1\n", 2), Fault::Own("lr = -1".into()));
        assert_eq!(
            ended("srun: job 7 queued\nerror: lr = -1\nexpected more", 2),
            Fault::Own("lr = -1\nexpected more".into())
        );
        assert!(matches!(ended("error: stopped", 75), Fault::Machine(_)));
        assert!(matches!(ended("the node is gone", 75), Fault::Machine(_)));
        let Fault::Own(message) = ended("one\ntwo", 1) else { panic!("it is the process's own") };
        assert!(message.contains("exit status: 1: one | two"), "{message}");
        assert!(matches!(fault("", ExitStatus::from_raw(9)), Fault::Machine(_)), "killed");
    }
}
