//! The final tables of a run: what they hold, that they say what the model says, and when they are refused.

use crate::common;

use common::World;
use equipoise_data::{Ids, Vocabulary};
use equipoise_models::Ablation;
use equipoise_train::{FinalTables, Run, RunConfig, TablePrecision};
use safetensors::SafeTensors;
use std::path::Path;

fn opened(run: &Run) -> Result<FinalTables, String> {
    let vocabulary = run.vocabulary().map_err(|e| e.to_string())?;
    run.tables(&vocabulary).map_err(|e| e.to_string())
}

/// Rows of the blocks of a view side by side, as `Encoded::tables` has them.
fn joined(tables: &FinalTables, ablation: Ablation) -> (Vec<f32>, Vec<f32>) {
    let blocks: Vec<_> = tables.view(ablation).expect("the run measures it").collect();
    let join = |rows: usize, side: fn(&equipoise_train::tables::FinalBlock) -> &[f32]| {
        let row = |r: usize| blocks.iter().flat_map(move |b| &side(b)[r * b.width()..(r + 1) * b.width()]);
        (0..rows).flat_map(row).copied().collect()
    };
    (join(tables.n_users(), |b| b.users()), join(tables.n_items(), |b| b.items()))
}

/// Settings of a backbone whose ablations share blocks, and of one that has a pair of tables for each.
fn both(world: &World) -> [RunConfig; 2] {
    ["vbpr", "mgcn"].map(|name| {
        let mut config = world.config();
        config.backbone.name = name.into();
        config.train.epochs = 1;
        config
    })
}

#[test]
fn the_tables_of_a_run_equal_those_of_its_model_under_every_ablation() {
    let world = World::new();
    for config in both(&world) {
        let name = &config.backbone.name;
        let run = world.run(&config, name).unwrap().run;
        let tables = opened(&run).unwrap();
        let n = world.modalities().len();
        let channels = (0..n).map(|m| Ablation::only(m, n)).chain((0..n).map(Ablation::without));
        let wanted: Vec<Ablation> =
            std::iter::once(Ablation::FULL).chain(channels).chain([Ablation::ids_only(n)]).collect();
        let found: Vec<Ablation> = tables.views().iter().map(|v| v.ablation).collect();
        assert_eq!(found, wanted, "{name}");
        let encoded = run.model(&world.loaded.data).unwrap().encode_all(&wanted);
        for ablation in wanted {
            let (users, items, _) = encoded.tables(ablation);
            assert!(joined(&tables, ablation) == (users, items), "{name} {ablation:?}");
        }
        assert_eq!(tables.modalities(), world.modalities());
    }
}

#[test]
fn a_run_keeps_what_each_user_has_seen_and_moves_without_its_data() {
    let world = World::new();
    world.run(&world.config(), "run").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("moved");
    std::fs::rename(world.path("run"), &moved).unwrap();
    let (train, validation) = (world.loaded.data.train.clone(), world.loaded.data.validation.clone());
    let ids = world.loaded.data.vocabulary.clone();
    drop(world);
    let run = Run::open(&moved).unwrap();
    let tables = opened(&run).unwrap();
    assert!(tables.train() == &train && tables.validation() == &validation && !validation.is_empty());
    assert_eq!(run.vocabulary().unwrap(), ids);
    assert_eq!(tables.fingerprint(), run.report().unwrap().fingerprint);
}

#[test]
fn equal_runs_have_equal_files() {
    let world = World::new();
    let bytes = |name: &str| {
        let run = world.run(&world.config(), name).unwrap().run;
        std::fs::read(run.tables_path()).unwrap()
    };
    assert!(bytes("one") == bytes("two"));
}

/// The file with another header and tensors.
fn rewritten(path: &Path, change: impl Fn(&str) -> String, values: impl Fn(&str, &mut Vec<u8>)) {
    let bytes = std::fs::read(path).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let entries = metadata.metadata().clone().unwrap();
    let entries = entries.into_iter().map(|(key, text)| (key, change(&text))).collect();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let changed: Vec<(String, _, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, view)| {
            let mut data = view.data().to_vec();
            values(name, &mut data);
            (name.to_owned(), view.dtype(), view.shape().to_vec(), data)
        })
        .collect();
    let views = changed.iter().map(|(name, dtype, shape, data)| {
        (name, safetensors::tensor::TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    std::fs::write(path, safetensors::serialize(views, Some(entries)).unwrap()).unwrap();
}

#[test]
fn damaged_and_foreign_files_are_refused_with_a_remedy() {
    let world = World::new();
    let run = unbound(&world.run(&world.config(), "run").unwrap().run);
    let path = run.tables_path();
    let whole = std::fs::read(&path).unwrap();
    type Change = fn(&str) -> String;
    type Values = fn(&str, &mut Vec<u8>);
    let faults: [(&str, Change, Values); 7] = [
        ("version 9", |t| t.replace("\"version\":1", "\"version\":9"), |_, _| {}),
        ("silences", |t| t.replace("\"silenced\":[1]", "\"silenced\":[70]"), |_, _| {}),
        ("occurs twice", |t| t.replace("\"silenced\":[1]", "\"silenced\":[0]"), |_, _| {}),
        ("no tensor users.", |t| t.replacen("\"blocks\":[0", "\"blocks\":[9", 1), |_, _| {}),
        ("users.0 holds NaN", same_text, |name, bytes| {
            if name == "users.0" {
                bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
            }
        }),
        ("train.indices", same_text, |name, bytes| {
            if name == "train.indices" {
                bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
            }
        }),
        ("validation.indptr", same_text, |name, bytes| {
            if name == "validation.indptr" {
                bytes[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
            }
        }),
    ];
    rewritten(&path, same_text, |_, _| {});
    assert!(std::fs::read(&path).unwrap() == whole, "writing it again changes nothing");
    for (expected, change, values) in faults {
        rewritten(&path, change, values);
        let error = opened(&run).err().unwrap_or_else(|| panic!("{expected}: accepted"));
        assert!(error.contains("tables.safetensors") && error.contains(expected), "{expected}: {error}");
        assert!(error.contains("train again"), "{error}");
        std::fs::write(&path, &whole).unwrap();
    }
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(opened(&run).err().unwrap().contains("damaged"));
}

/// The run as an earlier version kept it, without hashes: its files are judged by what is in them.
fn unbound(run: &Run) -> Run {
    std::fs::remove_file(run.dir().join("run.json")).unwrap();
    let run = Run::open(run.dir()).unwrap();
    assert!(!run.is_bound());
    run
}

fn same_text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn tables_of_other_users_or_other_data_and_runs_without_any_are_refused() {
    let (world, other) = (World::new(), World::seeded(8));
    let run = unbound(&world.run(&world.config(), "run").unwrap().run);
    let ids = |n: usize| (0..n).map(|i| i.to_string()).collect::<Ids>();
    let small = Vocabulary::new(ids(3), ids(80)).unwrap();
    let error = run.tables(&small).err().expect("fewer users").to_string();
    assert!(error.contains("120 users") && error.contains("names 3"), "{error}");
    let foreign = other.run(&other.config(), "run").unwrap().run;
    std::fs::copy(foreign.tables_path(), run.tables_path()).unwrap();
    let error = opened(&run).err().expect("other data");
    assert!(error.contains("other data"), "{error}");
    std::fs::remove_file(run.tables_path()).unwrap();
    let error = opened(&run).err().expect("no file");
    assert!(error.contains("earlier version") && error.contains("--overwrite"), "{error}");
}

#[test]
fn teachers_keep_no_tables() {
    let world = World::new();
    let run = world.run(&world.distilled(), "run").unwrap().run;
    assert!(run.tables_path().exists());
    for name in world.modalities() {
        assert!(!Run::open(&run.dir().join("teachers").join(name)).unwrap().tables_path().exists());
    }
}

#[test]
fn half_precision_rounds_and_is_read_wherever_float32_is() {
    let world = World::new();
    let config = both(&world)[0].clone();
    let tables = opened(&world.run(&config, "half").unwrap().run).unwrap();
    let path = world.path("half.safetensors");
    tables.write_as(&path, TablePrecision::Float16).unwrap();
    let half = FinalTables::read(&path).unwrap();
    assert_eq!((tables.precision(), half.precision()), (TablePrecision::Float32, TablePrecision::Float16));
    assert_eq!((half.train(), half.views()), (tables.train(), tables.views()));
    for (block, rounded) in tables.blocks().iter().zip(half.blocks()) {
        for (value, near) in block.items().iter().zip(rounded.items()) {
            assert!((value - near).abs() <= value.abs() / 2048.0 + 1e-7, "{value} {near}");
        }
    }
    // What is half already is not rounded again.
    let again = world.path("again.safetensors");
    half.write_as(&again, TablePrecision::Float16).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
    // A value that is no number.
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    let place = (8..end - 1).rev().find(|&at| bytes[at..].starts_with(&half_bytes(&half))).unwrap();
    bytes[place..place + 2].copy_from_slice(&[0x00, 0x7c]);
    std::fs::write(&path, bytes).unwrap();
    let error = FinalTables::read(&path).err().unwrap().to_string();
    assert!(error.contains("inf"), "{error}");
}

/// The first values of the last block's user table as they are stored.
fn half_bytes(tables: &FinalTables) -> Vec<u8> {
    let users = tables.blocks().last().unwrap().users();
    users[..4].iter().flat_map(|&v| equipoise_data::f16::from_f32(v).to_le_bytes()).collect()
}

#[test]
fn values_beyond_half_precision_are_refused() {
    let world = World::new();
    let config = both(&world)[0].clone();
    let run = world.run(&config, "large").unwrap().run;
    let tables = opened(&run).unwrap();
    let rows = tables.blocks().iter().map(|block| vec![70_000.0; block.width()]).collect::<Vec<_>>();
    let path = world.path("large.safetensors");
    let error = tables.with_items(&rows).write_as(&path, TablePrecision::Float16).unwrap_err().to_string();
    assert!(error.contains("70000") && error.contains("float32") && !path.exists(), "{error}");
}

#[test]
fn more_items_stand_behind_the_others_and_nobody_has_met_them() {
    let world = World::new();
    let tables = opened(&world.run(&both(&world)[1], "more").unwrap().run).unwrap();
    let rows: Vec<Vec<f32>> =
        tables.blocks().iter().map(|b| (0..2 * b.width()).map(|v| v as f32).collect()).collect();
    let more = tables.with_items(&rows);
    let path = world.path("more.safetensors");
    more.write(&path).unwrap();
    let read = FinalTables::read(&path).unwrap();
    assert_eq!(read.n_items(), tables.n_items() + 2);
    for (before, after) in tables.blocks().iter().zip(read.blocks()) {
        let (old, new) = after.items().split_at(before.items().len());
        assert_eq!((old, new[1], after.users()), (before.items(), 1.0, before.users()));
    }
    let counts = read.train().item_counts();
    assert_eq!(
        (counts[counts.len() - 1], counts[..tables.n_items()].to_vec()),
        (0, tables.train().item_counts())
    );
}

#[test]
fn parameters_are_read_by_name_and_a_foreign_file_is_refused() {
    let world = World::new();
    let config = both(&world)[0].clone();
    let run = Run::open(world.run(&config, "stored").unwrap().run.dir()).unwrap();
    let (parameters, name) = (run.parameters().unwrap(), &world.modalities()[0]);
    let (weight, columns) = parameters.get(&format!("weight.{name}")).unwrap();
    let width = config.backbone.width;
    assert_eq!(weight.len(), width * columns);
    assert_eq!(columns, world.loaded.data.modalities[0].features.width());
    assert!(parameters.get("weight.sound").is_none());
    let mut bytes = std::fs::read(run.model_path()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(run.model_path(), bytes).unwrap();
    assert!(run.parameters().unwrap_err().to_string().contains("model.safetensors"));
}
