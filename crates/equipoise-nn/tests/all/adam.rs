//! Adam against reference values, and what it must leave alone; scalar functions at their edges.

use burn::tensor::{Tensor, TensorData};
use equipoise_nn::math::{sigmoid, softplus};
use equipoise_nn::{Adam, AdamConfig, Group, Parameters};
use serde_json::Value;

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/golden/adam.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list(v: &Value) -> Vec<f32> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

fn parameters(tables: &[(&str, &[f32])]) -> Parameters {
    let mut p = Parameters::new(&equipoise_nn::device("cpu").unwrap());
    tables.iter().for_each(|(name, values)| p.add(name, Group::Shared, [1, values.len()], values.to_vec()));
    p
}

fn row(values: &[f32]) -> Tensor<2> {
    let device = equipoise_nn::device("cpu").unwrap();
    Tensor::from_data(TensorData::new(values.to_vec(), [1, values.len()]), &device)
}

#[test]
fn every_reference_sequence_is_followed() {
    let golden = golden();
    let cases = golden["arrays"].as_array().unwrap();
    assert!(cases.len() >= 5);
    for case in cases {
        let mut p = parameters(&[("x", &list(&case["start"]))]);
        let mut adam = Adam::new(AdamConfig { lr: case["lr"].as_f64().unwrap(), ..AdamConfig::default() });
        for (t, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            adam.step(&mut p, vec![Some(row(&list(&step["gradient"])))]);
            for (found, expected) in p.read("x").iter().zip(list(&step["expected"]["parameter"])) {
                let near = (found - expected).abs() <= 1e-5 * (1.0 + expected.abs());
                assert!(near, "{} step {}: found {found}, expected {expected}", case["name"], t + 1);
            }
        }
    }
}

#[test]
fn a_table_without_gradient_keeps_its_values_and_its_moments() {
    let mut p = parameters(&[("moved", &[1.0, 2.0]), ("left", &[3.0])]);
    let mut adam = Adam::new(AdamConfig { lr: 0.1, ..AdamConfig::default() });
    adam.step(&mut p, vec![Some(row(&[1.0, -1.0])), None]);
    let after_one = p.read("moved");
    assert_eq!((p.read("left"), adam.steps()), (vec![3.0], 1));
    adam.step(&mut p, vec![None, Some(row(&[1.0]))]);
    assert_eq!(p.read("moved"), after_one, "no gradient, no move, whatever the momentum");
    assert_ne!(p.read("left"), [3.0]);
}

#[test]
fn a_rate_multiplies_the_step_and_not_the_moments() {
    let start = [1.0, -2.0, 0.5f32];
    let mut p = parameters(&[("whole", &start), ("half", &start), ("still", &start)]);
    let mut adam = Adam::new(AdamConfig { lr: 0.125, ..AdamConfig::default() });
    let gradient = || Some(row(&[0.5, -1.0, 2.0]));
    for rates in [[1.0f32, 0.5, 0.0], [1.0, 1.0, 1.0]] {
        let names = ["whole", "half", "still"];
        let before = names.map(|name| p.read(name));
        adam.step_at(&mut p, vec![gradient(), gradient(), gradient()], &rates.map(f64::from));
        let moved: Vec<Vec<f32>> = names
            .iter()
            .zip(before)
            .map(|(name, before)| p.read(name).iter().zip(before).map(|(a, b)| a - b).collect())
            .collect();
        for (rate, moved_so) in rates.iter().zip(&moved) {
            for (found, whole) in moved_so.iter().zip(&moved[0]) {
                assert!((found - rate * whole).abs() < 1e-6, "{rate}: {found} {whole}");
            }
        }
    }
}

#[test]
fn softplus_has_the_sigmoid_as_its_slope_everywhere() {
    let x = [-1e4, -80.0, -1.0, -1e-6, 0.0, 1e-6, 0.5, 3.0, 80.0, 1e4f32];
    let device = equipoise_nn::device("cpu").unwrap();
    let leaf: Tensor<1> = Tensor::from_data(TensorData::new(x.to_vec(), [x.len()]), &device);
    let leaf = leaf.autodiff().require_grad();
    let out = softplus(leaf.clone());
    let gradients = out.clone().sum().backward();
    let slopes: Vec<f32> = leaf.grad(&gradients).unwrap().into_data().try_into_vec().unwrap();
    let values: Vec<f32> = out.inner().into_data().try_into_vec().unwrap();
    for ((x, slope), value) in x.iter().zip(slopes).zip(values) {
        let exact = f64::from(*x).max(0.0) + (-f64::from(*x).abs()).exp().ln_1p();
        assert!((f64::from(value) - exact).abs() <= 1e-6 * (1.0 + exact), "softplus({x}) = {value}");
        assert!((slope - sigmoid(*x)).abs() <= 1e-6, "slope at {x}: {slope}, expected {}", sigmoid(*x));
    }
}
