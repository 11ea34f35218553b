//! A rule together with everything that it reads, applied to interactions.

use super::dated::Dated;
use super::rule::SplitRule;
use super::shares::Shares;
use super::{per_user, time};
use crate::error::DataError;
use crate::random::Seed;

/// A rule together with everything that it reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Splitting {
    /// The rule.
    pub rule: SplitRule,
    /// Train, validation and test, for the rules that read them.
    pub shares: Shares,
    /// Seed of the random rules.
    pub seed: u64,
}

impl Splitting {
    /// The part of each row: 0 train, 1 validation, 2 test; `None` if the rule needs times that are not there.
    pub fn divide(&self, rows: &[Dated]) -> Option<Vec<u8>> {
        let mut rng = Seed(self.seed).stream("split");
        match self.rule {
            SplitRule::Lattice => Some(per_user::lattice(rows, &mut rng)),
            SplitRule::Mmrec => Some(per_user::shuffled(rows, &mut rng, per_user::mmrec_sizes)),
            SplitRule::Ratio => Some(per_user::shuffled(rows, &mut rng, |n| self.shares.sizes(n))),
            SplitRule::LeaveOneOut => Some(per_user::leave_one_out(rows)),
            SplitRule::Time => time::divide(rows, self.shares),
        }
    }

    /// Checks the shares, and that the rule reads them if they are not the usual ones.
    ///
    /// # Errors
    /// [`DataError::Setting`] naming the field.
    pub fn check(&self) -> Result<(), DataError> {
        self.shares.check()?;
        if self.shares != Shares::default() && !self.rule.reads_shares() {
            return Err(DataError::Setting {
                field: "shares",
                found: self.shares.to_string(),
                expected: format!("nothing, since the split {} does not read them", self.rule.name()),
            });
        }
        Ok(())
    }
}
