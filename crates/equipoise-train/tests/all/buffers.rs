//! A training step that has been made before makes its tables in memory that is there.

use equipoise_balance::{BalancerSettings, Setup, Unbalanced};
use equipoise_data::{LoadOptions, Seed, load};
use equipoise_import::synthetic::{DemoConfig, write_demo};
use equipoise_models::{Ablation, AblationEffect, BackboneConfig, Model, built_in};
use equipoise_nn::buffers;
use equipoise_train::{RunConfig, Stepper, TrainConfig};

#[test]
fn a_steady_step_allocates_no_large_buffer() {
    let dir = tempfile::tempdir().unwrap();
    write_demo(dir.path(), &DemoConfig { users: 420, items: 330, seed: 3 }).unwrap();
    let data = load(dir.path(), &LoadOptions::default()).unwrap().data;
    for backbone in built_in() {
        let device = equipoise_nn::device("cpu").unwrap();
        let model = Model::new(&BackboneConfig::named(backbone.name), &data, Seed(1), &device).unwrap();
        if model.parameters.is_empty() {
            continue;
        }
        let setup = Setup::new(data.modalities.len(), AblationEffect::Additive, Seed(0));
        let balancer = Unbalanced::default().build(setup);
        let train = TrainConfig { batch_size: 512, ..TrainConfig::default() };
        let config = RunConfig { train, ..RunConfig::default() }.checked().unwrap();
        let mut stepper =
            Stepper::new(model, Ablation::FULL, balancer, &data.train, &config, Seed(1)).unwrap();
        let mut counted = |steps: usize| {
            let before = buffers::counts();
            (0..steps).for_each(|_| drop(stepper.step(&data.train)));
            let after = buffers::counts();
            (after.asked - before.asked, after.allocated - before.allocated)
        };
        counted(40);
        let (asked, allocated) = counted(10);
        assert!(asked >= 10, "{}: the kernels make large tables: {asked}", backbone.name);
        // A batch with more distinct rows than any before may still need a longer buffer.
        assert!(allocated * 50 <= asked, "{}: {allocated} of {asked}", backbone.name);
    }
}
