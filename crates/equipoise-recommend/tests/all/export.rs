//! Every export, ranked by its files alone, and served models that stand alone.
#![cfg(feature = "parquet")]

use crate::common;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, RecordBatch};
use common::Trained;
use equipoise_data::Ids;
use equipoise_recommend::{
    ExportOptions, ExportReport, MANIFEST, Manifest, RecommendError, RecommendRequest, ServedModel,
    ServingOptions, TARGETS, export, prepare,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Users, items and what users have met, as an export tells them.
#[derive(Default)]
struct Exported {
    users: Vec<(String, Vec<f32>)>,
    items: Vec<(String, Vec<f32>)>,
    seen: HashSet<(String, String)>,
}

/// How each target is read. A target that is not here fails a test.
fn readers() -> BTreeMap<&'static str, fn(&Path) -> Exported> {
    BTreeMap::from([
        ("serving", of_serving as fn(&Path) -> Exported),
        ("parquet", of_parquet),
        ("npy", of_npy),
        ("qdrant", of_qdrant),
        ("postgres", of_postgres),
    ])
}

fn to(
    trained: &Trained,
    name: &str,
    options: &ExportOptions,
) -> Result<(PathBuf, ExportReport), RecommendError> {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let out = trained.dir.path().join(format!("out-{name}"));
    Ok((out.clone(), export(&trained.run(), target, &out, options)?))
}

fn of_serving(dir: &Path) -> Exported {
    let model = ServedModel::open(dir).unwrap();
    let (users, items, width) = model.embeddings().unwrap();
    let rows = |ids: &Ids, values: &[f32]| {
        ids.iter().map(str::to_owned).zip(values.chunks_exact(width).map(<[f32]>::to_vec)).collect()
    };
    let name = |(user, item): (u32, u32)| {
        (
            model.vocabulary().users()[user as usize].to_owned(),
            model.vocabulary().items()[item as usize].to_owned(),
        )
    };
    Exported {
        users: rows(model.vocabulary().users(), &users),
        items: rows(model.vocabulary().items(), &items),
        seen: model.tables().train().pairs().chain(model.tables().validation().pairs()).map(name).collect(),
    }
}

fn batches(path: &Path) -> Vec<RecordBatch> {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<String> {
    let column = batch.column_by_name(column).unwrap();
    let column = arrow_array::ArrayRef::clone(column);
    match column.as_any_dictionary_opt() {
        Some(dictionary) => {
            let values = dictionary.values().as_string::<i32>();
            dictionary.normalized_keys().into_iter().map(|k| values.value(k).to_owned()).collect()
        }
        None => column.as_string::<i32>().iter().map(|text| text.unwrap_or("").to_owned()).collect(),
    }
}

fn lists(batch: &RecordBatch, column: &str) -> Vec<Vec<f32>> {
    let lists = batch.column_by_name(column).unwrap().as_fixed_size_list();
    (0..lists.len()).map(|row| lists.value(row).as_primitive::<Float32Type>().values().to_vec()).collect()
}

fn of_parquet(dir: &Path) -> Exported {
    let table = |name: &str, id: &str| {
        let batches = batches(&dir.join(name));
        batches.iter().flat_map(|b| texts(b, id).into_iter().zip(lists(b, "vector"))).collect()
    };
    let seen = batches(&dir.join("seen.parquet"));
    Exported {
        users: table("users.parquet", "user"),
        items: table("items.parquet", "item"),
        seen: seen.iter().flat_map(|b| texts(b, "user").into_iter().zip(texts(b, "item"))).collect(),
    }
}

fn npy<T: npyz::Deserialize>(path: &Path) -> (usize, Vec<T>) {
    let file = npyz::NpyFile::new(std::io::BufReader::new(File::open(path).unwrap())).unwrap();
    (file.shape()[1] as usize, file.into_vec().unwrap())
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn of_npy(dir: &Path) -> Exported {
    let ids = |name: &str| -> Vec<String> { serde_json::from_value(json(&dir.join(name))).unwrap() };
    let (users, items) = (ids("user_ids.json"), ids("item_ids.json"));
    let rows = |ids: &[String], name: &str| {
        let (width, values) = npy::<f32>(&dir.join(name));
        ids.iter().cloned().zip(values.chunks_exact(width).map(<[f32]>::to_vec)).collect()
    };
    let mut seen = HashSet::new();
    for split in ["train", "validation"] {
        let (two, pairs) = npy::<u32>(&dir.join(format!("seen.{split}.npy")));
        assert_eq!(two, 2);
        seen.extend(
            pairs.chunks_exact(2).map(|p| (users[p[0] as usize].clone(), items[p[1] as usize].clone())),
        );
    }
    Exported { users: rows(&users, "users.npy"), items: rows(&items, "items.npy"), seen }
}

fn json_lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn of_qdrant(dir: &Path) -> Exported {
    let size = json(&dir.join("collection.json"))["vectors"]["size"].as_u64();
    let mut exported = Exported::default();
    for (row, point) in json_lines(&dir.join("points.jsonl")).into_iter().enumerate() {
        assert_eq!(point["id"].as_u64(), Some(row as u64));
        let vector = floats(&point["vector"]);
        assert_eq!(Some(vector.len() as u64), size);
        exported.items.push((point["payload"]["item"].as_str().unwrap().to_owned(), vector));
    }
    for query in json_lines(&dir.join("queries.jsonl")) {
        let user = query["user"].as_str().unwrap().to_owned();
        for id in query["seen"].as_array().unwrap() {
            exported.seen.insert((user.clone(), exported.items[id.as_u64().unwrap() as usize].0.clone()));
        }
        exported.users.push((user, floats(&query["vector"])));
    }
    exported
}

fn of_postgres(dir: &Path) -> Exported {
    let rows = |name: &str| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(dir.join(name)).unwrap();
        let cell = |cell: &str| cell.replace("\\t", "\t").replace("\\n", "\n").replace("\\\\", "\\");
        text.lines().map(|line| line.split('\t').map(cell).collect()).collect()
    };
    let vector = |text: &str| -> Vec<f32> {
        text.trim_matches(['[', ']']).split(',').map(|v| v.parse().unwrap()).collect()
    };
    let users: Vec<(String, Vec<f32>)> =
        rows("users.copy").iter().map(|row| (row[1].clone(), vector(&row[2]))).collect();
    let items: Vec<(String, Vec<f32>)> =
        rows("items.copy").iter().map(|row| (row[1].clone(), vector(&row[3]))).collect();
    let seen = rows("seen.copy");
    let name = |row: &Vec<String>| {
        let place = |k: usize| row[k].parse::<usize>().unwrap();
        (users[place(0)].0.clone(), items[place(1)].0.clone())
    };
    let seen = seen.iter().map(name).collect();
    Exported { users, items, seen }
}

/// The list of a user by inner products in double precision, for all items that the user has not met.
fn ranked(exported: &Exported, user: usize) -> Vec<(f64, usize)> {
    let (id, vector) = &exported.users[user];
    let score = |(row, (item, other)): (usize, &(String, Vec<f32>))| {
        let score: f64 = vector.iter().zip(other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        (!exported.seen.contains(&(id.clone(), item.clone()))).then_some((score, row))
    };
    assert_eq!(vector.len(), exported.items[0].1.len());
    let mut scores: Vec<(f64, usize)> = exported.items.iter().enumerate().filter_map(score).collect();
    scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scores
}

/// Fails unless the export ranks for every user as the model does, items of nearly equal scores aside.
fn ranks_alike(model: &ServedModel, exported: &Exported, tolerance: f64) {
    assert_eq!(
        exported.users.iter().map(|u| &u.0).collect::<Vec<_>>(),
        model.vocabulary().users().iter().collect::<Vec<_>>()
    );
    for (user, (id, _)) in exported.users.iter().enumerate() {
        let request = RecommendRequest { users: vec![id.clone()], n: 20, ..RecommendRequest::default() };
        let ours = model.answer(&request).unwrap().lists.remove(0).items;
        let theirs = ranked(exported, user);
        assert_eq!(ours.len(), theirs.len().min(20), "{id}");
        for (place, (item, (score, row))) in ours.iter().zip(&theirs).enumerate() {
            let same = item.id == exported.items[*row].0;
            let tie = (f64::from(item.score) - score).abs() <= tolerance;
            assert!(tie, "{id}, place {place}: {} and {score}", item.score);
            let near = |other: &&(f64, usize)| (other.0 - score).abs() <= 2.0 * tolerance;
            assert!(same || theirs.iter().filter(near).count() > 1, "{id}, place {place}: {}", item.id);
        }
    }
}

/// A prepared model whose weights are none of 0 and 1.
fn weighted(backbone: &str) -> (Trained, ServedModel) {
    let trained = Trained::new(backbone);
    prepare(&trained.run(), None, ServingOptions::default()).unwrap();
    let path = trained.run().join("serving.json");
    let mut settings = json(&path);
    let names = trained.model.modalities();
    settings["weights"] = serde_json::json!({ &names[0]: 0.5, &names[1]: 1.5 });
    std::fs::write(&path, settings.to_string()).unwrap();
    let model = ServedModel::open(trained.run()).unwrap();
    (trained, model)
}

#[test]
fn every_target_is_read_here_and_ranks_as_the_model_does() {
    let readers = readers();
    for backbone in ["vbpr", "mgcn"] {
        let (trained, model) = weighted(backbone);
        for target in TARGETS {
            let read = readers.get(target.name).unwrap_or_else(|| panic!("{} is not tested", target.name));
            let (out, report) = to(&trained, target.name, &ExportOptions::default()).unwrap();
            assert!(
                report.files.iter().all(|file| file.bytes > 0 && out.join(&file.name).is_file()),
                "{report:?}"
            );
            ranks_alike(&model, &read(&out), 1e-4);
        }
        assert_eq!(readers.len(), TARGETS.len());
    }
}

#[test]
fn other_weights_are_other_coefficients_of_the_same_parts() {
    for backbone in ["vbpr", "mgcn"] {
        let (trained, model) = weighted(backbone);
        let (out, _) = to(&trained, "npy", &ExportOptions::default()).unwrap();
        let described = json(&out.join("export.json"));
        let names = model.modalities();
        let wanted = BTreeMap::from([(names[0].clone(), 0.0), (names[1].clone(), 3.0)]);
        let request = RecommendRequest {
            users: vec![trained.user(2)],
            modality_weights: wanted.clone(),
            ..RecommendRequest::default()
        };
        let ours = &model.answer(&request).unwrap().lists[0].items[0];
        let item = model.item(&ours.id).unwrap() as usize;
        let mut score = 0.0;
        let files = described["part_files"].as_array().unwrap();
        for (part, file) in described["parts"].as_array().unwrap().iter().zip(files) {
            let file = file.as_str().unwrap();
            let (width, users) = npy::<f32>(&out.join(format!("users.{file}.npy")));
            let (_, items) = npy::<f32>(&out.join(format!("items.{file}.npy")));
            let sum: f64 = wanted.values().map(|w| w - 1.0).sum();
            let mut coefficient = if part["in_full"].as_bool().unwrap() { 1.0 + sum } else { 0.0 };
            for m in part["in_without"].as_array().unwrap() {
                coefficient -= wanted.get(m.as_str().unwrap()).unwrap_or(&1.0) - 1.0;
            }
            let product = users[2 * width..3 * width].iter().zip(&items[item * width..(item + 1) * width]);
            score += coefficient * product.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        }
        assert!((score - f64::from(ours.score)).abs() < 1e-4, "{backbone}: {score} and {}", ours.score);
    }
}

#[test]
fn a_served_model_stands_alone_once_its_run_and_its_data_are_gone() {
    for half in [false, true] {
        let (trained, model) = weighted("vbpr");
        let options = ExportOptions { half, name: Some("shop".into()), ..ExportOptions::default() };
        let (out, report) = to(&trained, "serving", &options).unwrap();
        assert_eq!(report.half.is_some(), half);
        let stranger: RecommendRequest =
            serde_json::from_str(&format!("{{\"history\": [[{:?}]], \"n\": 5}}", trained.item(3))).unwrap();
        let before = model.answer(&stranger).unwrap().lists;
        std::fs::remove_dir_all(trained.run()).unwrap();
        std::fs::remove_dir_all(trained.dir.path().join("data")).unwrap();
        let moved = trained.dir.path().join("elsewhere");
        std::fs::rename(&out, &moved).unwrap();
        let served = ServedModel::open(&moved).unwrap();
        assert_eq!((served.name().name.as_str(), &served.name().version), ("shop", &report.model.version));
        let manifest = Manifest::read(&moved).unwrap().unwrap();
        assert_eq!((manifest.users, manifest.items), (served.tables().n_users(), served.tables().n_items()));
        ranks_alike(&model, &of_serving(&moved), if half { 0.05 } else { 1e-4 });
        let after = served.answer(&stranger).unwrap().lists;
        assert_eq!(before[0].items.len(), after[0].items.len());
        assert!(half || before == after);
        // A served model can be exported again.
        let again = trained.dir.path().join("again");
        let report = export(&moved, TARGETS[0], &again, &ExportOptions::default()).unwrap();
        assert_eq!(report.model.name, "shop");
        assert_eq!(ServedModel::open(&again).unwrap().answer(&stranger).unwrap().lists, after);
    }
}

#[test]
fn a_damaged_or_foreign_file_is_refused_by_its_name() {
    let (trained, _) = weighted("vbpr");
    std::fs::remove_file(trained.run().join("items.jsonl")).unwrap();
    let (out, _) = to(&trained, "serving", &ExportOptions::default()).unwrap();
    let files = Manifest::read(&out).unwrap().unwrap().files;
    assert!(files.contains_key("new_items.safetensors") && files.contains_key("serving.json"), "{files:?}");
    for name in files.keys().map(String::as_str).chain([MANIFEST]) {
        let path = out.join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        for damaged in [Some(&changed[..]), Some(&whole[..whole.len() - 1]), None] {
            match damaged {
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
                None if name == MANIFEST => continue,
                None => std::fs::remove_file(&path).unwrap(),
            }
            let error = ServedModel::open(&out).unwrap_err();
            assert!(error.is_input() && error.to_string().contains(name), "{name}: {error}");
        }
        std::fs::write(&path, &whole).unwrap();
    }
    std::fs::write(out.join("items.jsonl"), "").unwrap();
    let error = ServedModel::open(&out).unwrap_err().to_string();
    assert!(error.contains("items.jsonl") && error.contains("does not name it"), "{error}");
}

#[test]
fn a_served_model_can_be_calibrated_where_it_stands() {
    let (trained, _) = weighted("vbpr");
    let (out, _) =
        to(&trained, "serving", &ExportOptions { half: true, ..ExportOptions::default() }).unwrap();
    let before = Manifest::read(&out).unwrap().unwrap();
    let model = prepare(&out, None, ServingOptions::default()).unwrap();
    let after = Manifest::read(&out).unwrap().unwrap();
    assert_eq!((before.precision, &before.half), (after.precision, &after.half));
    assert_ne!(before.files["serving.json"], after.files["serving.json"]);
    assert_eq!(before.files["tables.safetensors"], after.files["tables.safetensors"]);
    assert_eq!(model.name(), ServedModel::open(&out).unwrap().name());
    assert!(after.files.contains_key("new_items.safetensors"));
}

#[test]
fn what_cannot_be_exported_is_named_and_nothing_is_left() {
    let (trained, _) = weighted("vbpr");
    let given = |change: fn(&mut ExportOptions)| {
        let mut options = ExportOptions::default();
        change(&mut options);
        options
    };
    for (target, options, says) in [
        ("npy", given(|o| o.half = true), "--half"),
        ("serving", given(|o| o.into = Some("a".into())), "--into"),
        ("postgres", given(|o| o.into = Some("drop table; --".into())), "--into"),
        ("postgres", given(|o| o.named_vectors = true), "qdrant"),
        (
            "qdrant",
            given(|o| {
                o.upload = Some(equipoise_recommend::Upload { url: "localhost".into(), api_key: None })
            }),
            "http://",
        ),
    ] {
        let error = to(&trained, target, &options).unwrap_err();
        assert!(error.is_input() && error.to_string().contains(says), "{error}");
        assert!(!trained.dir.path().join(format!("out-{target}")).exists());
    }
    let (out, _) = to(&trained, "npy", &ExportOptions::default()).unwrap();
    assert!(to(&trained, "npy", &ExportOptions::default()).unwrap_err().to_string().contains("--overwrite"));
    to(&trained, "npy", &given(|o| o.overwrite = true)).unwrap();
    let error =
        export(&trained.run(), TARGETS[0], &trained.run(), &given(|o| o.overwrite = true)).unwrap_err();
    assert!(error.to_string().contains("model itself"), "{error}");
    assert!(trained.run().join("metrics.json").is_file() && out.is_dir());
}

#[test]
fn named_vectors_stand_beside_that_of_all_parts() {
    let (trained, _) = weighted("vbpr");
    let (out, _) =
        to(&trained, "qdrant", &ExportOptions { named_vectors: true, ..ExportOptions::default() }).unwrap();
    let point = &json_lines(&out.join("points.jsonl"))[4];
    let all = floats(&point["vector"]["all"]);
    let mut joined = floats(&point["vector"]["ids"]);
    trained.model.modalities().iter().for_each(|m| joined.extend(floats(&point["vector"][m])));
    assert_eq!(all, joined);
    let vectors = &json(&out.join("collection.json"))["vectors"];
    assert_eq!(vectors["all"]["size"].as_u64(), Some(all.len() as u64));
    assert_eq!(vectors["ids"]["distance"], "Dot");
}
