//! The rules by name.

use serde::{Deserialize, Serialize};

/// How interactions are divided. `n` is the number of a user's interactions; users with `n < 3` keep all of them for
/// training under every rule but `time`.
///
/// | name | what goes where |
/// |---|---|
/// | `lattice` | per user at random; `n < 10`: 1 validation, 1 test; else `k = floor(0.2 n)` held out, `floor(k/2)` of them test, the others validation |
/// | `mmrec` | the same, but the larger half is test: `floor(k/2)` validation, `k - floor(k/2)` test |
/// | `ratio` | per user at random: `floor(share * n)` validation and test, at least 1 where the share is above 0 and 1 train interaction is left |
/// | `leave_one_out` | per user by time: the last is test, the one before it validation; of equal times the later row is last, rows without a time are first |
/// | `time` | two instants for everyone: the earliest shares train, then validation, then test; interactions of one instant stay together |
///
/// `lattice`: Zhang et al., *Mining Latent Structures for Multimedia Recommendation*, MM 2021; `mmrec`: Zhou, *MMRec:
/// Simplifying Multimodal Recommendation*, MM Asia 2023.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitRule {
    /// Per user, the larger half of what is held out to validation.
    #[default]
    Lattice,
    /// Per user, the larger half to test.
    Mmrec,
    /// Per user by shares.
    Ratio,
    /// Per user the last two in time.
    #[serde(alias = "leave-one-out")]
    LeaveOneOut,
    /// Everyone at the same two instants.
    Time,
}

impl SplitRule {
    /// Every rule.
    pub const ALL: [SplitRule; 5] =
        [SplitRule::Lattice, SplitRule::Mmrec, SplitRule::Ratio, SplitRule::LeaveOneOut, SplitRule::Time];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            SplitRule::Lattice => "lattice",
            SplitRule::Mmrec => "mmrec",
            SplitRule::Ratio => "ratio",
            SplitRule::LeaveOneOut => "leave-one-out",
            SplitRule::Time => "time",
        }
    }

    /// The rule of this name on the command line.
    pub fn named(name: &str) -> Option<SplitRule> {
        SplitRule::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// What it does, in a line.
    pub fn describe(self) -> &'static str {
        match self {
            SplitRule::Lattice => {
                "Per user at random: 1 validation, 1 test item below 10; else a fifth, its larger half validation"
            }
            SplitRule::Mmrec => "The same with the larger half for test",
            SplitRule::Ratio => "Per user at random by --shares, at least one item each",
            SplitRule::LeaveOneOut => "Each user's last item is test, the one before it validation",
            SplitRule::Time => "Two moments for all users by --shares",
        }
    }

    /// Whether it looks at times.
    pub fn needs_times(self) -> bool {
        matches!(self, SplitRule::LeaveOneOut | SplitRule::Time)
    }

    /// Whether it reads [`Shares`](super::Shares).
    pub fn reads_shares(self) -> bool {
        matches!(self, SplitRule::Ratio | SplitRule::Time)
    }
}
