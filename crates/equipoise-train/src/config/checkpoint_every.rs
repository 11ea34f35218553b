//! How often a training keeps a checkpoint.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// How often a training keeps a checkpoint. No result depends on it.
///
/// In files and on the command line: `"auto"`, `"never"`, or a number of evaluations from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CheckpointEvery {
    /// As often as costs at most 2 % of the time, in the middle of an epoch too.
    #[default]
    Auto,
    /// Only when the training is asked to stop.
    Never,
    /// After so many evaluations.
    Evaluations(usize),
}

impl CheckpointEvery {
    /// Whether it is the default, which is not written down.
    pub(super) fn is_auto(&self) -> bool {
        *self == CheckpointEvery::Auto
    }
}

impl Serialize for CheckpointEvery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            CheckpointEvery::Auto => serializer.serialize_str("auto"),
            CheckpointEvery::Never => serializer.serialize_str("never"),
            CheckpointEvery::Evaluations(count) => serializer.serialize_u64(*count as u64),
        }
    }
}

impl<'de> Deserialize<'de> for CheckpointEvery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CheckpointEvery, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl Visitor<'_> for Written {
    type Value = CheckpointEvery;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("\"auto\", \"never\" or a number of evaluations from 1")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<CheckpointEvery, E> {
        match text {
            "auto" => Ok(CheckpointEvery::Auto),
            "never" => Ok(CheckpointEvery::Never),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, count: u64) -> Result<CheckpointEvery, E> {
        match usize::try_from(count) {
            Ok(count) if count > 0 => Ok(CheckpointEvery::Evaluations(count)),
            _ => Err(E::invalid_value(de::Unexpected::Unsigned(count), &self)),
        }
    }

    fn visit_i64<E: de::Error>(self, count: i64) -> Result<CheckpointEvery, E> {
        match u64::try_from(count) {
            Ok(count) => self.visit_u64(count),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(count), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layers, RunConfig};

    #[test]
    fn words_and_counts_are_read_as_written_and_all_else_is_refused() {
        let read = |text: &str| {
            let layers = Layers::new().text(&format!("[train]\ncheckpoint_every = {text}\n"), "run.toml");
            layers.map(|l| l.resolve().unwrap().train.checkpoint_every).map_err(|e| e.to_string())
        };
        for (text, every) in [
            ("\"auto\"", CheckpointEvery::Auto),
            ("\"never\"", CheckpointEvery::Never),
            ("5", CheckpointEvery::Evaluations(5)),
        ] {
            assert_eq!(read(text), Ok(every));
            let mut config = RunConfig::default();
            config.train.checkpoint_every = every;
            let written = config.to_toml().unwrap();
            assert_eq!(written.contains("checkpoint_every"), every != CheckpointEvery::Auto, "{written}");
            assert_eq!(toml::from_str::<RunConfig>(&written).unwrap(), config);
        }
        for text in ["0", "-3", "1.5", "\"often\"", "true"] {
            let refusal = read(text).unwrap_err();
            assert!(refusal.contains("a number of evaluations from 1"), "{text}: {refusal}");
        }
    }
}
