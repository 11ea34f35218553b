//! The keys that a configuration may have.

use super::types::RunConfig;
use equipoise_balance::balancers;
use equipoise_data::formats::{FormatEntry, formats};
use equipoise_models::backbones;
use std::collections::BTreeSet;

/// Keys that are absent from the serialised default, for they have no default value or do not write it, but for those in the sections of
/// backbones, balancers and layouts.
const OPTIONAL: [&str; 7] = [
    "data.modalities",
    "train.reg_content",
    "train.checkpoint_every",
    "balance.teachers",
    "balance.plain",
    "balance.teacher.lr",
    "balance.teacher.reg",
];

/// Keys of earlier versions and what they are called now.
const RENAMED: [(&str, &str); 1] = [("data.features", "data.scale")];

/// The name that a key has now.
pub fn current(key: &str) -> &str {
    RENAMED.iter().find(|(old, _)| *old == key).map_or(key, |(_, new)| new)
}

/// Every key, dotted.
pub fn all() -> BTreeSet<String> {
    let defaults =
        toml::Table::try_from(RunConfig::default()).expect("the default configuration is valid TOML");
    let mut keys: BTreeSet<String> = OPTIONAL.iter().map(|k| (*k).to_owned()).collect();
    keys.extend(of_sections());
    keys.extend(of_layouts());
    leaves("", &defaults, &mut |key, _| {
        keys.insert(key.to_owned());
    });
    keys
}

/// The settings of every registered backbone and balancer, with or without a default value.
fn of_sections() -> Vec<String> {
    let backbones = backbones().into_iter().map(|b| ("backbone", b.name, Some(b.section())));
    let balancers = balancers().into_iter().map(|b| ("balance", b.name, b.section()));
    let all = backbones.chain(balancers).filter_map(|(part, name, section)| Some((part, name, section?)));
    let fields = all.map(|(part, name, section)| (part, name, section.fields()));
    fields.flat_map(|(part, name, fields)| fields.iter().map(move |f| format!("{part}.{name}.{f}"))).collect()
}

/// The options of every layout of data sets.
fn of_layouts() -> Vec<String> {
    let options = formats().into_iter().flat_map(FormatEntry::options);
    options.map(|option| format!("data.layout.{option}")).collect()
}

/// Calls `visit(dotted key, value)` for each value that is not a table.
pub fn leaves(prefix: &str, table: &toml::Table, visit: &mut impl FnMut(&str, &toml::Value)) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => leaves(&key, inner, visit),
            value => visit(&key, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CheckpointEvery;
    use equipoise_balance::ogm::Contribution;
    use equipoise_balance::weights::{Denominator, Guard, Level, Sum};
    use equipoise_balance::{Ckd, Ogm, TeacherConfig};

    #[test]
    fn the_optional_keys_are_exactly_those_that_the_default_leaves_out() {
        let mut config = RunConfig::default();
        config.data.modalities = Some(vec!["text".into()]);
        config.train.reg_content = 2.0;
        config.train.checkpoint_every = CheckpointEvery::Never;
        config.balance.teachers = Some("t".into());
        config.balance.plain = Some("p".into());
        config.balance.get_mut::<Ogm>().contribution = Some(Contribution::Split);
        config.balance.teacher = TeacherConfig { lr: Some(0.1), reg: Some(0.1) };
        config.balance.set(Ckd {
            generic_items: Some(1),
            sum: Some(Sum::One),
            level: Some(Level::Batch),
            denominator: Some(Denominator::Teacher),
            guard: Some(Guard::Raw),
            ..Ckd::default()
        });
        let full = toml::Table::try_from(config).unwrap();
        // A configuration holds options of whatever layout its data set has.
        let mut keys: BTreeSet<String> = of_layouts().into_iter().collect();
        leaves("", &full, &mut |k, _| {
            keys.insert(k.to_owned());
        });
        assert_eq!(keys, all());
    }

    #[test]
    fn a_near_miss_finds_its_key() {
        let keys = all();
        let find = |w| equipoise_data::closest(w, keys.iter().map(String::as_str));
        assert_eq!(find("balance.ckd.lambda_kdd"), Some("balance.ckd.lambda_kd"));
        assert_eq!(find("learning.lr"), Some("train.lr"));
        assert_eq!(find("zzzz"), None);
    }
}
