//! The best k of a stream of scores.

use equipoise_kernels::wide;

/// Keeps the k best (score, item) pairs offered: descending score, then ascending item.
///
/// Pairs go into a buffer of about 2k; when it is full a selection throws away all but the best k
/// and raises the threshold, so an offer costs O(1) amortised for every k. Items must be offered in
/// ascending order: then one that only equals the k-th best can never enter, and scores at or below
/// the threshold are dropped without looking at the item.
#[derive(Debug)]
pub(crate) struct TopK {
    k: usize,
    capacity: usize,
    keys: Vec<u64>,
    threshold: f32,
}

impl TopK {
    /// An empty collection of the best `k` out of at most `n` offers.
    pub(crate) fn new(k: usize, n: usize) -> Self {
        let k = k.min(n).max(1);
        TopK { k, capacity: k.saturating_mul(2).max(64), keys: Vec::new(), threshold: f32::NEG_INFINITY }
    }

    /// Forgets everything offered.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.threshold = f32::NEG_INFINITY;
    }

    /// Takes in a finite score above the threshold.
    fn push(&mut self, score: f32, item: u32) {
        self.keys.push(key(score, item));
        if self.keys.len() >= self.capacity {
            self.shrink();
        }
    }

    /// Takes in what another collection of the same `k` has kept.
    pub(crate) fn absorb(&mut self, other: &TopK) {
        for &key in &other.keys {
            self.keys.push(key);
            if self.keys.len() >= self.capacity {
                self.shrink();
            }
        }
    }

    /// Offers every score of `row` above the threshold; `row[p]` belongs to item `first + p`.
    pub(crate) fn scan(&mut self, row: &[f32], first: u32) {
        if self.keys.is_empty() {
            self.raise_threshold(row);
        }
        let mut masks = [0; STRETCH];
        for (stretch, scores) in row.chunks(STRETCH * WORD).enumerate() {
            // After the first hundreds of items nearly every word is 0.
            above(scores, self.threshold, &mut masks);
            for (word, (&mask, scores)) in masks.iter().zip(scores.chunks(WORD)).enumerate() {
                let first = first + ((stretch * STRETCH + word) * WORD) as u32;
                let mut left = mask;
                while left != 0 {
                    let place = left.trailing_zeros();
                    left &= left - 1;
                    // The threshold may have risen since.
                    let score = scores[place as usize];
                    if score > self.threshold {
                        self.push(score, first + place);
                    }
                }
            }
        }
    }

    /// A first threshold: the k-th largest of the maxima of disjoint groups of `row`. At least k
    /// scores reach it, so no smaller one is among the best k; equal ones may be and stay above.
    fn raise_threshold(&mut self, row: &[f32]) {
        const GROUPS: usize = 128;
        if self.k > GROUPS {
            return;
        }
        let mut maxima = [f32::NEG_INFINITY; GROUPS];
        for scores in row.chunks(GROUPS) {
            for (maximum, &score) in maxima.iter_mut().zip(scores) {
                *maximum = if score > *maximum { score } else { *maximum };
            }
        }
        let (_, reached, _) = maxima.select_nth_unstable_by(self.k - 1, |a, b| b.total_cmp(a));
        self.threshold = reached.next_down();
    }

    /// Writes the best in order, and returns how many there are (at most `items.len()`).
    pub(crate) fn finish(&mut self, items: &mut [u32], scores: &mut [f32]) -> usize {
        if self.keys.len() > self.k {
            self.shrink();
        }
        self.keys.sort_unstable_by(|a, b| b.cmp(a));
        for ((&key, item), score) in self.keys.iter().zip(&mut *items).zip(scores) {
            (*score, *item) = unkey(key);
        }
        self.keys.len().min(items.len())
    }

    fn shrink(&mut self) {
        self.keys.select_nth_unstable_by(self.k - 1, |a, b| b.cmp(a));
        self.keys.truncate(self.k);
        self.threshold = unkey(self.keys[self.k - 1]).0;
    }
}

/// Scores of one word.
const WORD: usize = 32;
/// Words that are made at a time.
const STRETCH: usize = 12;

/// A bit per score that exceeds the threshold.
#[inline(always)]
fn bits(scores: &[f32], threshold: f32) -> u32 {
    scores.iter().enumerate().fold(0, |bits, (l, &score)| bits | u32::from(score > threshold) << l)
}

wide! {
    /// The bits of the scores in words of [`WORD`].
    fn above(scores: &[f32], threshold: f32, masks: &mut [u32; STRETCH]) {
        let (words, rest) = scores.as_chunks::<WORD>();
        for (mask, word) in masks.iter_mut().zip(words) {
            *mask = bits(word, threshold);
        }
        if !rest.is_empty() {
            masks[words.len()] = bits(rest, threshold);
        }
    }
}

/// A number that orders as (score ascending, item descending). `-0.0` becomes `0.0`.
#[inline]
fn key(score: f32, item: u32) -> u64 {
    let bits = (score + 0.0).to_bits();
    // Flip all bits of negatives and the sign of the others: unsigned order = order of floats.
    let ordered = bits ^ (((bits as i32) >> 31) as u32 | 0x8000_0000);
    (u64::from(ordered) << 32) | u64::from(!item)
}

/// The score and item of a key.
fn unkey(key: u64) -> (f32, u32) {
    let ordered = (key >> 32) as u32;
    let mask = ((!ordered as i32) >> 31) as u32 | 0x8000_0000;
    (f32::from_bits(ordered ^ mask), !(key as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_order_as_scores_then_reversed_items_and_come_back(
            a in -1e30f32..1e30, b in -1e30f32..1e30, i in 0u32..9, j in 0u32..9,
        ) {
            prop_assert_eq!(unkey(key(a, i)), (a, i));
            let expected = a.partial_cmp(&b).unwrap().then(j.cmp(&i));
            prop_assert_eq!(key(a, i).cmp(&key(b, j)), expected);
            prop_assert_eq!(key(a, i).cmp(&key(a, j)), j.cmp(&i));
        }

        #[test]
        fn scanning_in_parts_keeps_what_sorting_keeps(
            scores in prop::collection::vec(-3i8..4, 0..700), k in 1usize..90, cut in 0usize..700,
        ) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let cut = cut.min(scores.len());
            let mut top = TopK::new(k, scores.len());
            top.scan(&scores[..cut], 0);
            top.scan(&scores[cut..], cut as u32);
            let (mut items, mut kept) = (vec![0; k], vec![0.0; k]);
            let n = top.finish(&mut items, &mut kept);

            let mut sorted: Vec<(f32, u32)> = scores.into_iter().zip(0..).collect();
            sorted.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap().then(a.1.cmp(&b.1)));
            sorted.truncate(k);
            let found: Vec<(f32, u32)> = kept.into_iter().zip(items).take(n).collect();
            prop_assert_eq!(found, sorted);
        }
    }

    #[test]
    fn zeros_of_both_signs_are_equal() {
        assert_eq!(key(-0.0, 3), key(0.0, 3));
        assert!(key(0.0, 2) > key(-0.0, 3));
    }
}
