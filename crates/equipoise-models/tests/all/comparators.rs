//! The backbones that others are compared with: their variants, and what they do not read.

use equipoise_models::suite::{self, Observed, Probe};
use equipoise_models::{Ablation, AblationEffect, BackboneConfig, BprMf, LightGcn, Model, built_in, find};

fn config(name: &str, change: impl Fn(&mut BackboneConfig)) -> BackboneConfig {
    let mut config = BackboneConfig { width: 5, ..BackboneConfig::named(name) };
    change(&mut config);
    config
}

fn seen(model: &Model, ablations: &[Ablation]) -> Observed {
    let triples = suite::triples(9, 3);
    let probe = Probe { triples: &triples, ablations, all_rows: false, penalty: 0.0, naive: false, step: 0 };
    suite::observe(model, &probe)
}

#[test]
fn every_variant_behaves() {
    let check = |config: BackboneConfig| suite::check_with(find(&config.name).expect("registered"), &config);
    check(config("bprmf", |c| c.get_mut::<BprMf>().bias = true));
    for (layers, reg_ids) in [(0, 0.5), (1, 0.0), (4, 0.125)] {
        check(config("lightgcn", |c| {
            (c.get_mut::<LightGcn>().layers, c.get_mut::<LightGcn>().reg_ids) = (layers, reg_ids)
        }));
    }
}

/// With nothing to smooth over, the id tables remain.
#[test]
fn lightgcn_without_layers_is_bprmf() {
    let data = suite::dataset(1, 3);
    let bprmf = suite::model(&config("bprmf", |_| ()), &data, 3);
    let lightgcn = |layers| {
        let config = config("lightgcn", |c| {
            (c.get_mut::<LightGcn>().layers, c.get_mut::<LightGcn>().reg_ids) = (layers, 0.0)
        });
        suite::model(&config, &data, 3)
    };
    assert_eq!(seen(&lightgcn(0), &[Ablation::FULL]), seen(&bprmf, &[Ablation::FULL]));
    assert_ne!(seen(&lightgcn(1), &[Ablation::FULL]), seen(&bprmf, &[Ablation::FULL]));
}

#[test]
fn settings_out_of_range_are_refused() {
    let fault = |change: fn(&mut BackboneConfig)| {
        config("lightgcn", change).check().err().map(|fault| fault.to_string())
    };
    let expected = |text: &str| Some(format!("backbone.lightgcn.{text}"));
    assert_eq!(fault(|c| c.get_mut::<LightGcn>().layers = 9), expected("layers = 9: expected 0 to 8"));
    assert_eq!(
        fault(|c| c.get_mut::<LightGcn>().reg_ids = -1.0),
        expected("reg_ids = -1: expected 0 or more")
    );
    assert_eq!(
        fault(|c| c.get_mut::<LightGcn>().reg_ids = f64::NAN),
        expected("reg_ids = NaN: expected 0 or more")
    );
}

/// Those that read a modality by its inputs change with it, the others by no bit.
#[test]
fn silencing_shows_what_the_registry_says() {
    let (data, ablations) = (suite::dataset(2, 3), suite::every_ablation(2));
    for entry in built_in() {
        let margins = seen(&suite::model(&config(entry.name, |_| ()), &data, 3), &ablations).margins;
        for (silenced, ablation) in margins[1..].iter().zip(&ablations[1..]) {
            let same = *silenced == margins[0];
            assert_eq!(
                same,
                entry.ablation_effect == AblationEffect::Nothing,
                "{}, {ablation:?}",
                entry.name
            );
        }
    }
}

#[test]
fn what_is_not_learned_has_no_parameter_and_no_width() {
    let data = suite::dataset(2, 3);
    for (name, width) in [("popularity", 1), ("itemknn", 3 + 5)] {
        let model = suite::model(&config(name, |_| ()), &data, 3);
        assert!(model.parameters.is_empty());
        let plain = equipoise_models::encode_naively(
            model.backbone.as_ref(),
            &equipoise_models::Request::inference(
                &model.parameters.values(false),
                &model.inputs,
                &[Ablation::FULL],
            ),
        );
        assert_eq!(plain.tables(Ablation::FULL).2, width, "{name}");
    }
}
