//! Ctrl-C and SIGTERM.

use crate::failure::Failure;
use crate::print;
use equipoise_train::StopFlag;

/// A flag that Ctrl-C raises; a second Ctrl-C ends the program at once.
pub fn on_interrupt() -> Result<StopFlag, Failure> {
    let flag = StopFlag::default();
    let handler = {
        let flag = flag.clone();
        move || {
            if flag.is_raised() {
                std::process::exit(130);
            }
            flag.raise();
            print::say("stopping after this step; press Ctrl-C again to stop at once");
        }
    };
    ctrlc::set_handler(handler).map_err(|e| Failure::failed(format!("cannot listen for Ctrl-C: {e}")))?;
    Ok(flag)
}
