//! The `k` best of a stream of candidates.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// An item and its similarity; greater is worse, so that the worst kept is at hand.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Candidate {
    similarity: f32,
    item: u32,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Candidate) -> Ordering {
        other.similarity.total_cmp(&self.similarity).then(self.item.cmp(&other.item))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The `k` items of largest similarity so far; of equal ones, those of lower index.
#[derive(Debug)]
pub(crate) struct Nearest {
    k: usize,
    kept: BinaryHeap<Candidate>,
}

impl Nearest {
    pub(crate) fn new(k: usize) -> Nearest {
        Nearest { k, kept: BinaryHeap::with_capacity(k) }
    }

    /// The similarity that a later item must exceed; `-infinity` while there is room.
    pub(crate) fn bar(&self) -> f32 {
        if self.kept.len() < self.k {
            return f32::NEG_INFINITY;
        }
        self.kept.peek().map_or(f32::INFINITY, |worst| worst.similarity)
    }

    pub(crate) fn offer(&mut self, item: u32, similarity: f32) {
        let candidate = Candidate { similarity, item };
        if self.kept.len() < self.k {
            self.kept.push(candidate);
        } else if let Some(mut worst) = self.kept.peek_mut().filter(|worst| candidate < **worst) {
            *worst = candidate;
        }
    }

    /// The kept items with their similarities, items ascending.
    pub(crate) fn into_ascending(self) -> Vec<(u32, f32)> {
        let mut kept: Vec<_> = self.kept.into_iter().map(|c| (c.item, c.similarity)).collect();
        kept.sort_unstable_by_key(|c| c.0);
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_largest_and_of_equals_the_first() {
        let mut nearest = Nearest::new(3);
        for (item, similarity) in [(7, 0.5), (1, 0.5), (9, 0.9), (4, 0.5), (2, -1.0), (0, 0.5)] {
            nearest.offer(item, similarity);
        }
        assert_eq!(nearest.bar(), 0.5);
        assert_eq!(nearest.into_ascending(), [(0, 0.5), (1, 0.5), (9, 0.9)]);
    }

    #[test]
    fn room_for_none_keeps_none() {
        let mut nearest = Nearest::new(0);
        nearest.offer(1, 1.0);
        assert_eq!((nearest.bar(), nearest.into_ascending()), (f32::INFINITY, vec![]));
    }
}
