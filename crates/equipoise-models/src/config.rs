//! What a backbone is built from: a name, a width and each backbone's own section.

use crate::entry::{BackboneEntry, BackboneSettings};
use crate::registry::{RESERVED, backbones, find};
use crate::section::{Sections, unknown_key};
use equipoise_data::{FieldError, ranges};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// What a backbone is built from, shared by TOML, flags and code.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `name` | `vbpr` | which backbone | a name of [`backbones`] |
/// | `width` | 64 | embedding width `d` | 1 to 4096 |
///
/// and one section per backbone with its own settings, documented in its module.
///
/// # Examples
/// ```
/// use equipoise_models::{BackboneConfig, Mmgcn};
/// let mut config = BackboneConfig::of(Mmgcn { layers: 2, ..Mmgcn::default() });
/// config.width = 32;
/// assert_eq!((config.name.as_str(), config.get::<Mmgcn>().layers), ("mmgcn", 2));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BackboneConfig {
    /// Which backbone.
    pub name: String,
    /// Embedding width `d`.
    pub width: usize,
    /// Each backbone's own section: see [`get`](BackboneConfig::get) and [`set`](BackboneConfig::set).
    pub sections: Sections,
}

impl Default for BackboneConfig {
    fn default() -> Self {
        BackboneConfig::named(crate::Vbpr::NAME)
    }
}

impl BackboneConfig {
    /// The defaults of a backbone.
    pub fn named(name: &str) -> BackboneConfig {
        BackboneConfig { name: name.into(), width: 64, sections: Sections::default() }
    }

    /// The backbone with these settings.
    pub fn of<T: BackboneSettings>(settings: T) -> BackboneConfig {
        let mut config = BackboneConfig::default();
        config.choose(settings);
        config
    }

    /// Chooses the backbone with these settings.
    pub fn choose<T: BackboneSettings>(&mut self, settings: T) {
        self.name = T::NAME.into();
        self.set(settings);
    }

    /// The settings of a backbone, chosen or not.
    pub fn get<T: BackboneSettings>(&self) -> T {
        self.sections.get(T::NAME)
    }

    /// The settings of a backbone, chosen or not, to be changed.
    pub fn get_mut<T: BackboneSettings>(&mut self) -> &mut T {
        self.sections.get_mut(T::NAME)
    }

    /// Replaces the settings of a backbone, chosen or not.
    pub fn set<T: BackboneSettings>(&mut self, settings: T) {
        self.sections.insert(T::NAME, Box::new(settings));
    }

    /// Checks name and ranges.
    ///
    /// # Errors
    /// The field, its value and what was expected.
    pub fn check(&self) -> Result<&'static BackboneEntry, FieldError> {
        ranges::expect("backbone.width", self.width, (1..=4096).contains(&self.width), "1 to 4096")?;
        let entry = find(&self.name).ok_or_else(|| {
            let known: Vec<&str> = backbones().iter().map(|b| b.name).collect();
            FieldError::unknown_name("backbone.name", &self.name, &known, None)
        })?;
        entry.check(&self.sections).map_err(|fault| fault.within(&format!("backbone.{}", self.name)))?;
        Ok(entry)
    }
}

impl Serialize for BackboneConfig {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let entries = backbones();
        let mut map = output.serialize_map(Some(RESERVED.len() + entries.len()))?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("width", &self.width)?;
        for entry in entries {
            map.serialize_entry(entry.name, &self.sections.written(entry.name, entry.section()))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for BackboneConfig {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<BackboneConfig, D::Error> {
        input.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = BackboneConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings of a backbone")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BackboneConfig, A::Error> {
        let mut config = BackboneConfig::default();
        while let Some(key) = map.next_key::<String>()? {
            match (key.as_str(), find(&key)) {
                ("name", _) => config.name = map.next_value()?,
                ("width", _) => config.width = map.next_value()?,
                (_, Some(entry)) => {
                    config.sections.insert(entry.name, map.next_value_seed(entry.section())?);
                }
                (_, None) => {
                    let sections: Vec<&str> = backbones().iter().map(|b| b.name).collect();
                    return Err(unknown_key(&key, &RESERVED, &sections));
                }
            }
        }
        Ok(config)
    }
}
