//! Signals that the system sends for faults, and those that the caller ignores.

/// Signals that ask a program to stop and that the caller may have ignored for it: `nohup` ignores SIGHUP. Shells ignore SIGINT for
/// what runs in the background, and are not meant: `kill -INT` stops that too.
#[cfg(unix)]
const REQUESTS: [i32; 1] = [libc::SIGHUP];

/// What is said when a page of a mapped file cannot be read.
const CUT_SHORT: &str = "error: a file that is being read became shorter, or its disk failed: another program has written or \
     removed it; give the command again when nobody writes the data\n";

/// Turns signals that would end the program without a word into faults that are told: a write beyond the largest size of a file
/// (`ulimit -f`) fails as on a full disk, and a mapped file that another program cuts short ends the program with
/// one line and exit code `code`.
#[cfg(unix)]
pub fn tell_faults(code: u8) {
    BUS_CODE.store(i32::from(code), std::sync::atomic::Ordering::SeqCst);
    // SAFETY: the handler calls only what may be called in one, and never returns; both calls change nothing but what the
    // two signals do.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_bus_error as *const () as usize;
        action.sa_flags = libc::SA_ONSTACK;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut());
    }
}

#[cfg(unix)]
static BUS_CODE: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(1);

#[cfg(unix)]
extern "C" fn on_bus_error(_signal: libc::c_int) {
    // SAFETY: `write` and `_exit` may be called in a handler; the text is static, and the load is of an atomic.
    unsafe {
        libc::write(libc::STDERR_FILENO, CUT_SHORT.as_ptr().cast(), CUT_SHORT.len());
        libc::_exit(BUS_CODE.load(std::sync::atomic::Ordering::SeqCst));
    }
}

/// The signals among those that ask a program to stop which the caller has it ignore.
#[cfg(unix)]
pub fn ignored() -> Vec<i32> {
    let is_ignored = |signal: &i32| {
        // SAFETY: without a new action the call only fills in the old one.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(*signal, std::ptr::null(), &mut action) == 0
                && action.sa_sigaction == libc::SIG_IGN
        }
    };
    REQUESTS.into_iter().filter(is_ignored).collect()
}

/// Ignores these signals.
#[cfg(unix)]
pub fn ignore(signals: &[i32]) {
    for &signal in signals {
        // SAFETY: ignoring a signal runs no code.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

#[cfg(not(unix))]
pub fn tell_faults(_code: u8) {
    let _ = CUT_SHORT;
}

#[cfg(not(unix))]
pub fn ignored() -> Vec<i32> {
    Vec::new()
}

#[cfg(not(unix))]
pub fn ignore(_signals: &[i32]) {}
