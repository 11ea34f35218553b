//! A configuration as it is written down: without the settings of backbones and balancers that it does not use.

use super::checkpoint_every::CheckpointEvery;
use super::types::RunConfig;
use std::path::PathBuf;

impl RunConfig {
    /// As TOML: of backbones the section of the chosen one only, of balancers also those that were changed.
    /// Reading it back gives the same run.
    ///
    /// # Errors
    /// If a value cannot be written as TOML (a path that is no text).
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let mut table = toml::Table::try_from(self)?;
        let default = toml::Table::try_from(RunConfig::default())?;
        for (part, section) in table.iter_mut() {
            if let toml::Value::Table(section) = section {
                section.retain(|key, value| {
                    let changed = part == "balance" && default[part].get(key) != Some(value);
                    !value.is_table() || changed || !self.is_idle(&format!("{part}.{key}."))
                });
            }
        }
        toml::to_string(&table)
    }

    /// The same without what changes no result: how often checkpoints are kept.
    #[must_use]
    pub fn deciding(&self) -> RunConfig {
        let mut deciding = self.clone();
        deciding.train.checkpoint_every = CheckpointEvery::default();
        deciding
    }

    /// A hash of every setting that decides what a model becomes. Where data and teachers lie is none of them.
    pub(crate) fn digest(&self) -> String {
        let mut deciding = self.deciding();
        deciding.data.path = PathBuf::new();
        (deciding.balance.teachers, deciding.balance.plain) = (None, None);
        let text = serde_json::to_vec(&deciding).expect("a configuration without paths is valid JSON");
        blake3::hash(&text).to_hex().to_string()
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
        let always = ["backbone.name", "balance.name", "balance.teachers", "balance.teacher.lr", "train.lr"];
        assert!(always.iter().all(|key| !config.is_idle(key)));
    }
}
