//! The `[sweep]` section of a configuration file.

use crate::search::strategy::{self, Strategy};
use crate::search::{Dimension, Range, Space, key_of};
use equipoise_data::FieldError;
use serde::Deserialize;
use std::path::PathBuf;
use toml::Value;

/// How points are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every combination.
    #[default]
    Grid,
    /// One setting after another, each time the best value of its list.
    Coordinate,
    /// Drawn at random (Bergstra and Bengio, JMLR 2012).
    Random,
    /// Tree-structured Parzen estimators (Bergstra et al., NeurIPS 2011).
    Tpe,
    /// Successive halving of random points (Jamieson and Talwalkar, AISTATS 2016).
    Halving,
}

impl Method {
    /// Its name in configuration files.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Grid => "grid",
            Method::Coordinate => "coordinate",
            Method::Random => "random",
            Method::Tpe => "tpe",
            Method::Halving => "halving",
        }
    }
}

/// The `[sweep]` section.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `method` | `grid` | how points are chosen | `grid`, `coordinate`, `random`, `tpe`, `halving` |
/// | `trials` | none; `grid` and `coordinate` take all of theirs | number of points | >= 1 |
/// | `seed` | the run's `seed` | from which the points are drawn | |
/// | `metric` | `train.metric` | what is compared, on validation | `<metric>@<k>` |
/// | `teachers` | `<out>/teachers` | where teachers are kept, which other searches may share | |
/// | `startup` | 8 | `tpe`: random points before the first estimate | >= 2 |
/// | `round` | 4 | `tpe`: points proposed together, whatever `--jobs` | >= 1 |
/// | `gamma` | 0.15 | `tpe`: share of the trials that counts as good | (0, 1) |
/// | `candidates` | 24 | `tpe`: points drawn, of which the best is taken | >= 1 |
/// | `eta` | 3 | `halving`: one point in `eta` survives, with `eta` times the epochs | >= 2 |
/// | `min_epochs` | none | `halving`: epochs of the first rung | >= 1 |
/// | `space` | none | a list or a range for each searched setting | |
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SweepConfig {
    /// How points are chosen.
    pub method: Method,
    /// Number of points.
    pub trials: Option<usize>,
    /// From which points are drawn.
    pub seed: Option<u64>,
    /// What is compared, on validation.
    pub metric: Option<String>,
    /// Where teachers are kept.
    pub teachers: Option<PathBuf>,
    /// Random points before the first estimate.
    pub startup: Option<usize>,
    /// Points proposed together.
    pub round: Option<usize>,
    /// Share of the trials that counts as good.
    pub gamma: Option<f64>,
    /// Points drawn, of which the best is taken.
    pub candidates: Option<usize>,
    /// One point in `eta` survives a rung.
    pub eta: Option<usize>,
    /// Epochs of the first rung.
    pub min_epochs: Option<usize>,
    /// The searched settings; see [`space`](SweepConfig::space).
    pub space: toml::Table,
}

/// Names of the section's keys.
pub const KEYS: [&str; 12] = [
    "method",
    "trials",
    "seed",
    "metric",
    "teachers",
    "startup",
    "round",
    "gamma",
    "candidates",
    "eta",
    "min_epochs",
    "space",
];

impl SweepConfig {
    /// The searched settings: keys may be quoted (`"train.lr" = ...`) or nested.
    ///
    /// # Errors
    /// If a value is neither a list nor a range, or [`Space::new`] refuses it; the message names the key.
    pub fn space(&self) -> Result<Space, FieldError> {
        let mut dimensions = Vec::new();
        flatten("", &self.space, &mut dimensions)?;
        Space::new(dimensions)
    }

    /// The strategy that the section describes; `epochs` is the most that a model is trained.
    ///
    /// # Errors
    /// If a setting is missing, out of range, or none of the method's: field, value and what is expected.
    pub fn strategy(&self, space: &Space, seed: u64, epochs: usize) -> Result<Box<dyn Strategy>, FieldError> {
        self.check()?;
        let (space, seed) = (space.clone(), self.seed.unwrap_or(seed));
        match self.method {
            Method::Grid => return Ok(Box::new(strategy::Grid::new(space)?)),
            Method::Coordinate => return Ok(Box::new(strategy::Coordinate::new(space)?)),
            Method::Random | Method::Tpe | Method::Halving => {}
        }
        let Some(trials) = self.trials else {
            let method = self.method.as_str();
            let expected = format!("the number of points, which method = \"{method}\" needs");
            return Err(FieldError::missing("sweep.trials", expected));
        };
        Ok(match self.method {
            Method::Grid | Method::Coordinate | Method::Random => {
                Box::new(strategy::Random::new(space, seed, trials))
            }
            Method::Tpe => Box::new(strategy::Tpe::new(space, seed, trials, self.tpe())),
            Method::Halving => {
                let expected = "the epochs of the first rung, which method = \"halving\" needs";
                let missing = || FieldError::missing("sweep.min_epochs", expected);
                let first = self.min_epochs.ok_or_else(missing)?;
                let eta = self.eta.unwrap_or(strategy::ETA);
                Box::new(strategy::Halving::new(
                    space,
                    seed,
                    trials,
                    strategy::Rungs::new(first, eta, epochs)?,
                ))
            }
        })
    }

    /// The settings that the records depend on, as text. More trials continue a random search or TPE.
    pub(super) fn knobs(&self) -> String {
        match self.method {
            Method::Grid | Method::Coordinate | Method::Random => String::new(),
            Method::Tpe => format!("{:?}", self.tpe()),
            Method::Halving => {
                let eta = self.eta.unwrap_or(strategy::ETA);
                format!("trials {:?}, eta {eta}, min_epochs {:?}", self.trials, self.min_epochs)
            }
        }
    }

    fn tpe(&self) -> strategy::TpeConfig {
        let default = strategy::TpeConfig::default();
        strategy::TpeConfig {
            startup: self.startup.unwrap_or(default.startup),
            round: self.round.unwrap_or(default.round),
            gamma: self.gamma.unwrap_or(default.gamma),
            candidates: self.candidates.unwrap_or(default.candidates),
        }
    }

    fn check(&self) -> Result<(), FieldError> {
        self.foreign()?;
        let whole = |name: &str, value: Option<usize>, least: usize| match value {
            Some(v) if v < least => {
                Err(FieldError::new(&format!("sweep.{name}"), v, format!("{least} or more")))
            }
            _ => Ok(()),
        };
        whole("trials", self.trials, 1)?;
        whole("startup", self.startup, 2)?;
        whole("round", self.round, 1)?;
        whole("candidates", self.candidates, 1)?;
        whole("eta", self.eta, 2)?;
        whole("min_epochs", self.min_epochs, 1)?;
        match self.gamma {
            Some(g) if !(g > 0.0 && g < 1.0) => {
                Err(FieldError::new("sweep.gamma", g, "more than 0, less than 1"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses settings that the method would not read.
    fn foreign(&self) -> Result<(), FieldError> {
        let whole = |value: Option<usize>| value.map(|v| v.to_string());
        let rows = [
            ("trials", whole(self.trials), &[Method::Random, Method::Tpe, Method::Halving][..]),
            ("startup", whole(self.startup), &[Method::Tpe]),
            ("round", whole(self.round), &[Method::Tpe]),
            ("gamma", self.gamma.map(|v| v.to_string()), &[Method::Tpe]),
            ("candidates", whole(self.candidates), &[Method::Tpe]),
            ("eta", whole(self.eta), &[Method::Halving]),
            ("min_epochs", whole(self.min_epochs), &[Method::Halving]),
        ];
        for (name, value, readers) in rows {
            if let (Some(value), false) = (value, readers.contains(&self.method)) {
                let readers: Vec<&str> = readers.iter().map(|m| m.as_str()).collect();
                let (method, readers) = (self.method.as_str(), readers.join(", "));
                let expected = format!("nothing, as only {readers} reads it, and method = \"{method}\"");
                return Err(FieldError::new(&format!("sweep.{name}"), value, expected));
            }
        }
        Ok(())
    }
}

fn flatten(
    prefix: &str,
    table: &toml::Table,
    found: &mut Vec<(String, Dimension)>,
) -> Result<(), FieldError> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Array(values) => found.push((key, Dimension::List(values.clone()))),
            Value::Table(inner) if !inner.contains_key("low") && !inner.contains_key("high") => {
                flatten(&key, inner, found)?;
            }
            Value::Table(_) => {
                let range: Range = value.clone().try_into().map_err(|e: toml::de::Error| {
                    FieldError::new(&key_of(&key), value, RANGE).hint(e.message().trim())
                })?;
                found.push((key, Dimension::Range(range)));
            }
            other => return Err(FieldError::new(&key_of(&key), other, RANGE)),
        }
    }
    Ok(())
}

const RANGE: &str =
    "a list, such as [1e-3, 1e-2], or a range, such as { low = 1e-4, high = 1e-2, log = true }";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> SweepConfig {
        toml::from_str(text).unwrap()
    }

    fn fault(text: &str) -> String {
        let config = parse(text);
        config.space().and_then(|space| config.strategy(&space, 1, 100).map(|_| ())).unwrap_err().to_string()
    }

    const SPACE: &str = "[space]\n\"train.lr\" = { low = 1e-4, high = 1e-2, log = true }\n";

    #[test]
    fn keys_may_be_quoted_or_nested_and_ranges_have_kinds() {
        let quoted = parse(
            "[space]\n\"train.lr\" = [1e-3]\n\"train.batch_size\" = { low = 1, high = 4, integer = true }",
        );
        let nested = parse("[space.train]\nlr = [1e-3]\nbatch_size = { low = 1, high = 4, integer = true }");
        assert_eq!(quoted.space().unwrap(), nested.space().unwrap());
        assert_eq!(quoted.space().unwrap().size(), Some(4));
    }

    #[test]
    fn a_setting_that_the_method_does_not_read_is_refused() {
        let text = fault(&format!("method = \"random\"\ntrials = 3\neta = 2\n{SPACE}"));
        assert!(text.contains("sweep.eta = 2: expected nothing, as only halving reads it"), "{text}");
        assert!(fault("trials = 3\n[space]\na = [1]").contains("only random, tpe, halving"));
    }

    #[test]
    fn what_is_missing_or_out_of_range_is_named() {
        assert!(fault(&format!("method = \"tpe\"\n{SPACE}")).contains("sweep.trials: expected the number"));
        assert!(fault(&format!("method = \"halving\"\ntrials = 3\n{SPACE}")).contains("sweep.min_epochs"));
        assert!(
            fault(&format!("method = \"tpe\"\ntrials = 3\ngamma = 1.5\n{SPACE}"))
                .contains("sweep.gamma = 1.5")
        );
        assert!(fault(SPACE).contains("train.lr") && fault(SPACE).contains("grid"));
        assert!(fault("[space]\na = 3").contains("expected a list"));
        assert!(fault("[space]\na = { low = 3 }").contains("missing field `high`"));
        assert!(fault("[space]\na = { low = 3, high = 4, step = 1 }").contains("unknown field `step`"));
    }
}
