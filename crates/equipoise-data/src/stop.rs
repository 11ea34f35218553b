//! A request to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A request to stop soon, shared with a signal handler.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<State>);

#[derive(Debug, Default)]
struct State {
    raised: AtomicBool,
    attended: AtomicUsize,
}

/// Held by work that looks at the flag again and again and ends in good order when it is raised.
#[derive(Debug)]
pub struct Attended(StopFlag);

impl StopFlag {
    /// Asks for a stop after the current step.
    pub fn raise(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
    }

    /// Whether a stop was asked for.
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Says that from here on, until the result is dropped, somebody looks at the flag at least every second or so. While
    /// nobody does, a program that is told to stop may as well end at once.
    #[must_use]
    pub fn attend(&self) -> Attended {
        self.0.attended.fetch_add(1, Ordering::SeqCst);
        Attended(self.clone())
    }

    /// Whether somebody looks at the flag.
    pub fn is_attended(&self) -> bool {
        self.0.attended.load(Ordering::SeqCst) > 0
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.0.attended.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_attended_while_somebody_looks() {
        let flag = StopFlag::default();
        assert!(!flag.is_attended() && !flag.is_raised());
        let (first, second) = (flag.attend(), flag.clone().attend());
        drop(first);
        assert!(flag.is_attended());
        drop(second);
        assert!(!flag.is_attended());
        flag.clone().raise();
        assert!(flag.is_raised());
    }
}
