//! What a metric is.

/// A measure of one user's ranked list against the user's held-out items.
pub trait Metric: Send + Sync {
    /// Name in settings and results, as in `recall@20`.
    fn name(&self) -> &'static str;

    /// The formula in words, kept beside the results.
    fn definition(&self) -> String;

    /// The value for one user, in `[0, 1]`.
    ///
    /// `hits[p]` tells whether the item at rank p + 1 is held out. The list reaches down to the
    /// largest cut-off requested (Kmax) and may be shorter when there are fewer candidates; ranks
    /// beyond its end are no hits. `relevant` is the number of held-out items and `k` the cut-off,
    /// at least 1 and at most Kmax. 0 when `relevant` is 0.
    fn value(&self, hits: &[bool], relevant: usize, k: usize) -> f64;

    /// Whether the order of a list counts that holds every candidate. Where it does not, a cut-off beyond the number of
    /// candidates gives every model the same value.
    fn reads_order(&self) -> bool;

    /// Whether a larger value is a better one.
    fn higher_is_better(&self) -> bool {
        true
    }
}

/// Number of hits among the first `k` ranks.
pub(super) fn hits_within(hits: &[bool], k: usize) -> usize {
    hits.iter().take(k).filter(|&&hit| hit).count()
}
