//! Ctrl-C, SIGTERM and SIGHUP.

use crate::failure::{Failure, INTERRUPTED};
use crate::{print, signals};
use equipoise_train::StopFlag;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering};

static FLAG: LazyLock<StopFlag> = LazyLock::new(StopFlag::default);
static CODE: AtomicU8 = AtomicU8::new(INTERRUPTED);

/// Listens from now on. Work that attends to the [flag](stop_flag) ends by itself; all other work is ended at once, and what it
/// was making is removed. A second request ends either at once.
pub fn listen() -> Result<(), Failure> {
    // What the caller ignores, as `nohup` does, stays ignored.
    let ignored = signals::ignored();
    let handler = || {
        if FLAG.is_raised() || !FLAG.is_attended() {
            end();
        }
        FLAG.raise();
        print::say("stopping after this step; press Ctrl-C again to stop at once");
    };
    ctrlc::set_handler(handler).map_err(|e| Failure::failed(format!("cannot listen for Ctrl-C: {e}")))?;
    signals::ignore(&ignored);
    Ok(())
}

/// The flag that a request to stop raises.
pub fn stop_flag() -> StopFlag {
    FLAG.clone()
}

/// Says with which code the program ends when it is stopped, if not the usual one.
pub fn ends_with(code: u8) {
    CODE.store(code, Ordering::SeqCst);
}

/// Ends the program as a request to stop does, whatever is under way.
pub fn end() -> ! {
    print::say("error: stopped; nothing is left half-written, and the same command may be given again");
    equipoise_data::remove_unfinished();
    std::process::exit(i32::from(CODE.load(Ordering::SeqCst)));
}
