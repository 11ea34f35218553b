//! Strangers, calibrated weights, and models that move.

use crate::common;

use common::Trained;
use equipoise_eval::EvalConfig;
use equipoise_recommend::{
    BasketItem, Calibration, RecommendRequest, SERVING, ScoreWeights, ServedModel, ServingOptions,
    ServingSettings, WEIGHTS, calibrate, prepare,
};
use std::collections::BTreeMap;

#[test]
fn calibration_is_no_worse_on_validation_than_the_whole_model_its_channels_and_itself_without_a_modality() {
    for backbone in ["vbpr", "grcn", "mgcn", "lightgcn"] {
        // With this seed the model is a little better without the audio, for two backbones.
        let trained = Trained::with(backbone, |config| config.seed = 4);
        let found = calibrate(&trained.model, 20).unwrap();
        let best = found.channels.values().fold(found.whole, |a, &b| a.max(b));
        assert!(found.calibrated >= best - 1e-12, "{backbone}: {found:?}");
        let with = |weights: BTreeMap<String, f64>| {
            let setting = Calibration { weights, ..found.clone() };
            let model = trained.model.with_calibration(setting).unwrap();
            let (tables, config) = (model.tables(), EvalConfig { ks: vec![20], ..EvalConfig::default() });
            model.evaluate(tables.validation(), &[tables.train()], &config).unwrap().metrics["recall@20"]
        };
        let chosen = with(found.weights.clone());
        for without in found.weights.keys() {
            let weight = |name: &String| (name.clone(), if name == without { 0.0 } else { 1.0 });
            let less = with(found.weights.keys().map(weight).collect());
            assert!(chosen >= less - 1e-12, "{backbone}, {without}: {less}, {found:?}");
        }
        assert!(found.weights.values().all(|w| WEIGHTS.contains(w)), "{found:?}");
        assert_eq!(found, calibrate(&trained.model, 20).unwrap());
        if backbone == "lightgcn" {
            assert!(
                found.weights.values().all(|&w| w == 1.0),
                "no weight changes it, and 1 is the simplest: {found:?}"
            );
        }
    }
}

#[test]
fn users_who_are_folded_in_fare_nearly_as_well_as_trained_ones() {
    for backbone in ["vbpr", "mgcn", "lightgcn"] {
        let trained = Trained::new(backbone);
        let model = prepare(&trained.run(), None, ServingOptions::default()).unwrap();
        let choice = model.settings().fold_in.clone().unwrap();
        assert!(
            choice.recall >= 0.8 * choice.trained_recall && choice.recall > 0.0,
            "{backbone}: {choice:?}"
        );
        let basket: Vec<BasketItem> = model
            .tables()
            .train()
            .items_of(6)
            .iter()
            .map(|&item| BasketItem::Id(trained.item(item)))
            .collect();
        let request = RecommendRequest { history: vec![basket], n: 20, ..RecommendRequest::default() };
        let (first, second) = (model.answer(&request).unwrap(), model.answer(&request).unwrap());
        assert_eq!(first.lists, second.lists);
        assert_eq!(first.lists[0].items.len(), 20);
    }
}

#[test]
fn the_order_of_a_basket_does_not_matter_and_repeats_add_up() {
    let trained = Trained::new("vbpr");
    let model = prepare(&trained.run(), None, ServingOptions::default()).unwrap();
    let list = |text: String| {
        let request: RecommendRequest = serde_json::from_str(&text).unwrap();
        model.answer(&request).unwrap().lists
    };
    let (a, b) = (trained.item(3), trained.item(40));
    let twice = list(format!("{{\"history\": [[{a:?}, {b:?}, {a:?}]]}}"));
    assert_eq!(twice, list(format!("{{\"history\": [[{b:?}, {{\"id\": {a:?}, \"weight\": 2}}]]}}")));
    assert_ne!(twice, list(format!("{{\"history\": [[{b:?}]]}}")));
}

#[test]
fn a_served_model_is_opened_elsewhere_without_data_and_says_the_same() {
    let trained = Trained::new("vbpr");
    let model = prepare(&trained.run(), None, ServingOptions::default()).unwrap();
    let there = trained.dir.path().join("elsewhere");
    std::fs::create_dir(&there).unwrap();
    for name in
        ["tables.safetensors", "vocabulary.json", "serving.json", "fold_in.safetensors", "items.jsonl"]
    {
        let from = trained.run().join(name);
        if from.exists() {
            std::fs::copy(from, there.join(name)).unwrap();
        }
    }
    std::fs::remove_dir_all(trained.dir.path().join("data")).unwrap();
    let other = ServedModel::open(&there).unwrap();
    let request =
        RecommendRequest { users: vec![trained.user(0)], explain: true, ..RecommendRequest::default() };
    assert_eq!(model.answer(&request).unwrap().lists, other.answer(&request).unwrap().lists);
    assert_eq!(model.name().version, other.name().version);
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let trained = Trained::new("vbpr");
    let path = trained.run().join(SERVING);
    for (text, says) in [
        ("{", "serving.json"),
        (r#"{"version": 9}"#, "version 9"),
        (r#"{"version": 1, "weight": {}}"#, "weight"),
        (r#"{"version": 1, "weights": {"sound": 1}}"#, "sound"),
        (r#"{"version": 1, "weights": {"image": -1}}"#, "image"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = ServedModel::open(trained.run()).expect_err(text);
        assert!(error.is_input() && error.to_string().contains(says), "{text}: {error}");
    }
    let weights = [(trained.model.modalities()[0].clone(), 0.25)].into();
    let settings = ServingSettings { weights, ..ServingSettings::default() };
    settings.write(&path).unwrap();
    let ScoreWeights::Weights(weights) = ServedModel::open(trained.run()).unwrap().weighting().clone() else {
        panic!()
    };
    assert_eq!((weights[0], weights[1]), (0.25, 1.0));
}

#[test]
fn an_explanation_adds_up_and_ranks_without_each_modality() {
    let trained = Trained::new("mgcn");
    let model = &trained.model;
    let list = model
        .answer(&RecommendRequest { users: vec![trained.user(5)], ..RecommendRequest::default() })
        .unwrap();
    for (place, item) in list.lists[0].items.iter().enumerate() {
        let explained = model.explain(&trained.user(5), &item.id).unwrap();
        assert_eq!(explained.rank, Some(place + 1));
        assert!((explained.score - f64::from(item.score)).abs() < 1e-5);
        assert_eq!(explained.without.len(), model.modalities().len());
    }
    let met = model.tables().train().items_of(5)[0];
    assert_eq!(model.explain(&trained.user(5), &trained.item(met)).unwrap().rank, None);
}
