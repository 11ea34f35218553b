//! Paired tests agree with SciPy; `reference/significance.py` made the numbers.

use equipoise_eval::{WilcoxonMethod, holm, paired_t, wilcoxon_signed_rank};
use serde_json::Value;

fn golden() -> Value {
    let text = include_str!("../../../../reference/golden/significance.json");
    serde_json::from_str(text).expect("the golden file is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().expect("a list of numbers").iter();
    values.map(|v| v.as_f64().expect("a number")).collect()
}

fn assert_close(what: &str, found: f64, expected: &Value, relative: f64) {
    let expected = expected.as_f64().expect("a number");
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "{what}: expected {expected:e}, found {found:e}"
    );
}

#[test]
fn paired_t_agrees_with_scipy() {
    for case in golden()["paired"].as_array().unwrap() {
        let test = paired_t(&numbers(&case["a"]), &numbers(&case["b"])).unwrap();
        let (name, expected) = (&case["name"], &case["t"]);
        assert_close(&format!("{name}, t"), test.statistic, &expected["statistic"], 1e-9);
        assert_close(&format!("{name}, df"), test.df, &expected["df"], 0.0);
        assert_close(&format!("{name}, p"), test.p_value, &expected["p_value"], 1e-8);
    }
}

#[test]
fn wilcoxon_agrees_with_scipy() {
    let mut methods = vec![];
    for case in golden()["paired"].as_array().unwrap() {
        let test = wilcoxon_signed_rank(&numbers(&case["a"]), &numbers(&case["b"])).unwrap();
        let (name, expected) = (&case["name"], &case["wilcoxon"]);
        assert_eq!(serde_json::to_value(test.method).unwrap(), expected["method"], "{name}");
        assert_close(&format!("{name}, W"), test.statistic, &expected["statistic"], 0.0);
        assert_close(&format!("{name}, p"), test.p_value, &expected["p_value"], 1e-8);
        methods.push(test.method);
    }
    assert!(methods.contains(&WilcoxonMethod::Exact) && methods.contains(&WilcoxonMethod::Normal));
}

#[test]
fn holm_agrees_with_the_reference() {
    for case in golden()["holm"].as_array().unwrap() {
        let adjusted = holm(&numbers(&case["p_values"])).unwrap();
        let expected = case["adjusted"].as_array().unwrap();
        assert_eq!(adjusted.len(), expected.len());
        for (found, expected) in adjusted.into_iter().zip(expected) {
            assert_close("adjusted p", found, expected, 1e-12);
        }
    }
}
