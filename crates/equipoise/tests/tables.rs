//! Data sets of tables in memory, and models that are saved, extended and opened again.

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use equipoise::import::{LoadOptions, SplitRule};
use equipoise::prelude::*;
use equipoise::{DataTables, ExplainRequest, Features, NewItem};
use serde_json::{Map, json};
use std::sync::Arc;

const ITEMS: usize = 12;

fn id(item: usize) -> String {
    format!("i{item}")
}

/// Users who like one of two kinds of items.
fn tables() -> DataTables {
    let (mut users, mut items) = (Vec::new(), Vec::new());
    for user in 0..30 {
        for n in 0..5 {
            users.push(format!("u{user}"));
            items.push(id((user % 2 + 2 * (user / 2 + n)) % ITEMS));
        }
    }
    let column = |cells: Vec<String>| Arc::new(StringArray::from(cells)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("user", column(users)), ("item", column(items))]).unwrap();
    let options = LoadOptions { split: Some(SplitRule::Mmrec), ..LoadOptions::default() };
    DataTables::new(vec![batch]).options(options)
}

/// The kind of an item and its number.
fn features(order: impl Iterator<Item = usize>) -> Features {
    let values: Vec<f32> =
        order.flat_map(|item| [(item % 2) as f32, 1.0 - (item % 2) as f32, item as f32 / 10.0]).collect();
    Features::new(values.len() / 3, 3, values).unwrap()
}

fn catalogue() -> Vec<(String, Map<String, serde_json::Value>)> {
    (0..ITEMS)
        .map(|item| (id(item), json!({"title": format!("title {item}")}).as_object().unwrap().clone()))
        .collect()
}

#[test]
fn features_find_their_items_by_id_or_by_the_catalogue_and_otherwise_are_refused() {
    let by_catalogue = tables().items(catalogue()).features("image", None, features(0..ITEMS));
    let data = by_catalogue.temporary().unwrap().load().unwrap();
    let backwards = (0..ITEMS).rev().map(id).collect();
    let by_id = tables().items(catalogue()).features("image", Some(backwards), features((0..ITEMS).rev()));
    let again = by_id.temporary().unwrap().load().unwrap();
    assert_eq!(data.contents().fingerprint(), again.contents().fingerprint());
    assert_eq!(data.features("image").unwrap().row(5).to_vec(), [1.0, 0.0, 0.5]);
    let message = tables().features("image", None, features(0..ITEMS)).temporary().unwrap_err().to_string();
    assert!(message.starts_with("image: ") && message.contains("which row is whose"), "{message}");
    assert!(
        message.ends_with("give the id of each row, or the catalogue in the order of the rows"),
        "{message}"
    );
    for (faulty, says) in [
        (tables().features("../x", None, features(0..ITEMS)), "a name that a file may have"),
        (tables().features("image", Some(vec![id(0)]), features(0..ITEMS)), "12 rows, but 1 ids"),
        (tables().items(vec![(id(0), Map::new()), (id(0), Map::new())]), "twice"),
        (tables().items(vec![(" i0".into(), Map::new())]), "blanks"),
        (DataTables::new(Vec::new()), "no table was given"),
    ] {
        let error = faulty.temporary().unwrap_err();
        assert!(error.to_string().contains(says) && error.is_input(), "{error}");
    }
}

#[test]
fn faults_and_notes_name_the_tables_and_not_the_files_that_they_were_written_to() {
    let column = |cells: &[Option<&str>]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
    let of =
        |columns: Vec<(&str, ArrayRef)>| DataTables::new(vec![RecordBatch::try_from_iter(columns).unwrap()]);
    let cells = [Some("a"), None];
    let image = || features(0..ITEMS);
    for (faulty, says) in [
        (
            of(vec![("user", column(&cells)), ("item", column(&cells))]),
            "interactions: row 1: the user id is empty",
        ),
        (
            of(vec![("user", column(&cells[..1]))]),
            "interactions: no column of items among \"user\"; name it with",
        ),
        (tables(), "tables: no modality"),
        (tables().features("image", Some(vec![id(0); ITEMS]), image()), "ids of image: row 1"),
    ] {
        let error = faulty.temporary().unwrap_err();
        assert!(error.to_string().starts_with(says) && !error.to_string().contains(".parquet"), "{error}");
        assert!(matches!(error, Error::Tables { .. }) && error.is_input());
    }
    let data =
        tables().items(catalogue()).features("image", None, image()).temporary().unwrap().load().unwrap();
    assert!(
        data.notes().iter().any(|note| note.starts_with("interactions: users from")),
        "{:?}",
        data.notes()
    );
}

#[test]
fn a_modality_whose_rows_are_all_the_same_is_said() {
    let said = |values: Vec<f32>| {
        let rows = Features::new(ITEMS, 2, values).unwrap();
        let data =
            tables().items(catalogue()).features("image", None, rows).temporary().unwrap().load().unwrap();
        data.notes().iter().find(|note| note.contains("every row is the same")).cloned()
    };
    let zero = said(vec![0.0; 2 * ITEMS]).unwrap();
    assert!(
        zero.starts_with("image: every row is the same, zero throughout, so that it tells no item"),
        "{zero}"
    );
    assert!(said(vec![1.0; 2 * ITEMS]).unwrap().starts_with("image: every row is the same, so that"));
    assert_eq!(said((0..2 * ITEMS).map(|n| n as f32).collect()), None);
}

#[test]
fn a_data_set_is_kept_where_it_is_saved_and_its_temporary_files_as_long_as_a_model_needs_them() {
    let dir = tempfile::tempdir().unwrap();
    let made = || tables().items(catalogue()).features("image", None, features(0..ITEMS));
    let saved = made().save_to(dir.path().join("data"), false).unwrap().load().unwrap();
    assert_eq!(Dataset::open(dir.path().join("data")).unwrap().load().unwrap().n_items(), saved.n_items());
    assert!(made().save_to(dir.path().join("data"), false).is_err());
    let data = made().temporary().unwrap().load().unwrap();
    let path = data.settings().path.clone();
    let done = Training::new(&data).set("train.epochs", 1).set("train.metric", "recall@2").run().unwrap();
    drop(data);
    assert!(path.exists());
    let model = done.model().clone();
    drop(done);
    let item =
        NewItem { id: "new".into(), attributes: json!({"title": "a new one"}).as_object().unwrap().clone() };
    let (grown, notes) = model.with_items(vec![item], &[("image".into(), features(1..2))]).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    drop(model);
    assert!(!path.exists());
    assert_eq!(grown.items().len(), ITEMS + 1);
    grown.save(dir.path().join("grown"), false).unwrap();
    let opened = TrainedModel::open(dir.path().join("grown")).unwrap();
    assert_eq!(opened.recommend_all(3).unwrap(), grown.recommend_all(3).unwrap());
    let request = ExplainRequest { user: Some("u1".into()), item: "new".into(), ..ExplainRequest::default() };
    assert_eq!(opened.explain(&request).unwrap().title.as_deref(), Some("a new one"));
    assert!(opened.save(dir.path().join("grown"), true).is_err(), "a model is not written over itself");
    let channel = opened.ids_only().unwrap();
    assert!(channel.save(dir.path().join("channel"), false).unwrap_err().to_string().contains("whole model"));
}
