//! The rule by which a data set was split. Numbers on splits of different rules cannot be compared.

use crate::dataset::Loaded;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A rule by which users' items are divided into train, validation and test.
///
/// Both published rules hold out `k` items of a user with `n`: 2 for `3 <= n < 10`, `floor(0.2 n)` from 10 on. They
/// differ where `k` is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitFamily {
    /// The larger half of the held-out items is for validation (Zhang et al., ACM MM 2021). Also where no user
    /// has an odd number held out, so that both rules agree.
    Lattice,
    /// The larger half is for test (the MMRec toolbox).
    Mmrec,
    /// Any other rule.
    Own,
}

impl fmt::Display for SplitFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SplitFamily::Lattice => "LATTICE",
            SplitFamily::Mmrec => "MMRec",
            SplitFamily::Own => "own",
        })
    }
}

/// Sizes of the splits and the rule that made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SplitFacts {
    /// The rule that at least 99 % of the users fit.
    pub family: SplitFamily,
    /// Train interactions.
    pub train: usize,
    /// Validation interactions.
    pub validation: usize,
    /// Test interactions.
    pub test: usize,
}

impl Loaded {
    /// Sizes and rule of the splits: numbers of items alone, so that the test split stays sealed.
    pub fn split_facts(&self) -> SplitFacts {
        let (data, test) = (&self.data, self.test.open());
        let sizes = (0..data.n_users() as u32)
            .map(|u| [&data.train, &data.validation, test].map(|split| split.items_of(u).len()));
        SplitFacts {
            family: split_family(sizes),
            train: data.train.len(),
            validation: data.validation.len(),
            test: test.len(),
        }
    }
}

/// The rule behind users' numbers of train, validation and test items.
fn split_family(sizes: impl Iterator<Item = [usize; 3]>) -> SplitFamily {
    let (mut users, mut lattice, mut mmrec) = (0, 0, 0);
    for [train, validation, test] in sizes.filter(|s| s.iter().sum::<usize>() > 0) {
        let held = match train + validation + test {
            0..3 => 0,
            3..10 => 2,
            n => n / 5,
        };
        let (small, large) = (held / 2, held - held / 2);
        users += 1;
        lattice += usize::from((validation, test) == (large, small));
        mmrec += usize::from((validation, test) == (small, large));
    }
    if 100 * lattice.max(mmrec) < 99 * users {
        SplitFamily::Own
    } else if lattice >= mmrec {
        SplitFamily::Lattice
    } else {
        SplitFamily::Mmrec
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Users with 5 to 44 items, those with an odd number held out divided by `odd`.
    fn users(odd: fn(usize) -> [usize; 2]) -> impl Iterator<Item = [usize; 3]> {
        (5..45).map(move |n: usize| {
            let held = if n < 10 { 2 } else { n / 5 };
            let [validation, test] = if held % 2 == 0 { [held / 2; 2] } else { odd(held / 2) };
            [n - validation - test, validation, test]
        })
    }

    #[test]
    fn the_larger_half_tells_the_rule() {
        assert_eq!(split_family(users(|half| [half + 1, half])), SplitFamily::Lattice);
        assert_eq!(split_family(users(|half| [half, half + 1])), SplitFamily::Mmrec);
        assert_eq!(split_family(users(|half| [half, half])), SplitFamily::Own);
    }

    #[test]
    fn where_both_rules_agree_it_is_the_first() {
        assert_eq!(split_family((0..9).map(|_| [5, 1, 1])), SplitFamily::Lattice);
    }

    #[test]
    fn leave_one_out_is_neither() {
        assert_eq!(split_family((5..30).map(|n| [n - 1, 0, 1])), SplitFamily::Own);
    }
}
