//! Metrics of one ranked list. Each is a file here and a line in [`MetricName`].

mod hit;
mod metric;
mod ndcg;
mod precision;
mod recall;

pub use hit::HitRate;
pub use metric::Metric;
pub use ndcg::{Ndcg, NdcgDefinition};
pub use precision::Precision;
pub use recall::Recall;

use serde::{Deserialize, Serialize};

/// The metrics there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricName {
    /// [`Recall`].
    Recall,
    /// [`Precision`].
    Precision,
    /// [`Ndcg`].
    Ndcg,
    /// [`HitRate`].
    Hit,
}

impl MetricName {
    /// Every metric, in the order of reports.
    pub const ALL: [MetricName; 4] =
        [MetricName::Recall, MetricName::Precision, MetricName::Ndcg, MetricName::Hit];

    /// The metric of this name; `ndcg` chooses the definition of NDCG.
    pub fn metric(self, ndcg: NdcgDefinition) -> Box<dyn Metric> {
        match self {
            MetricName::Recall => Box::new(Recall),
            MetricName::Precision => Box::new(Precision),
            MetricName::Ndcg => Box::new(Ndcg { definition: ndcg }),
            MetricName::Hit => Box::new(HitRate),
        }
    }

    /// The name in settings and results.
    pub fn as_str(self) -> &'static str {
        self.metric(NdcgDefinition::default()).name()
    }
}

/// Every metric, with the given definition of NDCG.
pub fn registry(ndcg: NdcgDefinition) -> Vec<Box<dyn Metric>> {
    MetricName::ALL.iter().map(|name| name.metric(ndcg)).collect()
}

#[cfg(test)]
mod tests {
    use super::metric::hits_within;
    use super::*;
    use proptest::prelude::*;

    const BOTH: [NdcgDefinition; 2] = [NdcgDefinition::Standard, NdcgDefinition::Retrieved];

    /// Three held-out items, hits at ranks 1 and 4, k = Kmax = 5; DCG = 1 + 1/log2(5).
    fn expected(name: &str, ndcg: NdcgDefinition) -> f64 {
        let dcg = 1.430_676_558_073_393;
        match (name, ndcg) {
            ("recall", _) => 2.0 / 3.0,
            ("precision", _) => 2.0 / 5.0,
            ("hit", _) => 1.0,
            ("ndcg", NdcgDefinition::Standard) => dcg / 2.130_929_753_571_457_4,
            ("ndcg", NdcgDefinition::Retrieved) => dcg / 1.630_929_753_571_457_4,
            (name, _) => panic!("no hand-computed case for metric `{name}`"),
        }
    }

    #[test]
    fn every_metric_agrees_with_its_hand_computed_case() {
        let hits = [true, false, false, true, false];
        for ndcg in BOTH {
            for metric in registry(ndcg) {
                let value = metric.value(&hits, 3, 5);
                let expected = expected(metric.name(), ndcg);
                assert!((value - expected).abs() < 1e-12, "{}: {value}", metric.name());
            }
        }
    }

    #[test]
    fn every_metric_has_its_own_name_the_one_in_settings_and_a_definition() {
        let mut seen = std::collections::BTreeSet::new();
        for (name, metric) in MetricName::ALL.iter().zip(registry(NdcgDefinition::Standard)) {
            let setting = serde_json::to_value(name).unwrap();
            assert_eq!(setting, metric.name());
            assert_eq!(name.as_str(), metric.name());
            assert!(metric.definition().contains("@k = "), "{}", metric.definition());
            assert!(metric.higher_is_better());
            assert!(seen.insert(metric.name()));
        }
    }

    #[test]
    fn a_perfect_list_has_value_one_and_an_empty_one_zero() {
        for ndcg in BOTH {
            for metric in registry(ndcg) {
                assert_eq!(metric.value(&[true; 4], 4, 4), 1.0, "{}", metric.name());
                assert_eq!(metric.value(&[false; 4], 4, 4), 0.0, "{}", metric.name());
                assert_eq!(metric.value(&[], 4, 4), 0.0, "{}", metric.name());
                assert_eq!(metric.value(&[false; 4], 0, 4), 0.0, "{}", metric.name());
            }
        }
    }

    /// Hits over Kmax ranks, held-out items (no fewer than hits), a cut-off of at most Kmax.
    fn case() -> impl Strategy<Value = (Vec<bool>, usize, usize)> {
        prop::collection::vec(any::<bool>(), 1..30).prop_flat_map(|hits| {
            let (n, kmax) = (hits_within(&hits, usize::MAX), hits.len());
            (Just(hits), n.max(1)..n + 30, 1..=kmax)
        })
    }

    proptest! {
        #[test]
        fn values_lie_between_zero_and_one((hits, relevant, k) in case()) {
            for metric in BOTH.into_iter().flat_map(registry) {
                let value = metric.value(&hits, relevant, k);
                prop_assert!((0.0..=1.0).contains(&value), "{}: {}", metric.name(), value);
            }
        }

        #[test]
        fn one_more_hit_never_lowers_a_value((mut hits, relevant, k) in case(), at in 0usize..30) {
            // Retrieved NDCG is left out: there a late hit does lower the value (see ndcg.rs).
            let at = at % hits.len();
            hits[at] = false;
            let metrics = registry(NdcgDefinition::Standard);
            let before: Vec<f64> = metrics.iter().map(|m| m.value(&hits, relevant + 1, k)).collect();
            hits[at] = true;
            for (metric, before) in metrics.iter().zip(before) {
                let after = metric.value(&hits, relevant + 1, k);
                let rises = at < k && metric.name() != "hit";
                prop_assert!(after > before || (!rises && after >= before), "{}", metric.name());
            }
        }

        #[test]
        fn what_lies_below_the_cut_off_changes_nothing((mut hits, relevant, k) in case()) {
            let metrics = registry(NdcgDefinition::Standard);
            let full: Vec<f64> = metrics.iter().map(|m| m.value(&hits, relevant, k)).collect();
            hits.truncate(k);
            for (metric, full) in metrics.iter().zip(full) {
                prop_assert_eq!(metric.value(&hits, relevant, k), full);
            }
        }
    }
}
