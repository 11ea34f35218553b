//! What is said of an id that a model does not know.

use crate::error::RecommendError;
use equipoise_train::config::keys;

/// Among more ids than these no near one is looked for: that would take longer than the answer.
const SEARCHED: usize = 200_000;
/// Most characters of an id that a message repeats.
const SHOWN: usize = 100;

/// Names the nearest id there is, or some of those that there are.
pub(crate) fn unknown(kind: &'static str, id: &str, known: &[String]) -> RecommendError {
    let searched = if known.len() <= SEARCHED && id.len() <= SHOWN { known } else { &[] };
    let hint = match keys::closest(id, searched.iter().map(String::as_str)) {
        Some(near) => format!(" (did you mean `{near:.100}`?)"),
        None => {
            let some: Vec<String> = known.iter().take(3).map(|id| format!("`{id:.100}`")).collect();
            format!(" among {} known, such as {}", known.len(), some.join(", "))
        }
    };
    let short: String = id.chars().take(SHOWN).collect();
    RecommendError::Unknown { kind, id: short, hint }
}
