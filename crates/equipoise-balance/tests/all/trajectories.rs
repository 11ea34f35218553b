//! Whole training steps, loss to Adam's update, against an independent implementation.

use crate::common;

use burn::tensor::{Tensor, TensorData};
use common::*;
use equipoise_balance::ckd::Distillation;
use equipoise_models::Ablation;
use equipoise_nn::{Adam, AdamConfig};
use serde_json::Value;

fn update(f: &mut Fixture, adam: &mut Adam, seen: &Step) {
    let device = f.model.parameters.device().clone();
    let shapes: Vec<[usize; 2]> = f.model.parameters.iter().map(|(_, _, shape)| shape).collect();
    let tensor = |((_, g), shape): (&(String, Vec<f32>), [usize; 2])| {
        Some(Tensor::from_data(TensorData::new(g.clone(), shape), &device))
    };
    let gradients = seen.gradients.iter().zip(shapes).map(tensor).collect();
    adam.step(&mut f.model.parameters, gradients);
}

fn follow(ckd: &Value, trajectory: &Value) {
    let (name, config) = (text(trajectory, "name"), &trajectory["config"]);
    let mut f = Fixture::named(ckd, text(trajectory, "fixture"));
    let mut balancer = Distillation::new(ckd_config(config), f.teachers.clone(), f.n());
    let lr = trajectory["lr"].as_f64().expect("a learning rate");
    let mut adam = Adam::new(AdamConfig { lr, ..AdamConfig::default() });
    for (k, expected) in list(&trajectory["steps"]).iter().enumerate() {
        let what = |part: &str| format!("{name} step {} {part}", k + 1);
        let seen = step(&f, Ablation::FULL, &mut balancer, config["reg"].as_f64().expect("a penalty"));
        close(&what("loss"), &[seen.total as f32], &numbers(&expected["loss"]));
        let lambda: Vec<f32> = seen.modalities.iter().map(|m| m.weight as f32).collect();
        close(&what("lambda"), &lambda, &numbers(&expected["lambda"]));
        update(&mut f, &mut adam, &seen);
        for (parameter, values) in expected["parameters"].as_object().expect("tables by name") {
            close(&what(parameter), &f.model.parameters.read(parameter), &numbers(values));
        }
    }
}

#[test]
fn three_whole_steps_end_at_the_reference_parameters() {
    let (ckd, adam) = (golden("ckd"), golden("adam"));
    let trajectories = list(&adam["trajectories"]);
    assert!(trajectories.len() >= 3);
    for trajectory in trajectories {
        assert_eq!(list(&trajectory["steps"]).len(), 3);
        follow(&ckd, trajectory);
    }
}
