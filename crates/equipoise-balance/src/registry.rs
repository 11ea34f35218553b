//! Every balancer by name: adding one touches its file and one line here.

use crate::heads::HeadLosses;
use crate::{Balancer, Teacher, agm, ckd, cohesion, gb, none, ogm};
use equipoise_data::Seed;
use equipoise_models::AblationEffect;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One line per balancer with settings: its module holds `Config` and `ENTRY`.
macro_rules! balancers {
    ($($module:ident),* $(,)?) => {
        /// Which balancer, and each one's own section.
        ///
        /// | name | default | purpose |
        /// |---|---|---|
        /// | `name` | `none` | which balancer, a name of [`balancers`] |
        /// | `teachers` | `<run>/teachers` | directory of saved teachers, one run each; missing ones are trained into it |
        /// | `plain` | `<teachers>/plain` | the plain model's run, for a balancer that needs it; trained if missing |
        /// | `teacher` | see [`TeacherConfig`] | how teachers are trained, where that differs from the model |
        ///
        /// and one section per balancer with its own settings, documented in its module.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct BalanceConfig {
            /// Which balancer.
            pub name: String,
            /// Directory of saved teachers.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub teachers: Option<PathBuf>,
            /// Run of the plain model.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub plain: Option<PathBuf>,
            /// How teachers are trained, where that differs from the model.
            pub teacher: TeacherConfig,
            $(
                #[doc = concat!("Settings of `", stringify!($module), "`.")]
                pub $module: $module::Config,
            )*
        }

        impl Default for BalanceConfig {
            fn default() -> Self {
                BalanceConfig {
                    name: "none".into(),
                    teachers: None,
                    plain: None,
                    teacher: TeacherConfig::default(),
                    $($module: Default::default(),)*
                }
            }
        }

        static BALANCERS: &[BalancerEntry] = &[none::ENTRY, $($module::ENTRY),*];
    };
}

balancers! {
    ckd,
    gb,
    ogm,
    cohesion,
    agm,
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

/// What must be there before a balancer can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    Nothing,
    /// One trained teacher per modality.
    Teachers,
    /// The losses of each teacher and of the plain model, before and after their training.
    Heads,
}

/// What a balancer is made from, besides its configuration.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Number of modalities.
    pub modalities: usize,
    /// What the backbone's scores are made of.
    pub ablation_effect: AblationEffect,
    /// The run's seed: streams of its own are named from it.
    pub seed: Seed,
    /// One teacher per modality, in the data set's order, for [`Requirement::Teachers`].
    pub teachers: Vec<Teacher>,
    /// One entry per modality, then the plain model, for [`Requirement::Heads`].
    pub heads: Vec<HeadLosses>,
}

impl Setup {
    /// What a balancer with [`Requirement::Nothing`] starts from.
    pub fn new(modalities: usize, ablation_effect: AblationEffect, seed: Seed) -> Setup {
        Setup { modalities, ablation_effect, seed, teachers: Vec::new(), heads: Vec::new() }
    }
}

/// One line of the registry.
pub struct BalancerEntry {
    /// Name in configuration files and on the command line.
    pub name: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// What must be there first.
    pub requirement: fn(&BalanceConfig) -> Requirement,
    /// Checks the ranges of its own section: `balance.<name>.<field> = value: expected ...`. Called whichever
    /// balancer is chosen; what depends on the backbone counts for the chosen one only.
    pub check: fn(&BalanceConfig, AblationEffect) -> Result<(), String>,
    /// Its constructor.
    pub build: fn(&BalanceConfig, Setup) -> Box<dyn Balancer>,
}

/// The built-in balancers.
pub fn balancers() -> &'static [BalancerEntry] {
    BALANCERS
}

/// The balancer of that name.
pub fn find(name: &str) -> Option<&'static BalancerEntry> {
    balancers().iter().find(|b| b.name == name)
}
