//! Every balancer by name: adding one touches its file and one line here.

use crate::{Balancer, CkdConfig, Teacher, ckd, none};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which balancer, and each one's own section.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `name` | `none` | which balancer, a name of [`balancers`] |
/// | `teachers` | `<run>/teachers` | directory of saved teachers, one run each; missing ones are trained into it |
/// | `ckd` | see [`CkdConfig`] | settings of `ckd` |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BalanceConfig {
    /// Which balancer.
    pub name: String,
    /// Directory of saved teachers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teachers: Option<PathBuf>,
    /// Settings of `ckd`.
    pub ckd: CkdConfig,
}

impl Default for BalanceConfig {
    fn default() -> Self {
        BalanceConfig { name: "none".into(), teachers: None, ckd: CkdConfig::default() }
    }
}

/// How a balancer is made: its configuration, one teacher per modality (none if it needs none), and the number
/// of modalities.
pub type Build = fn(&BalanceConfig, Vec<Teacher>, usize) -> Box<dyn Balancer>;

/// One line of the registry.
pub struct BalancerEntry {
    /// Name in configuration files and on the command line.
    pub name: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Whether uni-modal teachers must be trained first.
    pub needs_teachers: bool,
    /// Its constructor.
    pub build: Build,
}

/// The built-in balancers.
pub fn balancers() -> &'static [BalancerEntry] {
    &[none::ENTRY, ckd::ENTRY]
}

/// The balancer of that name.
pub fn find(name: &str) -> Option<&'static BalancerEntry> {
    balancers().iter().find(|b| b.name == name)
}
