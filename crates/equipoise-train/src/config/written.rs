//! A configuration as it is written down: without the settings of backbones and balancers that it does not use.

use super::checkpoint_every::CheckpointEvery;
use super::types::RunConfig;
use std::path::PathBuf;
use toml::{Table, Value};

impl RunConfig {
    /// As TOML: of backbones the section of the chosen one only, of balancers also those that were changed.
    /// Reading it back gives the same run.
    ///
    /// # Errors
    /// If a value cannot be written as TOML (a path that is no text).
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let default = toml::Table::try_from(RunConfig::default())?;
        let changed =
            |part: &str, key: &str, value: &Value| part == "balance" && default[part].get(key) != Some(value);
        toml::to_string(&self.without_idle(changed)?)
    }

    /// Its table without the sections of what it does not use, but with those of them that are `kept`.
    fn without_idle(&self, kept: impl Fn(&str, &str, &Value) -> bool) -> Result<Table, toml::ser::Error> {
        let mut table = Table::try_from(self)?;
        for (part, section) in table.iter_mut() {
            let Value::Table(section) = section else { continue };
            section.retain(|key, value| {
                !value.is_table() || kept(part, key, value) || !self.is_idle(&format!("{part}.{key}."))
            });
        }
        Ok(table)
    }

    /// The same without what changes no result: how often checkpoints are kept.
    #[must_use]
    pub fn deciding(&self) -> RunConfig {
        let mut deciding = self.clone();
        deciding.train.checkpoint_every = CheckpointEvery::default();
        deciding
    }

    /// The same without places: no result depends on where data, teachers and the plain model lie.
    #[must_use]
    pub fn without_places(&self) -> RunConfig {
        let mut placeless = self.clone();
        placeless.data.path = PathBuf::new();
        (placeless.balance.teachers, placeless.balance.plain) = (None, None);
        placeless
    }

    /// The settings that decide a result, as a table. Sections of backbones and balancers that are not used are left
    /// out, so that it is the same in a program that knows more of them.
    ///
    /// # Errors
    /// If a value cannot be written as TOML (a path that is no text).
    pub fn deciding_table(&self) -> Result<Table, toml::ser::Error> {
        self.deciding().without_idle(|_, _, _| false)
    }

    /// A hash of every setting that decides what a model becomes. Where data and teachers lie is none of them.
    pub(crate) fn digest(&self) -> String {
        let table = self.without_places().deciding_table();
        let table = table.expect("a configuration without paths is valid TOML");
        blake3::hash(table.to_string().as_bytes()).to_hex().to_string()
    }

    /// Whether a key belongs to a backbone or a balancer that this configuration does not use.
    pub fn is_idle(&self, key: &str) -> bool {
        let section = |part| key.strip_prefix(part)?.split_once('.').map(|(name, _)| name);
        let idle_balancer = |name| name != self.balance.name && equipoise_balance::find(name).is_some();
        section("backbone.").is_some_and(|name| name != self.backbone.name)
            || section("balance.").is_some_and(idle_balancer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_balance::{Ckd, Gb};
    use equipoise_models::Mmgcn;

    #[test]
    fn only_what_is_chosen_is_written_and_reads_back() {
        let mut config = RunConfig::default();
        config.backbone.choose(Mmgcn { layers: 2, ..Mmgcn::default() });
        config.balance.choose(Gb { every: 3, ..Gb::default() });
        let text = config.to_toml().unwrap();
        assert!(text.contains("[balance.gb]") && !text.contains("[balance.ckd]"), "{text}");
        assert!(text.contains("[backbone.mmgcn]") && !text.contains("[backbone.grcn]"), "{text}");
        assert_eq!(toml::from_str::<RunConfig>(&text).unwrap(), config);
        assert!(config.is_idle("backbone.grcn.layers") && !config.is_idle("backbone.mmgcn.layers"));
        config.balance.get_mut::<Ckd>().tau = 0.2;
        let text = config.to_toml().unwrap();
        assert!(text.contains("[balance.ckd]") && !text.contains("[balance.ogm]"), "{text}");
        assert_eq!(toml::from_str::<RunConfig>(&text).unwrap(), config);
        assert!(config.is_idle("balance.ckd.tau") && !config.is_idle("balance.gb.every"));
        let deciding = config.deciding_table().unwrap();
        assert!(deciding["balance"].get("gb").is_some() && deciding["balance"].get("ckd").is_none());
        assert!(deciding["backbone"].get("mmgcn").is_some() && deciding["backbone"].get("grcn").is_none());
        let always = ["backbone.name", "balance.name", "balance.teachers", "balance.teacher.lr", "train.lr"];
        assert!(always.iter().all(|key| !config.is_idle(key)));
    }
}
