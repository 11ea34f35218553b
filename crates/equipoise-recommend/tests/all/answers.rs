//! Lists, and what requests may ask of them.

use crate::common;

use common::Trained;
use equipoise_models::Ablation;
use equipoise_recommend::{
    BasketItem, Fallback, ItemInfos, OnUnknown, RecommendError, RecommendRequest, ScoreWeights, ServedModel,
};
use std::collections::BTreeMap;

/// The score of a user and an item under one ablation, summed in double precision.
fn score(model: &ServedModel, under: Ablation, user: u32, item: u32) -> f64 {
    let blocks = model.tables().view(under).expect("the run measures it");
    blocks
        .map(|b| {
            let (u, i) = (user as usize * b.width(), item as usize * b.width());
            let rows = b.users()[u..u + b.width()].iter().zip(&b.items()[i..i + b.width()]);
            rows.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
        })
        .sum()
}

fn of_users(users: &[String]) -> RecommendRequest {
    RecommendRequest { users: users.to_vec(), ..RecommendRequest::default() }
}

fn ids(model: &ServedModel, request: &RecommendRequest) -> Vec<String> {
    let answer = model.answer(request).unwrap();
    answer.lists[0].items.iter().map(|item| item.id.clone()).collect()
}

/// The weighted score by its definition.
fn weighted(model: &ServedModel, weights: &[f64], user: u32, item: u32) -> f64 {
    let full = score(model, Ablation::FULL, user, item);
    let effect = |m: usize| full - score(model, Ablation::without(m), user, item);
    full + weights.iter().enumerate().map(|(m, w)| (w - 1.0) * effect(m)).sum::<f64>()
}

#[test]
fn lists_hold_the_best_unseen_items_by_the_weighted_score() {
    for backbone in ["vbpr", "mgcn"] {
        let trained = Trained::new(backbone);
        let model = &trained.model;
        let names = model.modalities().to_vec();
        for weights in [vec![1.0; names.len()], vec![0.0; names.len()], vec![0.5, 2.0]] {
            let by_name: BTreeMap<String, f64> = names.iter().cloned().zip(weights.iter().copied()).collect();
            let users: Vec<String> = [3, 0, 77].map(|row| trained.user(row)).to_vec();
            let request = RecommendRequest { modality_weights: by_name, n: 7, ..of_users(&users) };
            let answer = model.answer(&request).unwrap();
            for (list, row) in answer.lists.iter().zip([3u32, 0, 77]) {
                let seen = |item: u32| {
                    model.tables().train().contains(row, item)
                        || model.tables().validation().contains(row, item)
                };
                let mut expected: Vec<(u32, f64)> = (0..model.tables().n_items() as u32)
                    .filter(|&item| !seen(item))
                    .map(|item| (item, weighted(model, &weights, row, item)))
                    .collect();
                expected.sort_by(|a, b| b.1.total_cmp(&a.1));
                assert_eq!(list.items.len(), 7);
                for (item, (_, best)) in list.items.iter().zip(&expected) {
                    assert!(
                        (f64::from(item.score) - best).abs() < 1e-4,
                        "{backbone} {weights:?}: {} {best}",
                        item.score
                    );
                }
            }
        }
    }
}

#[test]
fn parts_add_up_to_the_score_under_any_weights() {
    for backbone in ["vbpr", "mgcn", "grcn"] {
        let trained = Trained::new(backbone);
        let first = trained.model.modalities()[0].clone();
        for weight in [1.0, 0.0, 2.5] {
            let weights = BTreeMap::from([(first.clone(), weight)]);
            let request =
                RecommendRequest { explain: true, modality_weights: weights, ..of_users(&[trained.user(5)]) };
            let answer = trained.model.answer(&request).unwrap();
            assert!(!answer.lists[0].items.is_empty());
            for item in &answer.lists[0].items {
                let sum: f64 = item.parts.values().sum();
                assert!(
                    (sum - f64::from(item.score)).abs() < 1e-5 * (1.0 + sum.abs()),
                    "{backbone}: {sum} {}",
                    item.score
                );
                assert_eq!(item.parts.len(), trained.model.modalities().len() + 1);
                assert!(weight != 0.0 || item.parts[&first] == 0.0);
                assert!(
                    item.because.len() <= 3
                        && item.because.windows(2).all(|w| w[0].likeness >= w[1].likeness)
                );
            }
        }
    }
}

/// The cosine of two items' rows under an ablation.
fn likeness(model: &ServedModel, under: Ablation, a: u32, b: u32) -> f64 {
    let blocks: Vec<_> = model.tables().view(under).expect("the run measures it").collect();
    let row = |item: u32| -> Vec<f64> {
        let of =
            |b: &&equipoise_train::FinalBlock| b.items()[item as usize * b.width()..][..b.width()].to_vec();
        blocks.iter().flat_map(of).map(f64::from).collect()
    };
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (a, b) = (row(a), row(b));
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[test]
fn reasons_are_alike_in_what_counts_under_the_weights_in_force() {
    for backbone in ["vbpr", "mgcn"] {
        let trained = Trained::new(backbone);
        let (model, user) = (&trained.model, 5);
        let mut told_apart = false;
        for (weight, under) in [(1.0, Ablation::FULL), (0.0, Ablation::without(0))] {
            let weights = BTreeMap::from([(model.modalities()[0].clone(), weight)]);
            let request = RecommendRequest {
                explain: true,
                modality_weights: weights,
                ..of_users(&[trained.user(user)])
            };
            for item in &model.answer(&request).unwrap().lists[0].items {
                let row = model.item(&item.id).unwrap();
                let met = [model.tables().train(), model.tables().validation()].map(|set| set.items_of(user));
                let all = met.iter().copied().flatten();
                let mut alike: Vec<f64> = all.map(|&other| likeness(model, under, row, other)).collect();
                alike.sort_by(|a, b| b.total_cmp(a));
                for (reason, expected) in item.because.iter().zip(&alike) {
                    assert!((reason.likeness - expected).abs() < 1e-6, "{backbone} {weight}: {expected}");
                    let other = model.item(&reason.id).unwrap();
                    told_apart |= (likeness(model, Ablation::FULL, row, other) - expected).abs() > 1e-3;
                }
            }
        }
        assert!(told_apart, "{backbone}: the weights change the reasons");
    }
}

#[test]
fn a_weight_of_0_is_the_ablation_that_training_used() {
    let trained = Trained::new("mgcn");
    let (model, user) = (&trained.model, [trained.user(9)]);
    for (m, name) in model.modalities().iter().enumerate() {
        let silenced =
            RecommendRequest { modality_weights: BTreeMap::from([(name.clone(), 0.0)]), ..of_users(&user) };
        let under = model.with_weighting(ScoreWeights::Under(Ablation::without(m))).unwrap();
        assert_eq!(ids(model, &silenced), ids(&under, &of_users(&user)));
    }
}

#[test]
fn pages_join_to_the_long_list_and_excluded_items_are_in_none() {
    let trained = Trained::new("vbpr");
    let user = [trained.user(1)];
    let long = ids(&trained.model, &RecommendRequest { n: 30, ..of_users(&user) });
    let page = |offset| ids(&trained.model, &RecommendRequest { n: 10, offset, ..of_users(&user) });
    assert_eq!(long, [page(0), page(10), page(20)].concat());
    let without = RecommendRequest { exclude: long[..3].to_vec(), n: 27, ..of_users(&user) };
    assert_eq!(ids(&trained.model, &without), long[3..]);
    let among: Vec<String> = [&long[4], &long[2], &long[20], &long[2]].map(String::clone).to_vec();
    let restricted = RecommendRequest { restrict: Some(among), ..of_users(&user) };
    assert_eq!(ids(&trained.model, &restricted), [&long[2], &long[4], &long[20]].map(String::clone));
    // More than is left gives what is left.
    let seen = trained.model.tables().train().items_of(1).len()
        + trained.model.tables().validation().items_of(1).len();
    let all = ids(&trained.model, &RecommendRequest { n: 1000, ..of_users(&user) });
    assert_eq!(all.len(), trained.model.tables().n_items() - seen);
    let everything = RecommendRequest { n: 1000, exclude_seen: false, ..of_users(&user) };
    assert_eq!(ids(&trained.model, &everything).len(), trained.model.tables().n_items());
    assert!(ids(&trained.model, &RecommendRequest { offset: 90, ..everything }).is_empty());
}

#[test]
fn filters_let_pass_what_they_say() {
    let trained = Trained::new("vbpr");
    let lines: String = (0..90)
        .map(|row| {
            format!("{{\"id\": {:?}, \"title\": \"Item {row}\", \"price\": {row}}}\n", trained.item(row))
        })
        .collect();
    std::fs::write(trained.run().join("items.jsonl"), lines).unwrap();
    let model = ServedModel::open(trained.run()).unwrap();
    let filter = |text: &str| RecommendRequest {
        filter: Some(serde_json::from_str(text).unwrap()),
        n: 90,
        ..of_users(&[trained.user(2)])
    };
    let answer = model.answer(&filter(r#"{"range": {"price": {"min": 10, "max": 19}}}"#)).unwrap();
    assert!(!answer.lists[0].items.is_empty());
    for item in &answer.lists[0].items {
        let row = model.vocabulary().item(&item.id).unwrap();
        assert!((10..20).contains(&row) && item.title == Some(format!("Item {row}")));
    }
    let error = model.answer(&filter(r#"{"missing": "colour"}"#)).unwrap_err();
    assert!(error.is_input() && error.to_string().contains("filter"), "{error}");
    let infos = ItemInfos::read(&trained.run().join("items.jsonl"), model.vocabulary()).unwrap();
    infos.write(&trained.run().join("again.jsonl"), model.vocabulary()).unwrap();
    assert_eq!(infos, ItemInfos::read(&trained.run().join("again.jsonl"), model.vocabulary()).unwrap());
}

#[test]
fn the_rows_of_a_user_as_a_vector_give_the_users_list() {
    let trained = Trained::new("mgcn");
    let row = 11usize;
    let vector: Vec<f32> = (trained.model.tables().blocks().iter())
        .flat_map(|b| b.users()[row * b.width()..(row + 1) * b.width()].to_vec())
        .collect();
    let request =
        RecommendRequest { vectors: vec![vector], exclude_seen: false, ..RecommendRequest::default() };
    let known = RecommendRequest { exclude_seen: false, ..of_users(&[trained.user(11)]) };
    assert_eq!(ids(&trained.model, &request), ids(&trained.model, &known));
}

#[test]
fn ids_that_are_not_known_are_refused_or_answered_by_popularity() {
    let trained = Trained::new("vbpr");
    let model = &trained.model;
    let error = model.answer(&of_users(&["nobody".into()])).unwrap_err();
    assert!(matches!(error, RecommendError::Unknown { kind: "user", .. }), "{error}");
    let popular =
        RecommendRequest { unknown: OnUnknown::Popularity, ..of_users(&["nobody".into(), trained.user(0)]) };
    let answer = model.answer(&popular).unwrap();
    assert_eq!((answer.lists[0].fallback, answer.lists[1].fallback), (Some(Fallback::Popularity), None));
    let scores: Vec<f32> = answer.lists[0].items.iter().map(|item| item.score).collect();
    let counts = model.tables().train().item_counts();
    assert_eq!(scores[0], *counts.iter().max().unwrap() as f32);
    assert!(scores.is_sorted_by(|a, b| a >= b));
    let basket = |unknown| RecommendRequest {
        history: vec![vec![BasketItem::Id("nothing".into()), BasketItem::Id(trained.item(4))]],
        unknown,
        ..RecommendRequest::default()
    };
    assert!(model.answer(&basket(OnUnknown::Error)).is_err());
    let answer = model.answer(&basket(OnUnknown::Popularity)).unwrap();
    assert_eq!((answer.lists[0].fallback, &answer.lists[0].ignored), (None, &vec!["nothing".to_owned()]));
    assert!(
        answer.lists[0].items.iter().all(|item| item.id != trained.item(4)),
        "what a stranger has is not offered"
    );
}

#[test]
fn diversity_makes_items_less_alike() {
    let trained = Trained::new("vbpr");
    let user = [trained.user(8)];
    let list = |diversity| ids(&trained.model, &RecommendRequest { diversity, n: 10, ..of_users(&user) });
    let plain = list(0.0);
    assert_eq!(list(1e-9), plain);
    let alike = |items: &[String]| {
        let first = trained.model.similar_items(&items[0], 89, None).unwrap();
        let of = |id: &String| first.iter().find(|other| other.id == *id).unwrap().score;
        items[1..].iter().map(of).sum::<f32>()
    };
    assert!(alike(&list(1.0)) < alike(&plain));
    assert_eq!(list(0.7)[0], plain[0], "the best item comes first in any case");
}

#[test]
fn what_cannot_be_asked_is_refused_with_its_field() {
    let trained = Trained::new("vbpr");
    let good = of_users(&[trained.user(0)]);
    let image = trained.model.modalities()[0].clone();
    let weights = |name: &str, w: f64| BTreeMap::from([(name.to_owned(), w)]);
    let wrong = [
        ("users", RecommendRequest::default()),
        ("users", RecommendRequest { vectors: vec![vec![0.0]], ..good.clone() }),
        ("n:", RecommendRequest { n: 0, ..good.clone() }),
        ("n:", RecommendRequest { n: 1001, ..good.clone() }),
        ("diversity", RecommendRequest { diversity: f64::NAN, ..good.clone() }),
        ("diversity", RecommendRequest { diversity: -0.1, ..good.clone() }),
        (
            "modality_weights",
            RecommendRequest { modality_weights: weights(&image, f64::NAN), ..good.clone() },
        ),
        ("modality_weights", RecommendRequest { modality_weights: weights(&image, -1.0), ..good.clone() }),
        ("no modality `sound`", RecommendRequest { modality_weights: weights("sound", 1.0), ..good.clone() }),
        ("item", RecommendRequest { exclude: vec!["nothing".into()], ..good.clone() }),
        ("offset", RecommendRequest { offset: usize::MAX, ..good.clone() }),
        ("history[0]", RecommendRequest { history: vec![vec![]], ..RecommendRequest::default() }),
        ("vectors[0]", RecommendRequest { vectors: vec![vec![1.0; 3]], ..RecommendRequest::default() }),
    ];
    for (field, request) in wrong {
        let error = trained.model.answer(&request).expect_err(field);
        assert!(error.is_input() && error.to_string().contains(field), "{field}: {error}");
    }
    for text in
        [r#"{"user": ["a"]}"#, r#"{"users": "a"}"#, r#"{"n": -1}"#, r#"{"history": [[{"id": "a", "w": 1}]]}"#]
    {
        assert!(serde_json::from_str::<RecommendRequest>(text).is_err(), "{text}");
    }
}
