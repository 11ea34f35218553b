//! Which balancers read teachers, and the task that trains them.

use equipoise_balance::{BalanceConfig, Requirement};
use equipoise_train::RunConfig;
use std::path::Path;

/// Whether a balancer, as it is by default, reads teachers.
pub fn needs_teachers(balancer: &str) -> bool {
    BalanceConfig::named(balancer).requirement() != Requirement::Nothing
}

/// The plain model's configuration, asking for its teachers in `dir`; `None` if no balancer has teachers.
pub fn teachers_request(plain: &RunConfig, dir: &Path) -> Option<RunConfig> {
    let defaults = equipoise_balance::balancers().into_iter().map(|entry| BalanceConfig::named(entry.name));
    let mut distilling = defaults.filter(|balance| balance.requirement() == Requirement::Teachers);
    let balance = BalanceConfig { teachers: Some(dir.to_owned()), ..distilling.next()? };
    Some(RunConfig { balance, ..plain.clone() })
}
