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
/// | `teacher` | see [`TeacherConfig`] | how teachers are trained, where that differs from the model |
/// | `ckd` | see [`CkdConfig`] | settings of `ckd` |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BalanceConfig {
    /// Which balancer.
    pub name: String,
    /// Directory of saved teachers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teachers: Option<PathBuf>,
    /// How teachers are trained, where that differs from the model.
    pub teacher: TeacherConfig,
    /// Settings of `ckd`.
    pub ckd: CkdConfig,
}

/// How teachers are trained, where that differs from the model: distillation restrains the student as well, so
/// the best penalty of a student is often a smaller one than a teacher's.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `lr` | the model's `train.lr` | Adam's learning rate | > 0 |
/// | `reg` | the model's `train.reg` | L2 penalty on the final rows of the batch | >= 0 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TeacherConfig {
    /// Adam's learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// L2 penalty on the final rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reg: Option<f64>,
}

impl Default for BalanceConfig {
    fn default() -> Self {
        BalanceConfig {
            name: "none".into(),
            teachers: None,
            teacher: TeacherConfig::default(),
            ckd: CkdConfig::default(),
        }
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
