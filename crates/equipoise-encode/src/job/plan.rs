//! In which batches items are encoded, and what tells one job from another.

use equipoise_jobs::Key;
use std::ops::Range;

/// Consecutive inputs of at most `most` tokens each batch, at least one input; `lengths` are their tokens.
pub(crate) fn batches(lengths: impl Iterator<Item = usize>, most: usize) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut tokens = 0;
    for (place, length) in lengths.enumerate() {
        match found.last_mut().filter(|_| tokens + length <= most) {
            Some(batch) => {
                batch.end = place + 1;
                tokens += length;
            }
            None => {
                found.push(place..place + 1);
                tokens = length;
            }
        }
    }
    found
}

/// The key of a job: it starts with the version of this program's arithmetic, since another version makes other bits.
pub(crate) fn key(kind: &str) -> Key {
    let mut key = Key::new("equipoise features 1");
    key.add(env!("CARGO_PKG_VERSION").as_bytes()).add(kind.as_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_as_many_inputs_as_fit_and_never_none() {
        assert_eq!(batches([9, 3, 3, 3, 1, 1].into_iter(), 7), [0..1, 1..3, 3..6]);
        assert_eq!(batches([2, 2].into_iter(), 1), [0..1, 1..2]);
        assert!(batches(std::iter::empty(), 5).is_empty());
    }
}
