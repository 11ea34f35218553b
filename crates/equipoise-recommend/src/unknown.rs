//! What is said of an id that a model does not know.

use crate::error::RecommendError;
use equipoise_data::closest;

/// Among more names than these only those are compared that share a beginning or an end with what was asked for.
const COMPARED: usize = 2_000;
/// Among more ids than these no near one is looked for: that would take longer than the answer.
const SEARCHED: usize = 2_000_000;
/// Most characters of an id that a message repeats.
const SHOWN: usize = 100;

/// Names the nearest id there is, or some of those that there are.
pub(crate) fn unknown<'a>(
    kind: &'static str,
    id: &str,
    known: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> RecommendError {
    let count = known.len();
    let near = match count {
        _ if id.len() > SHOWN => None,
        0..=COMPARED => closest(id, known.clone()),
        _ if count <= SEARCHED => closest(id, known.clone().filter(|k| alike(id, k))),
        _ => None,
    };
    let hint = match near {
        Some(near) => format!(" (did you mean `{near:.100}`?)"),
        None => {
            let some: Vec<String> = known.take(3).map(|id| format!("`{id:.100}`")).collect();
            format!(" among {count} known, such as {}", some.join(", "))
        }
    };
    let short: String = id.chars().take(SHOWN).collect();
    RecommendError::Unknown { kind, id: short, hint, field: None }
}

/// Whether two ids have nearly the same length, and all but three of their bytes in common at the beginning and the end.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let common = a.len().min(b.len());
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(a, b)| a == b).count();
    a.len().abs_diff(b.len()) <= 2 && {
        let front = same(&mut a.iter().zip(b));
        let back = same(&mut a.iter().rev().zip(b.iter().rev()));
        front + back + 3 >= common && front + back > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_id_is_named_among_few_and_among_many() {
        for n in [10, 5_000] {
            let known: Vec<String> = (0..n).map(|k| format!("user-{:05}", k * 1111)).collect();
            let said = |id: &str| unknown("user", id, known.iter().map(String::as_str)).to_string();
            assert!(said("usr-03333").contains("did you mean `user-03333`"), "{}", said("usr-03333"));
            assert!(said("something else").contains(&format!("among {n} known, such as `user-00000`")));
            assert!(said(&"x".repeat(10_000)).len() < 300);
        }
    }
}
