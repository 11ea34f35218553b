//! Normalised discounted cumulative gain, in the two definitions in use.

use serde::{Deserialize, Serialize};

use super::metric::{Metric, hits_within};

/// What the gain of a list is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NdcgDefinition {
    /// The gain of a list that starts with all held-out items:
    /// `IDCG@k = sum_{p=1}^{min(g, k)} 1 / log2(p + 1)`.
    #[default]
    Standard,
    /// The gain of the hits retrieved within Kmax, the largest cut-off requested, moved to the top:
    /// `IDCG@k = sum_{p=1}^{min(h, k)} 1 / log2(p + 1)`, h hits among the first Kmax.
    ///
    /// Used by the published code of LATTICE and NGCF. Never below the standard value at k = Kmax;
    /// below Kmax the value depends on Kmax, and a late hit lowers it.
    Retrieved,
}

/// `NDCG@k = DCG@k / IDCG@k` with `DCG@k = sum_{p=1}^{k} r_p / log2(p + 1)`; 0 when IDCG is 0.
#[derive(Debug, Clone, Copy)]
pub struct Ndcg {
    /// Which IDCG.
    pub definition: NdcgDefinition,
}

impl Metric for Ndcg {
    fn name(&self) -> &'static str {
        "ndcg"
    }

    fn definition(&self) -> String {
        let ideal = match self.definition {
            NdcgDefinition::Standard => "all held-out items of the user first (standard)",
            NdcgDefinition::Retrieved => {
                "the hits within the largest k requested moved to the top (retrieved)"
            }
        };
        format!(
            "ndcg@k = DCG@k / IDCG@k, DCG@k = sum of 1 / log2(rank + 1) over the hits among the \
             first k, IDCG@k = DCG@k with {ideal}"
        )
    }

    fn reads_order(&self) -> bool {
        true
    }

    fn value(&self, hits: &[bool], relevant: usize, k: usize) -> f64 {
        if relevant == 0 {
            return 0.0;
        }
        let ranks = hits.iter().take(k).zip(1..);
        let gain: f64 = ranks.filter(|(hit, _)| **hit).map(|(_, rank)| discount(rank)).sum();
        let ideal = match self.definition {
            NdcgDefinition::Standard => relevant,
            NdcgDefinition::Retrieved => hits_within(hits, usize::MAX),
        };
        if gain == 0.0 {
            return 0.0;
        }
        gain / (1..=ideal.min(k)).map(discount).sum::<f64>()
    }
}

fn discount(rank: usize) -> f64 {
    1.0 / ((rank + 1) as f64).log2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STANDARD: Ndcg = Ndcg { definition: NdcgDefinition::Standard };
    const RETRIEVED: Ndcg = Ndcg { definition: NdcgDefinition::Retrieved };

    #[test]
    fn a_late_hit_lowers_retrieved_ndcg_at_smaller_cut_offs_only() {
        let mut hits = [false; 20];
        hits[0] = true;
        assert_eq!(RETRIEVED.value(&hits, 2, 10), 1.0);
        let standard = STANDARD.value(&hits, 2, 10);
        hits[14] = true;
        assert!((RETRIEVED.value(&hits, 2, 10) - 1.0 / (1.0 + 1.0 / 3f64.log2())).abs() < 1e-12);
        assert_eq!(STANDARD.value(&hits, 2, 10), standard);
    }

    proptest! {
        #[test]
        fn retrieved_is_never_below_standard_at_kmax(
            hits in prop::collection::vec(any::<bool>(), 1..40), missed in 0usize..5,
        ) {
            let (n, k) = (hits_within(&hits, usize::MAX), hits.len());
            let relevant = n + missed;
            let (standard, retrieved) = (STANDARD.value(&hits, relevant, k), RETRIEVED.value(&hits, relevant, k));
            prop_assert!(retrieved >= standard);
            // Equal when nothing reachable was missed, or nothing found; else strictly above.
            let equal = n == 0 || n >= relevant.min(k);
            prop_assert_eq!(retrieved == standard, equal);
        }
    }
}
