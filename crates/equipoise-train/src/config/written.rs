//! A configuration as it is written down: without the settings of backbones that it does not use.

use super::RunConfig;

impl RunConfig {
    /// As TOML, with the section of the chosen backbone only: reading it back gives the same run.
    ///
    /// # Errors
    /// If a value cannot be written as TOML (a path that is no text).
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let mut table = toml::Table::try_from(self)?;
        if let Some(toml::Value::Table(backbone)) = table.get_mut("backbone") {
            backbone.retain(|key, value| !value.is_table() || *key == self.backbone.name);
        }
        toml::to_string(&table)
    }

    /// Whether a key belongs to a backbone that this configuration does not use.
    pub fn is_idle(&self, key: &str) -> bool {
        let section = key.strip_prefix("backbone.").and_then(|rest| rest.split_once('.'));
        section.is_some_and(|(name, _)| name != self.backbone.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chosen_backbone_is_written_and_reads_back() {
        let mut config = RunConfig::default();
        config.backbone.name = "mmgcn".into();
        config.backbone.mmgcn.layers = 2;
        let text = config.to_toml().unwrap();
        assert!(text.contains("[backbone.mmgcn]") && !text.contains("[backbone.grcn]"), "{text}");
        assert_eq!(toml::from_str::<RunConfig>(&text).unwrap(), config);
        assert!(config.is_idle("backbone.grcn.layers") && !config.is_idle("backbone.mmgcn.layers"));
        assert!(!config.is_idle("backbone.name") && !config.is_idle("train.lr"));
    }
}
