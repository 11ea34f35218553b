//! An interaction before it is placed in a split.

/// One interaction to be placed in a split: its user, and its time where that is known.
pub type Dated = (u32, Option<i64>);
