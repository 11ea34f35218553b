//! A configuration from layers (defaults, a file, flags), each value with where it came from.

use super::checked::Checked;
use super::error::{ConfigError, one_line, toml_fault};
use super::types::RunConfig;
use super::{keys, spans};
use equipoise_data::{FieldError, read_text};
use std::collections::BTreeMap;
use std::path::Path;

/// The origin of a value that no layer has set.
const CONFIGURATION: &str = "configuration";

/// Layers under construction; later ones win.
#[derive(Clone, Debug)]
pub struct Layers {
    values: toml::Table,
    origins: BTreeMap<String, String>,
    /// The last file among them.
    file: Option<String>,
}

impl Default for Layers {
    fn default() -> Self {
        Layers::new()
    }
}

impl Layers {
    /// The defaults.
    pub fn new() -> Layers {
        let values =
            toml::Table::try_from(RunConfig::default()).expect("the default configuration is valid TOML");
        Layers { values, origins: BTreeMap::new(), file: None }
    }

    /// Adds a TOML file.
    ///
    /// # Errors
    /// If it cannot be read, is no TOML, or has an unknown key (named with its line and the nearest known one).
    pub fn file(self, path: &Path) -> Result<Layers, ConfigError> {
        let failed = |e: std::io::Error| ConfigError::File { path: path.to_owned(), fault: e.into() };
        let text = read_text(path).map_err(failed)?;
        self.text(&text, &path.display().to_string())
    }

    /// Adds TOML text; `name` stands for it in messages and origins.
    ///
    /// # Errors
    /// As for [`file`](Layers::file).
    pub fn text(mut self, text: &str, name: &str) -> Result<Layers, ConfigError> {
        let table: toml::Table = text.parse().map_err(|e| toml_fault(name, text, &e))?;
        self.file = Some(name.to_owned());
        let lines = spans::lines(text);
        let mut pairs = Vec::new();
        keys::leaves("", &table, &mut |key, value| pairs.push((key.to_owned(), value.clone())));
        for (key, value) in pairs {
            let origin = lines.get(&key).map_or(name.to_owned(), |line| format!("{name}:{line}"));
            self = self.set(&key, value, origin)?;
        }
        Ok(self)
    }

    /// Adds one value, such as a flag's.
    ///
    /// # Errors
    /// If the key is unknown or the value has the wrong type.
    pub fn set(mut self, key: &str, value: toml::Value, origin: String) -> Result<Layers, ConfigError> {
        let (key, known) = (keys::current(key), keys::all());
        if !known.contains(key) {
            let hint = match equipoise_data::closest(key, known.iter().map(String::as_str)) {
                Some(near) => format!(" (did you mean `{near}`?)"),
                None => "; `equipoise train --dry-run` lists every key".into(),
            };
            return Err(ConfigError::UnknownKey { origin, key: key.to_owned(), hint });
        }
        insert(&mut self.values, key, value);
        self.origins.insert(key.to_owned(), origin.clone());
        self.parse().map_err(|reason| ConfigError::Value { origin, reason: format!("`{key}`: {reason}") })?;
        Ok(self)
    }

    fn parse(&self) -> Result<RunConfig, String> {
        let parsed = RunConfig::deserialize_table(self.values.clone());
        parsed.map_err(|e| one_line(&equipoise_data::in_words(e.message())))
    }

    /// The configuration as it stands, its ranges not yet checked: for layers that are added one at a time.
    ///
    /// # Errors
    /// If a value has the wrong type.
    pub fn parsed(&self) -> Result<RunConfig, ConfigError> {
        let of_no_key = |reason| ConfigError::Value { origin: CONFIGURATION.into(), reason };
        self.parse().map_err(of_no_key)
    }

    /// The configuration, with every range checked.
    ///
    /// # Errors
    /// If a value is out of its range.
    pub fn resolve(&self) -> Result<Checked<RunConfig>, ConfigError> {
        self.parsed()?.checked().map_err(|fault| match fault {
            ConfigError::Field { error, .. } => self.blame(error),
            other => other,
        })
    }

    /// The fault of a setting, with where its value came from.
    pub fn blame(&self, error: FieldError) -> ConfigError {
        ConfigError::Field { origin: self.origin(&error.key), error }
    }

    /// Where the value of a key came from, or that of the first key of its section. A default that does not go with the rest
    /// is the file's fault, if there is one.
    fn origin(&self, key: &str) -> String {
        let below = format!("{key}.");
        let section = || {
            let next = self.origins.range(below.clone()..).next();
            next.filter(|(key, _)| key.starts_with(&below)).map(|(_, origin)| origin)
        };
        let known = self.origins.get(key).or_else(section).or(self.file.as_ref());
        known.cloned().unwrap_or_else(|| CONFIGURATION.into())
    }

    /// Every key with its value and where the value came from (`default`, `file:line`, or a flag).
    pub fn origins(&self) -> Vec<(String, String, String)> {
        let mut rows = Vec::new();
        keys::leaves("", &self.values, &mut |key, value| {
            let origin = self.origins.get(key).cloned().unwrap_or_else(|| "default".into());
            rows.push((key.to_owned(), value.to_string(), origin));
        });
        rows
    }
}

impl RunConfig {
    fn deserialize_table(table: toml::Table) -> Result<RunConfig, toml::de::Error> {
        serde::Deserialize::deserialize(toml::Value::Table(table))
    }
}

fn insert(table: &mut toml::Table, key: &str, value: toml::Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_balance::Ckd;

    #[test]
    fn keys_of_earlier_runs_are_still_read() {
        let layers = Layers::new().text("[data]\nfeatures = \"standardised\"\n", "run.toml").unwrap();
        assert_eq!(layers.resolve().unwrap().data.scale.to_string(), "standard");
    }

    #[test]
    fn options_of_layouts_are_known_and_reach_the_data() {
        let layers =
            Layers::new().text("[data.layout]\nmin_rating = 4.0\nsplit = \"ratio\"\n", "run.toml").unwrap();
        let layout = layers.resolve().unwrap().into_inner().data.layout;
        assert_eq!((&layout["min_rating"], &layout["split"]), (&4.0.into(), &"ratio".into()));
        let refused = Layers::new().text("[data.layout]\nmin_ratings = 4.0\n", "run.toml").unwrap_err();
        assert!(refused.to_string().contains("data.layout.min_rating"), "{refused}");
    }

    #[test]
    fn later_layers_win_and_say_so() {
        let text = "seed = 7\n[train]\nlr = 0.001\nepochs = 5\n";
        let layers = Layers::new().text(text, "run.toml").unwrap();
        let layers = layers.set("train.lr", toml::Value::Float(0.01), "--lr".into()).unwrap();
        let config = layers.resolve().unwrap();
        assert_eq!((config.seed, config.train.lr, config.train.epochs), (7, 0.01, 5));
        let origins = layers.origins();
        let of = |k: &str| origins.iter().find(|o| o.0 == k).map(|o| o.2.clone()).unwrap();
        assert_eq!(of("train.lr"), "--lr");
        assert_eq!(of("train.epochs"), "run.toml:4");
        assert_eq!(of("train.reg"), "default");
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest_key() {
        let error =
            Layers::new().text("[balance.ckd]\nlambda_kdd = 1.0\n", "x.toml").unwrap_err().to_string();
        assert_eq!(
            error,
            "x.toml:2: unknown key `balance.ckd.lambda_kdd` (did you mean `balance.ckd.lambda_kd`?)"
        );
    }

    #[test]
    fn a_wrong_type_or_range_names_its_place() {
        let error = Layers::new().text("[train]\nlr = \"fast\"\n", "x.toml").unwrap_err().to_string();
        assert!(error.starts_with("x.toml:2: `train.lr`:"), "{error}");
        let layers = Layers::new().text("[train]\nlr = -1.0\n", "x.toml").unwrap();
        assert_eq!(
            layers.resolve().unwrap_err().to_string(),
            "x.toml:2: train.lr = -1: expected more than 0"
        );
        let layers = Layers::new().text("[backbone]\nname = \"vbrp\"\n", "x.toml").unwrap();
        let error = layers.resolve().unwrap_err().to_string();
        assert!(error.contains("did you mean `vbpr`?"), "{error}");
    }

    #[test]
    fn what_is_no_toml_names_its_line_in_one_line() {
        let message = |text: &str| Layers::new().text(text, "x.toml").unwrap_err().to_string();
        let told = message("seed = 1\n[train\nlr = 1.0\n");
        assert!(told.starts_with("x.toml:2: ") && !told.contains('\n'), "{told}");
        let told = message("seed = 1\nseed = 2\n");
        assert!(told.starts_with("x.toml:2: duplicate key"), "{told}");
        let told = message(&format!("[train]\nlr = \"{}\"\n", "x".repeat(5000)));
        assert!(told.starts_with("x.toml:2: `train.lr`:") && told.len() < 400, "{}", told.len());
    }

    #[test]
    fn a_default_that_does_not_go_with_a_file_is_told_with_the_file() {
        let layers = Layers::new().text("[train]\nepochs = 5\n", "x.toml").unwrap();
        let error = FieldError::word("balance.name", "ckd", "none");
        assert_eq!(layers.blame(error).to_string(), "x.toml: balance.name = \"ckd\": expected none");
        let error = FieldError::missing("train", "more");
        assert!(layers.blame(error).to_string().starts_with("x.toml:2: "));
    }

    #[test]
    fn whole_numbers_are_taken_where_a_fraction_is_meant() {
        let layers = Layers::new().text("[balance.ckd]\nlambda_g = 5\n", "x.toml").unwrap();
        assert_eq!(layers.resolve().unwrap().balance.get::<Ckd>().lambda_g, 5.0);
    }
}
