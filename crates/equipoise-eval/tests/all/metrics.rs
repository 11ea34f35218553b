//! Metrics agree with an independent implementation; `reference/metrics.py` made the numbers.

use equipoise_eval::NdcgDefinition;
use equipoise_eval::metrics::registry;
use serde_json::Value;

fn items(value: &Value) -> Vec<u64> {
    let items = value.as_array().expect("a list of items").iter();
    items.map(|v| v.as_u64().expect("an item")).collect()
}

#[test]
fn every_metric_agrees_with_the_reference_at_every_cut_off() {
    let text = include_str!("../../../../reference/golden/metrics.json");
    let golden: Value = serde_json::from_str(text).expect("the golden file is JSON");
    let mut compared = 0;
    for case in golden["cases"].as_array().expect("a list of cases") {
        let (held_out, kmax) = (items(&case["held_out"]), case["kmax"].as_u64().unwrap());
        let ranked = items(&case["ranked"]).into_iter().take(kmax as usize);
        let hits: Vec<bool> = ranked.map(|item| held_out.contains(&item)).collect();
        for expected in case["expected"].as_array().expect("a list of cut-offs") {
            let k = expected["k"].as_u64().unwrap() as usize;
            for (definition, ndcg) in
                [(NdcgDefinition::Standard, "ndcg_standard"), (NdcgDefinition::Retrieved, "ndcg_retrieved")]
            {
                for metric in registry(definition) {
                    let key = if metric.name() == "ndcg" { ndcg } else { metric.name() };
                    let found = metric.value(&hits, held_out.len(), k);
                    let expected = expected[key].as_f64().expect("a reference value");
                    let what = format!("{}, {key}@{k}", case["name"]);
                    assert!((found - expected).abs() < 1e-12, "{what}: {found} {expected}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 0);
}
