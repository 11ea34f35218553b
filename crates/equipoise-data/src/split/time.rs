//! Two instants for everyone.

use super::dated::Dated;
use super::shares::Shares;

/// Train before the first instant, validation from there on before the second, test from there on; `None` if a row
/// has no time. With the times in order, the instants are those at the places `floor(train * n)` and
/// `floor((train + validation) * n)`, so that what is held out is never less than its share but for whole numbers.
pub(super) fn divide(rows: &[Dated], shares: Shares) -> Option<Vec<u8>> {
    let times: Vec<i64> = rows.iter().map(|row| row.1).collect::<Option<_>>()?;
    let mut sorted = times.clone();
    sorted.sort_unstable();
    let (first, second) = shares.before(sorted.len());
    // A share of 1 leaves nothing behind it: no instant is late enough.
    let (first, second) = (sorted.get(first).copied(), sorted.get(second).copied());
    let from = |time: i64, instant: Option<i64>| instant.is_some_and(|instant| time >= instant);
    Some(times.iter().map(|&t| u8::from(from(t, first)) + u8::from(from(t, second))).collect())
}
