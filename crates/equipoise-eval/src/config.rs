//! Settings of an evaluation.

use std::collections::BTreeSet;

use equipoise_data::{FieldError, Interactions};
use serde::{Deserialize, Serialize};

use crate::metrics::{Metric, MetricName, NdcgDefinition};

/// Settings of an evaluation.
///
/// | Field | Default | Purpose |
/// |---|---|---|
/// | `ks` | 5, 10, 20, 50 | cut-offs; the largest is Kmax |
/// | `metrics` | recall, precision, ndcg, hit | what to compute at each cut-off |
/// | `ndcg` | standard | which [`NdcgDefinition`] |
/// | `exclude_validation_at_test` | false | whether validation items stop being candidates at test |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvalConfig {
    /// Cut-offs, each at least 1, none twice.
    pub ks: Vec<usize>,
    /// Metrics, none twice.
    pub metrics: Vec<MetricName>,
    /// Definition of NDCG.
    pub ndcg: NdcgDefinition,
    /// Removes validation items from the candidates of a test. Published results keep them; without
    /// them test values are slightly higher.
    pub exclude_validation_at_test: bool,
}

impl Default for EvalConfig {
    fn default() -> Self {
        EvalConfig {
            ks: vec![5, 10, 20, 50],
            metrics: MetricName::ALL.to_vec(),
            ndcg: NdcgDefinition::default(),
            exclude_validation_at_test: false,
        }
    }
}

impl EvalConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// If `ks` or `metrics` is empty or repeats itself, or a cut-off is 0.
    pub fn check(&self) -> Result<(), FieldError> {
        check_list("ks", &self.ks, usize::to_string)?;
        check_list("metrics", &self.metrics, |name| format!("\"{}\"", name.as_str()))?;
        match self.ks.iter().position(|&k| k == 0) {
            Some(place) => {
                let error =
                    FieldError::new("ks", listed(&self.ks, usize::to_string), "cut-offs of at least 1");
                Err(error.hint(format!("found 0 at place {}", place + 1)))
            }
            None => Ok(()),
        }
    }

    /// Kmax, the largest cut-off; 0 when there is none.
    pub fn largest_k(&self) -> usize {
        self.ks.iter().copied().max().unwrap_or(0)
    }

    /// What to exclude when testing: the training items, and the validation items when set so.
    pub fn excluded_at_test<'a>(
        &self,
        train: &'a Interactions,
        validation: &'a Interactions,
    ) -> Vec<&'a Interactions> {
        if self.exclude_validation_at_test { vec![train, validation] } else { vec![train] }
    }

    /// The chosen metrics.
    pub(crate) fn metrics(&self) -> Vec<Box<dyn Metric>> {
        self.metrics.iter().map(|name| name.metric(self.ndcg)).collect()
    }
}

fn check_list<T: Ord>(key: &str, values: &[T], shown: fn(&T) -> String) -> Result<(), FieldError> {
    let error = |expected: &str| FieldError::new(key, listed(values, shown), expected);
    let mut seen = BTreeSet::new();
    match values.iter().find(|v| !seen.insert(*v)) {
        Some(twice) => Err(error("each value once").hint(format!("found {} twice", shown(twice)))),
        None if values.is_empty() => Err(error("at least one value")),
        None => Ok(()),
    }
}

/// A list as it is written in TOML.
fn listed<T>(values: &[T], shown: fn(&T) -> String) -> String {
    format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_means_the_defaults() {
        assert_eq!(toml::from_str::<EvalConfig>("").unwrap(), EvalConfig::default());
        EvalConfig::default().check().unwrap();
    }

    #[test]
    fn names_are_snake_case_and_survive_a_round_trip() {
        let text = "ks = [20]\nmetrics = [\"ndcg\", \"hit\"]\nndcg = \"retrieved\"\n\
                    exclude_validation_at_test = true\n";
        let config: EvalConfig = toml::from_str(text).unwrap();
        assert_eq!(config.ndcg, NdcgDefinition::Retrieved);
        assert_eq!(config.metrics, [MetricName::Ndcg, MetricName::Hit]);
        assert_eq!(toml::to_string(&config).unwrap(), text);
    }

    #[test]
    fn unknown_fields_and_metrics_are_refused() {
        for text in ["topk = [20]", "metrics = [\"recal\"]", "ndcg = \"lattice\""] {
            assert!(toml::from_str::<EvalConfig>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn useless_lists_are_refused_by_field() {
        let with_ks = |ks: &[usize]| EvalConfig { ks: ks.to_vec(), ..EvalConfig::default() };
        for (ks, part) in [
            (&[][..], "at least one value"),
            (&[20, 0], "found 0 at place 2"),
            (&[20, 5, 20], "found 20 twice"),
        ] {
            let error = with_ks(ks).check().unwrap_err().to_string();
            assert!(error.starts_with("ks = [") && error.contains(part), "{error}");
        }
        let config = EvalConfig { metrics: vec![], ..EvalConfig::default() };
        assert!(config.check().unwrap_err().to_string().starts_with("metrics = []: "));
    }
}
