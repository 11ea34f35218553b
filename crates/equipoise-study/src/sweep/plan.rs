//! A run's configuration with a `[sweep]` section: what is searched, and from where.

use super::config::{KEYS, SweepConfig};
use super::error::SweepError;
use crate::search::strategy::Strategy;
use crate::search::{Identity, Point, Space, key_of};
use equipoise_data::{FieldError, read_text};
use equipoise_train::config::{ConfigError, Layers};
use equipoise_train::config::{keys, spans};
use equipoise_train::evaluation::Selection;
use equipoise_train::{Checked, RunConfig};
use std::collections::BTreeMap;
use std::path::Path;
use toml::Value;

/// Settings that a search must not change, and why.
const FIXED: [(&str, &str); 6] = [
    ("seed", "the best seed is only the luckiest one"),
    ("device", "it changes no result worth searching for"),
    ("data.path", "metrics of different data do not compare"),
    ("balance.teachers", "a search keeps its teachers by what they depend on (see sweep.teachers)"),
    ("train.metric", "the models of all trials are selected by one metric"),
    ("eval.", "the metric must mean the same in all trials"),
];

/// A base configuration, the searched settings, and how they are searched.
#[derive(Clone, Debug)]
pub struct SweepPlan {
    layers: Layers,
    config: SweepConfig,
    space: Space,
    base: RunConfig,
    /// Where the `[sweep]` section's keys stand: `file:line`.
    origins: BTreeMap<String, String>,
}

impl SweepPlan {
    /// A plan from a file. `flags` (key, value, name of the flag) win over the file's base configuration.
    ///
    /// # Errors
    /// As [`text`](SweepPlan::text), and if the file cannot be read.
    pub fn file(path: &Path, flags: &[(String, Value, String)]) -> Result<SweepPlan, SweepError> {
        let text = read_text(path).map_err(|e| SweepError::file(path, e))?;
        SweepPlan::text(&text, &path.display().to_string(), flags)
    }

    /// A plan from TOML text; `name` stands for it in messages.
    ///
    /// # Errors
    /// The first fault, with its line: no TOML, an unknown key (with the nearest known one), a value of the wrong
    /// type or out of range, a setting that must not or need not be searched.
    pub fn text(text: &str, name: &str, flags: &[(String, Value, String)]) -> Result<SweepPlan, SweepError> {
        let mut table: toml::Table =
            text.parse().map_err(|e: toml::de::Error| fault(name, &e.to_string()))?;
        let lines = spans::lines(text).into_iter().map(|(key, line)| (key, format!("{name}:{line}")));
        let origins: BTreeMap<String, String> = lines.collect();
        let place = |key: &str| origins.get(key).cloned().unwrap_or_else(|| name.to_owned());
        let Some(Value::Table(section)) = table.remove("sweep") else {
            return Err(fault(name, "expected a section [sweep] with what is to be searched"));
        };
        let config = read(section, &place, name)?;
        let mut layers = Layers::new();
        let mut pairs = Vec::new();
        keys::leaves("", &table, &mut |key, value| pairs.push((key.to_owned(), value.clone())));
        for (key, value) in pairs {
            layers = layers.set(&key, value, place(&key))?;
        }
        for (key, value, flag) in flags {
            layers = layers.set(key, value.clone(), flag.clone())?;
        }
        let plan = SweepPlan::assembled(layers, config, name, origins)?;
        plan.untouched(flags)?;
        Ok(plan)
    }

    /// A plan from its parts.
    ///
    /// # Errors
    /// As [`text`](SweepPlan::text).
    pub fn new(base: Layers, config: SweepConfig) -> Result<SweepPlan, SweepError> {
        SweepPlan::assembled(base, config, "search", BTreeMap::new())
    }

    fn assembled(
        layers: Layers,
        config: SweepConfig,
        name: &str,
        origins: BTreeMap<String, String>,
    ) -> Result<SweepPlan, SweepError> {
        let blamed = |error: FieldError| refused(&blame(&error.key, &origins, name), error);
        let space = config.space().map_err(blamed)?;
        let base = layers.resolve()?.into_inner();
        let plan = SweepPlan { layers, config, space, base, origins: origins.clone() };
        if plan.base.balance.teachers.is_some() {
            let why = "nothing, as a search keeps its teachers by what they depend on";
            return Err(blamed(
                FieldError::missing("balance.teachers", why).hint("set sweep.teachers instead"),
            ));
        }
        let of_sweep = |fault: FieldError| FieldError { key: "sweep.metric".into(), ..fault };
        Selection::parse(plan.metric()).map_err(|fault| blamed(of_sweep(fault)))?;
        plan.chosen().map_err(blamed)?;
        for (key, _) in plan.space.dimensions() {
            plan.dimension(key, name)?;
        }
        Ok(plan)
    }

    /// Checks one searched setting: that it exists, may be searched, matters, and takes its values.
    fn dimension(&self, key: &str, name: &str) -> Result<(), SweepError> {
        let quoted = format!("sweep.space.\"{key}\"");
        let origin = blame(&key_of(key), &self.origins, name);
        if let Some((_, why)) =
            FIXED.iter().find(|(k, _)| key == *k || (k.ends_with('.') && key.starts_with(k)))
        {
            return Err(fault(&origin, &format!("{quoted} cannot be searched: {why}")));
        }
        let dimensions = self.space.dimensions().iter();
        let (_, dimension) = dimensions.clone().find(|(k, _)| k == key).expect("a key of this space");
        for value in dimension.probes() {
            self.layers.clone().set(key, value, origin.clone())?.resolve()?;
        }
        let searched = |other: &str| dimensions.clone().any(|(k, _)| k == other);
        let (base, unused) = (&self.base, |by: &str, word: &str| {
            fault(
                &origin,
                &format!("{quoted}: {by} = \"{word}\" does not read it; leave it out, or change {by}"),
            )
        });
        let of_balance = key.starts_with("balance.");
        let (by, word) = if of_balance {
            ("balance.name", &base.balance.name)
        } else {
            ("backbone.name", &base.backbone.name)
        };
        let idle = base.is_idle(key) || (of_balance && !base.balance.balances() && key != by);
        if idle && !searched(by) { Err(unused(by, word)) } else { Ok(()) }
    }

    /// Refuses flags for what is searched: they would change nothing.
    fn untouched(&self, flags: &[(String, Value, String)]) -> Result<(), SweepError> {
        let searched = |key: &str| self.space.dimensions().iter().any(|(k, _)| k == key);
        match flags.iter().find(|(key, _, _)| searched(key)) {
            Some((key, _, flag)) => {
                Err(fault(flag, &format!("`{key}` is searched; take it out of [sweep.space] first")))
            }
            None => Ok(()),
        }
    }

    /// The base configuration.
    pub fn base(&self) -> &RunConfig {
        &self.base
    }

    /// How it is searched.
    pub fn config(&self) -> &SweepConfig {
        &self.config
    }

    /// What is searched.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The metric that is compared.
    pub fn metric(&self) -> &str {
        self.config.metric.as_deref().unwrap_or(&self.base.train.metric)
    }

    /// The seed of the proposals.
    pub fn seed(&self) -> u64 {
        self.config.seed.unwrap_or(self.base.seed)
    }

    /// Chooses the points.
    ///
    /// # Errors
    /// If a setting of the search is missing or out of range.
    pub fn strategy(&self) -> Result<Box<dyn Strategy>, SweepError> {
        self.chosen().map_err(SweepError::Setting)
    }

    fn chosen(&self) -> Result<Box<dyn Strategy>, FieldError> {
        self.config.strategy(&self.space, self.seed(), self.base.train.epochs)
    }

    /// The configuration at a point.
    ///
    /// # Errors
    /// If the settings do not go together.
    pub fn at(&self, point: &Point) -> Result<Checked<RunConfig>, ConfigError> {
        let mut layers = self.layers.clone();
        for (key, value) in point.settings() {
            layers = layers.set(key, value.clone(), point.to_string())?;
        }
        layers.resolve()
    }

    /// What makes this search this search: everything that its records depend on. The data is known by its
    /// fingerprint. More `trials` only continue a search, where the method lets them.
    pub fn identity(&self, fingerprint: &str) -> Identity {
        let mut identity = Identity::new();
        let mut add = |key: &str, value: String| identity.insert(key.to_owned(), value);
        for (key, value, _) in self.layers.origins() {
            let kept = !self.base.is_idle(&key)
                && !["data.path", "train.channels", "train.checkpoint_every"].contains(&key.as_str());
            if kept && !self.space.dimensions().iter().any(|(k, _)| *k == key) {
                add(&key, value);
            }
        }
        for (key, dimension) in self.space.dimensions() {
            add(&format!("sweep.space.{key}"), format!("{dimension:?}"));
        }
        let method = format!("{} {}", self.config.method.as_str(), self.config.knobs());
        add("sweep.method", method.trim_end().to_owned());
        add("sweep.metric", self.metric().to_owned());
        add("sweep.seed", self.seed().to_string());
        add("data fingerprint", fingerprint.to_owned());
        identity
    }
}

fn read(
    section: toml::Table,
    place: &impl Fn(&str) -> String,
    name: &str,
) -> Result<SweepConfig, SweepError> {
    if let Some(key) = section.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let hint = match equipoise_data::closest(key, KEYS) {
            Some(near) => format!(" (did you mean `sweep.{near}`?)"),
            None => format!("; expected one of {}", KEYS.join(", ")),
        };
        let key = format!("sweep.{key}");
        return Err(ConfigError::UnknownKey { origin: place(&key), key, hint }.into());
    }
    // One key at a time, so that a wrong type is blamed on its line.
    for (key, value) in &section {
        let alone = toml::Table::from_iter([(key.clone(), value.clone())]);
        if let Err(e) = alone.try_into::<SweepConfig>() {
            let reason = e.message().trim().to_owned();
            return Err(fault(&place(&format!("sweep.{key}")), &format!("`sweep.{key}`: {reason}")));
        }
    }
    section.try_into().map_err(|e: toml::de::Error| fault(name, e.message().trim()))
}

fn fault(origin: &str, reason: &str) -> SweepError {
    ConfigError::Value { origin: origin.to_owned(), reason: reason.trim_end().to_owned() }.into()
}

fn refused(origin: &str, error: FieldError) -> SweepError {
    ConfigError::Field { origin: origin.to_owned(), error }.into()
}

/// Where a key stands, or the first one below it.
fn blame(key: &str, origins: &BTreeMap<String, String>, name: &str) -> String {
    let below = format!("{key}.");
    let at = origins
        .get(key)
        .or_else(|| origins.range(below.clone()..).find(|(k, _)| k.starts_with(&below)).map(|(_, o)| o));
    at.cloned().unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
