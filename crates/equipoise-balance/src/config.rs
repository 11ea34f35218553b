//! Which balancer, with which teachers, and each balancer's own section.

use crate::entry::{BalancerEntry, BalancerSettings, Requirement};
use crate::registry::{RESERVED, balancers, find};
use equipoise_data::FieldError;
use equipoise_models::AblationEffect;
use equipoise_models::section::{Sections, unknown_key};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::path::PathBuf;

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
///
/// # Examples
/// ```
/// use equipoise_balance::{BalanceConfig, Ckd};
/// let config = BalanceConfig::of(Ckd { lambda_kd: 0.5, ..Ckd::default() });
/// assert_eq!((config.name.as_str(), config.get::<Ckd>().lambda_kd), ("ckd", 0.5));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BalanceConfig {
    /// Which balancer.
    pub name: String,
    /// Directory of saved teachers.
    pub teachers: Option<PathBuf>,
    /// Run of the plain model.
    pub plain: Option<PathBuf>,
    /// How teachers are trained, where that differs from the model.
    pub teacher: TeacherConfig,
    /// Each balancer's own section: see [`get`](BalanceConfig::get) and [`set`](BalanceConfig::set).
    pub sections: Sections,
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
        BalanceConfig::named(crate::Unbalanced::NAME)
    }
}

impl BalanceConfig {
    /// The defaults of a balancer.
    pub fn named(name: &str) -> BalanceConfig {
        BalanceConfig {
            name: name.into(),
            teachers: None,
            plain: None,
            teacher: TeacherConfig::default(),
            sections: Sections::default(),
        }
    }

    /// The balancer with these settings.
    pub fn of<T: BalancerSettings>(settings: T) -> BalanceConfig {
        let mut config = BalanceConfig::default();
        config.choose(settings);
        config
    }

    /// Chooses the balancer with these settings.
    pub fn choose<T: BalancerSettings>(&mut self, settings: T) {
        self.name = T::NAME.into();
        self.set(settings);
    }

    /// The settings of a balancer, chosen or not.
    pub fn get<T: BalancerSettings>(&self) -> T {
        self.sections.get(T::NAME)
    }

    /// The settings of a balancer, chosen or not, to be changed.
    pub fn get_mut<T: BalancerSettings>(&mut self) -> &mut T {
        self.sections.get_mut(T::NAME)
    }

    /// Replaces the settings of a balancer, chosen or not.
    pub fn set<T: BalancerSettings>(&mut self, settings: T) {
        self.sections.insert(T::NAME, Box::new(settings));
    }

    /// Whether a balancer is chosen, of which [`Unbalanced`](crate::Unbalanced) is the lack.
    pub fn balances(&self) -> bool {
        self.name != crate::Unbalanced::NAME
    }

    /// What the chosen balancer needs first; nothing if there is none of that name.
    pub fn requirement(&self) -> Requirement {
        find(&self.name).map_or(Requirement::Nothing, |entry| entry.requirement(&self.sections))
    }

    /// Checks the name and the ranges of every section, and whether the chosen balancer goes with a backbone of that
    /// kind.
    ///
    /// # Errors
    /// The field, its value and what was expected.
    pub fn check(&self, effect: AblationEffect) -> Result<&'static BalancerEntry, FieldError> {
        let entries = balancers();
        for entry in &entries {
            let chosen = entry.name == self.name;
            let of_backbone = if chosen { entry.check_backbone(&self.sections, effect) } else { Ok(()) };
            let checked = entry.check(&self.sections).and(of_backbone);
            checked.map_err(|fault| fault.within(&format!("balance.{}", entry.name)))?;
        }
        find(&self.name).ok_or_else(|| {
            let known: Vec<&str> = entries.iter().map(|b| b.name).collect();
            FieldError::unknown_name("balance.name", &self.name, &known, None)
        })
    }
}

impl Serialize for BalanceConfig {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let sections = balancers().into_iter().filter_map(|entry| Some((entry.name, entry.section()?)));
        let sections: Vec<_> = sections.collect();
        let mut map = output.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        if let Some(teachers) = &self.teachers {
            map.serialize_entry("teachers", teachers)?;
        }
        if let Some(plain) = &self.plain {
            map.serialize_entry("plain", plain)?;
        }
        map.serialize_entry("teacher", &self.teacher)?;
        for (name, of) in sections {
            map.serialize_entry(name, &self.sections.written(name, of))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for BalanceConfig {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<BalanceConfig, D::Error> {
        input.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = BalanceConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings of a balancer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BalanceConfig, A::Error> {
        let mut config = BalanceConfig::default();
        while let Some(key) = map.next_key::<String>()? {
            let section = find(&key).and_then(|entry| Some((entry.name, entry.section()?)));
            match (key.as_str(), section) {
                ("name", _) => config.name = map.next_value()?,
                ("teachers", _) => config.teachers = map.next_value()?,
                ("plain", _) => config.plain = map.next_value()?,
                ("teacher", _) => config.teacher = map.next_value()?,
                (_, Some((name, of))) => config.sections.insert(name, map.next_value_seed(of)?),
                (_, None) => {
                    let all = balancers().into_iter().filter(|entry| entry.section().is_some());
                    let sections: Vec<&str> = all.map(|entry| entry.name).collect();
                    return Err(unknown_key(&key, &RESERVED, &sections));
                }
            }
        }
        Ok(config)
    }
}
