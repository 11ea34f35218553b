//! Where the settings of a pipeline stand.

use equipoise_train::config::{keys, spans};
use std::collections::BTreeMap;

/// Where each setting stands: file and line, or a flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, String>);

impl Origins {
    /// The places of a file's text, which `name` stands for, and of the flags over it.
    pub(super) fn new(file: Option<(&str, &str)>, flags: &toml::Table) -> Origins {
        let mut places: BTreeMap<String, String> = BTreeMap::new();
        if let Some((name, text)) = file {
            places.extend(spans::lines(text).into_iter().map(|(key, line)| (key, format!("{name}:{line}"))));
        }
        keys::leaves("", flags, &mut |key, _| {
            places.insert(key.to_owned(), flag(key));
        });
        Origins(places)
    }

    /// Where a setting stands, if it is not a default: the setting itself, or the first one of its section.
    pub fn of(&self, key: &str) -> Option<&str> {
        let below = format!("{key}.");
        let own = self.0.get(key);
        let found = own.or_else(|| {
            self.0
                .range(below.clone()..)
                .next()
                .filter(|(k, _)| k.starts_with(&below))
                .map(|(_, place)| place)
        });
        found.map(String::as_str)
    }
}

/// The flag of a key: `--text-dims`, `--user-column`, `--set train.lr`.
fn flag(key: &str) -> String {
    match key.split_once('.') {
        Some(("columns", column)) => format!("--{column}-column"),
        Some((section, rest)) => format!("--{section} {rest}"),
        None => format!("--{}", key.replace('_', "-")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_stands_on_its_line_or_is_a_flag_and_flags_win() {
        let flags: toml::Table =
            "seeds = 0\n[set]\n\"train.lr\" = 1.0\n[columns]\nuser = \"u\"\n".parse().unwrap();
        let text = "csv = \"c\"\nseeds = 2\n[set]\n\"train.reg\" = 3\n";
        let origins = Origins::new(Some(("run.toml", text)), &flags);
        assert_eq!(origins.of("csv"), Some("run.toml:1"));
        assert_eq!(origins.of("seeds"), Some("--seeds"));
        assert_eq!(origins.of("set.train.reg"), Some("run.toml:4"));
        assert_eq!(origins.of("set.train.lr"), Some("--set train.lr"));
        assert_eq!(origins.of("columns"), Some("--user-column"));
        assert_eq!(origins.of("out"), None);
    }
}
