//! Requests that are answered together, and what users have met since training.

use crate::common;

use common::Trained;
use equipoise_recommend::{
    BasketItem, ExplainRequest, Fallback, Feedback, List, RecommendError, RecommendRequest, SimilarRequest,
    WeightedItem,
};
use std::collections::HashMap;

/// What some users have met.
#[derive(Default)]
struct Met(HashMap<String, Vec<(String, f64)>>);

impl Feedback for Met {
    fn of(&self, user: &str) -> Vec<BasketItem> {
        let items = self.0.get(user).into_iter().flatten().cloned();
        items.map(|(id, weight)| BasketItem::Weighted(WeightedItem { id, weight })).collect()
    }
}

fn read(text: String) -> RecommendRequest {
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn ids(list: &List) -> Vec<&str> {
    list.items.iter().map(|item| item.id.as_str()).collect()
}

#[test]
fn a_request_has_the_same_answer_in_any_company() {
    for backbone in ["vbpr", "mgcn"] {
        let trained = Trained::new(backbone);
        let (users, items) = ([0, 7, 33].map(|u| trained.user(u)), [2, 9, 40].map(|i| trained.item(i)));
        let [a, b, c] = &users;
        let [x, y, z] = &items;
        let weights = trained.model.modalities()[0].clone();
        let requests = [
            format!(r#"{{"users": [{a:?}, {b:?}]}}"#),
            format!(r#"{{"users": [{c:?}], "n": 40, "modality_weights": {{{weights:?}: 0}}}}"#),
            format!(r#"{{"history": [[{x:?}, {{"id": {y:?}, "weight": 2}}]], "n": 3, "offset": 2}}"#),
            format!(r#"{{"users": [{b:?}], "exclude": [{x:?}], "explain": true}}"#),
            format!(r#"{{"users": [{a:?}], "restrict": [{x:?}, {y:?}, {z:?}], "exclude_seen": false}}"#),
            format!(r#"{{"users": [{a:?}], "diversity": 0.5, "n": 5}}"#),
            r#"{"users": ["nobody"], "unknown": "popularity"}"#.to_owned(),
            r#"{"users": ["nobody"]}"#.to_owned(),
            format!(r#"{{"users": [{c:?}], "n": 90, "modality_weights": {{{weights:?}: 2.5}}}}"#),
        ]
        .map(read);
        let together = trained.model.answer_all(&requests.each_ref(), &());
        for (request, found) in requests.iter().zip(together) {
            match (trained.model.answer(request), found) {
                (Ok(alone), Ok(found)) => assert_eq!(alone.lists, found.lists, "{backbone} {request:?}"),
                (Err(alone), Err(found)) => assert_eq!(alone.to_string(), found.to_string()),
                (alone, found) => panic!("{request:?}: {alone:?}, {found:?}"),
            }
        }
    }
}

#[test]
fn a_vector_too_large_is_refused_and_the_others_are_answered() {
    let trained = Trained::new("vbpr");
    let width: usize = trained.model.tables().blocks().iter().map(|block| block.width()).sum();
    let huge = RecommendRequest { vectors: vec![vec![3e38; width]], ..RecommendRequest::default() };
    let small = RecommendRequest { vectors: vec![vec![0.5; width]], ..RecommendRequest::default() };
    let found = trained.model.answer_all(&[&huge, &small], &());
    let error = found[0].as_ref().expect_err("scores overflow");
    assert!(matches!(error, RecommendError::Field { field, .. } if field == "vectors"), "{error}");
    assert_eq!(found[1].as_ref().unwrap().lists, trained.model.answer(&small).unwrap().lists);
}

#[test]
fn what_was_met_since_training_is_left_out_and_moves_the_row() {
    for backbone in ["vbpr", "mgcn", "lightgcn"] {
        let trained = Trained::new(backbone);
        let (model, user) = (&trained.model, trained.user(4));
        let request = RecommendRequest { users: vec![user.clone()], n: 90, ..RecommendRequest::default() };
        let before = model.answer(&request).unwrap().lists.remove(0);
        let taken = before.items[20].id.clone();
        let with =
            |weight| Met([(user.clone(), vec![(taken.clone(), weight), ("no item".into(), 1.0)])].into());
        let answer = |met: &Met| model.answer_all(&[&request], met).remove(0).unwrap().lists.remove(0);
        // Seen without being liked: everything else stays.
        let seen = answer(&with(0.0));
        let expected: Vec<&str> = ids(&before).into_iter().filter(|id| *id != taken).collect();
        assert_eq!(ids(&seen), expected, "{backbone}");
        // Liked: what is like it rises.
        let liked = answer(&with(1.0));
        assert!(!ids(&liked).contains(&taken.as_str()));
        assert_ne!(liked.items, seen.items, "{backbone}");
        let near = model.similar_items(&taken, 1, None).unwrap().remove(0).id;
        let score = |list: &List| list.items.iter().find(|item| item.id == near).map(|item| item.score);
        if let (Some(before), Some(after)) = (score(&seen), score(&liked)) {
            assert!(after > before, "{backbone}: {before} {after}");
        }
        // What was met in training already is no news.
        let old = trained.item(model.tables().train().items_of(4)[0]);
        let met = Met([(user.clone(), vec![(old, 1.0)])].into());
        assert_eq!(answer(&met), before, "{backbone}");
    }
}

#[test]
fn a_user_of_whom_there_is_only_feedback_is_a_stranger_with_a_basket() {
    let trained = Trained::new("vbpr");
    let (x, y) = (trained.item(3), trained.item(40));
    let met = Met([("new".into(), vec![(x.clone(), 1.0), (y.clone(), 0.0)])].into());
    let ask = |text: String| trained.model.answer_all(&[&read(text)], &met).remove(0);
    let of_user = ask(r#"{"users": ["new"], "explain": true}"#.into()).unwrap().lists.remove(0);
    let of_basket = ask(format!(r#"{{"history": [[{x:?}]], "exclude": [{y:?}], "explain": true}}"#)).unwrap();
    assert_eq!(of_user.items, of_basket.lists[0].items);
    assert_eq!((of_user.user.as_deref(), of_user.fallback), (Some("new"), None));
    assert!(ask(r#"{"users": ["other"]}"#.into()).is_err());
    // One who has seen items and liked none is unknown still, but does not get those again.
    let seen = Met([("new".into(), vec![(x.clone(), 0.0)])].into());
    let request = read(r#"{"users": ["new"], "unknown": "popularity", "n": 90}"#.into());
    let list = trained.model.answer_all(&[&request], &seen).remove(0).unwrap().lists.remove(0);
    assert_eq!(list.fallback, Some(Fallback::Popularity));
    assert!(!ids(&list).contains(&x.as_str()) && list.items.len() == 89);
}

#[test]
fn explanations_of_strangers_add_up_and_hold_without_each_modality() {
    for backbone in ["vbpr", "mgcn"] {
        let trained = Trained::new(backbone);
        let (model, basket) = (&trained.model, vec![BasketItem::Id(trained.item(3))]);
        let request = RecommendRequest { history: vec![basket.clone()], ..RecommendRequest::default() };
        let list = model.answer(&request).unwrap().lists.remove(0);
        for (place, item) in list.items.iter().enumerate() {
            let request = ExplainRequest {
                history: Some(basket.clone()),
                item: item.id.clone(),
                ..ExplainRequest::default()
            };
            let found = model.explain_to(&request, &()).unwrap();
            assert_eq!(found.rank, Some(place + 1), "{backbone}");
            assert!((found.score - f64::from(item.score)).abs() < 1e-5);
            for (name, without) in &found.without {
                let effect = found.score - without;
                assert!((found.parts[name] - effect).abs() < 1e-5, "{backbone} {name}: {found:?}");
            }
        }
    }
}

#[test]
fn one_of_two_is_asked_for() {
    let trained = Trained::new("vbpr");
    let (user, item) = (trained.user(1), trained.item(1));
    for (text, says) in [
        (r#"{}"#.to_owned(), "item"),
        (format!(r#"{{"item": {item:?}, "user": {user:?}}}"#), "item"),
        (format!(r#"{{"user": {user:?}, "modality": "text"}}"#), "modality"),
        (format!(r#"{{"item": {item:?}, "n": 0}}"#), "n"),
        (format!(r#"{{"item": {item:?}, "modality": "sound"}}"#), "sound"),
    ] {
        let request: SimilarRequest = serde_json::from_str(&text).unwrap();
        let error = trained.model.similar(&request).expect_err(&text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    let request: SimilarRequest = serde_json::from_str(&format!(r#"{{"user": {user:?}, "n": 3}}"#)).unwrap();
    let found = trained.model.similar(&request).unwrap();
    assert_eq!((found.users.len(), found.items.len()), (3, 0));
    for (request, says) in [
        (ExplainRequest { item: item.clone(), ..ExplainRequest::default() }, "user"),
        (ExplainRequest { user: Some(user), item: "nothing".into(), ..ExplainRequest::default() }, "nothing"),
    ] {
        let error = trained.model.explain_to(&request, &()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn faults_name_the_place_in_the_request() {
    let trained = Trained::new("vbpr");
    let (user, item) = (trained.user(1), trained.item(1));
    for (text, place) in [
        (format!(r#"{{"users": [{user:?}, "nobody"]}}"#), "users[1]"),
        (format!(r#"{{"history": [[{item:?}], [{item:?}, "nothing"]]}}"#), "history[1][1]"),
        (format!(r#"{{"history": [[{{"id": {item:?}, "weight": 0}}]]}}"#), "history[0][0].weight"),
        (format!(r#"{{"history": [[{item:?}], []]}}"#), "history[1]"),
        (format!(r#"{{"users": [{user:?}], "exclude": ["nothing"]}}"#), "exclude[0]"),
        (format!(r#"{{"users": [{user:?}], "restrict": [{item:?}, "nothing"]}}"#), "restrict[1]"),
        (format!(r#"{{"users": [{user:?}], "modality_weights": {{"sound": 1}}}}"#), "modality_weights.sound"),
        (r#"{"vectors": [[1.0]]}"#.to_owned(), "vectors[0]"),
    ] {
        match trained.model.answer(&read(text.clone())).expect_err(&text) {
            RecommendError::Field { field, .. } => assert_eq!(field, place, "{text}"),
            RecommendError::Unknown { field, .. } => assert_eq!(field.as_deref(), Some(place), "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
    for (text, says) in [
        (r#"{"history": [[{"id": "a", "wieght": 2}]]}"#, "unknown field `wieght`"),
        (r#"{"history": [[3]]}"#, "the raw id of an item, or an object"),
    ] {
        let error = serde_json::from_str::<RecommendRequest>(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}
