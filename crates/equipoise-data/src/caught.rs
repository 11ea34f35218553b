//! Panics of other crates, which a damaged file can bring about, as values.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread is awaited and not to be printed.
    static AWAITED: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`; a panic within is returned as its message, and nothing is printed.
///
/// # Errors
/// What the panic says, in at most 200 characters.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !AWAITED.try_with(Cell::get).unwrap_or(false) {
                before(panic);
            }
        }));
    });
    let outer = AWAITED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    AWAITED.set(outer);
    done.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("it gave up");
        text.lines().next().unwrap_or_default().chars().take(200).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_first_line_and_what_comes_after_goes_on() {
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(caught(|| panic!("broken {}\nmore", 1)), Err::<(), _>("broken 1".to_owned()));
        assert_eq!(caught(|| caught(|| panic!("{}", "x".repeat(999)))), Ok(Err::<(), _>("x".repeat(200))));
        assert!(!AWAITED.get());
    }
}
