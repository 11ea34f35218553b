//! Help texts that name backbones and balancers: made from the registries, so that one of your own is among them.

use equipoise_balance::{BalanceConfig, Requirement, balancers};
use equipoise_models::{BackboneConfig, backbones};

/// The backbones, for `--backbone`.
pub fn backbone() -> String {
    format!("Backbone: {}", backbone_names().join(", "))
}

/// The same with the default.
pub fn backbone_or_default() -> String {
    format!("Backbone: {} [default: {}]", backbone_names().join(", "), BackboneConfig::default().name)
}

/// The balancers, for `--balance`.
pub fn balancer() -> String {
    let names: Vec<&str> = balancers().into_iter().map(|b| b.name).collect();
    format!("Balancer: {} ({} train what they need first)", names.join(", "), and(&demanding()))
}

/// For `--teachers`.
pub fn teachers() -> String {
    format!("Directory of saved teachers, for {} [default: RUN/teachers]", and(&demanding()))
}

fn backbone_names() -> Vec<&'static str> {
    backbones().into_iter().map(|b| b.name).collect()
}

/// The balancers that need something first.
fn demanding() -> Vec<&'static str> {
    let names = balancers().into_iter().map(|b| b.name);
    names.filter(|name| BalanceConfig::named(name).requirement() != Requirement::Nothing).collect()
}

/// `a, b and c`.
fn and(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_name_is_in_the_help() {
        assert!(backbones().iter().all(|b| backbone().contains(b.name)));
        assert!(balancers().iter().all(|b| balancer().contains(b.name)));
        assert_eq!(teachers(), "Directory of saved teachers, for ckd, gb and g2d [default: RUN/teachers]");
    }
}
