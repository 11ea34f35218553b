//! In which batches items are encoded, and what tells one job from another.

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

/// A hash of everything that decides the features.
pub(crate) struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    /// Starts with the version of this program's arithmetic: another version makes other bits.
    pub(crate) fn new(kind: &str) -> Fingerprint {
        let mut fingerprint = Fingerprint(blake3::Hasher::new());
        fingerprint.add(b"equipoise features 1");
        fingerprint.add(env!("CARGO_PKG_VERSION").as_bytes());
        fingerprint.add(kind.as_bytes());
        fingerprint
    }

    /// Adds bytes, set off from what comes before and after.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// 64 hex digits.
    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
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

    #[test]
    fn the_fingerprint_knows_where_one_part_ends() {
        let of = |parts: &[&str]| {
            let mut fingerprint = Fingerprint::new("text");
            parts.iter().for_each(|part| fingerprint.add(part.as_bytes()));
            fingerprint.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
    }
}
