//! Triples `(u, i, j)` of a user and two items, as parallel slices.

/// Borrowed triples: rows of a user table and of an item table. The three slices have one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriplesRef<'a> {
    /// Users.
    pub users: &'a [u32],
    /// Positive (or first) items.
    pub positives: &'a [u32],
    /// Negative (or second) items.
    pub negatives: &'a [u32],
}

impl TriplesRef<'_> {
    /// Number of triples.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}
