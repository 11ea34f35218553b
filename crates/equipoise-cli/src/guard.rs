//! A panic is a fault of this program: it is told in one line, and the program ends with exit code 1.

use crate::failure::FAILED;
use crate::print;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most characters of a panic's own message.
const LONGEST: usize = 300;

/// Whether a panic was told already: others mostly follow from the first.
static TOLD: AtomicBool = AtomicBool::new(false);

/// Does the work. A panic in it, on this thread or another, is told, and ends it.
pub fn guarded(work: impl FnOnce() -> ExitCode) -> ExitCode {
    set_hook(Box::new(tell));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(ExitCode::from(FAILED))
}

fn tell(panic: &PanicHookInfo) {
    if TOLD.swap(true, Ordering::SeqCst) {
        return;
    }
    let place = panic.location().map_or_else(|| "an unknown place".into(), ToString::to_string);
    print::say(&line(panic.payload_as_str().unwrap_or("no message"), &place));
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        print::say(&trace.to_string());
    }
}

fn line(message: &str, place: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    let mut message: String = words.join(" ").chars().take(LONGEST).collect();
    if message.is_empty() {
        message = "no message".into();
    }
    format!(
        "error: a fault of this program, not of your input: {message} (at {place}, version {}); please report this line \
         to its authors, with the command",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_on_any_thread_ends_with_exit_code_1() {
        let code = |work: fn()| {
            let code = guarded(|| {
                work();
                ExitCode::SUCCESS
            });
            format!("{code:?}")
        };
        assert_eq!(code(|| {}), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(|| panic!("here")), format!("{:?}", ExitCode::from(1)));
        let inside = || rayon::scope(|scope| scope.spawn(|_| panic!("on a worker")));
        assert_eq!(code(inside), format!("{:?}", ExitCode::from(1)));
        let joined =
            || std::thread::scope(|scope| scope.spawn(|| panic!("on a thread")).join().expect("its work"));
        assert_eq!(code(joined), format!("{:?}", ExitCode::from(1)));
    }

    #[test]
    fn it_is_told_in_one_line_of_bounded_length() {
        let told = line("left\n  right: \u{1F980}", "a.rs:1:2");
        assert!(told.contains("left right: \u{1F980} (at a.rs:1:2") && !told.contains('\n'), "{told}");
        assert!(line(&"x".repeat(10_000), "a.rs").len() < 500);
        assert!(line(" \n", "a.rs").contains("no message"));
    }
}
