//! The front door: settings that are recorded as used, models in memory and from disk, lists that are right.

use equipoise::import::synthetic::{DemoConfig, write_demo};
use equipoise::prelude::*;
use equipoise::{Ablation, EmbeddingTables};
use std::path::PathBuf;
use tempfile::TempDir;

/// A small data set with room for runs beside it.
struct World {
    dir: TempDir,
    data: Dataset,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        write_demo(&path, &DemoConfig { users: 120, items: 80, seed: 7 }).unwrap();
        let data = Dataset::open(path).unwrap().scale(Scale::L2).missing(Fill::Zero).load().unwrap();
        World { dir, data }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A model that is trained in a moment.
    fn training(&self) -> Training<'_> {
        let quick = Training::new(&self.data).set("backbone.width", 8).set("train.epochs", 2);
        quick.set("train.lr", 5e-3).set("train.batch_size", 64)
    }
}

/// Items by descending score and then by index, without those that the user has met.
fn sorted_out(model: &TrainedModel, data: &Dataset, row: u32, n: usize) -> Vec<(String, f32)> {
    let user = &model.users()[row as usize];
    let met = |item: &u32| data.train().contains(row, *item) || data.validation().contains(row, *item);
    let mut items: Vec<(u32, f32)> = (0..data.n_items() as u32)
        .filter(|item| !met(item))
        .map(|item| (item, model.score(user, &model.items()[item as usize]).unwrap()))
        .collect();
    items.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    items.truncate(n);
    items.into_iter().map(|(item, score)| (model.items()[item as usize].to_owned(), score)).collect()
}

fn pairs(hits: &[Hit]) -> Vec<(String, f32)> {
    hits.iter().map(|hit| (hit.item.to_owned(), hit.score)).collect()
}

#[test]
fn a_list_holds_the_best_unseen_items_and_is_the_same_in_every_way_to_ask() {
    let world = World::new();
    let done = world.training().run().unwrap();
    let all = done.model().recommend_all(7).unwrap();
    for (row, user) in done.model().users().iter().enumerate().step_by(17) {
        let expected = sorted_out(done.model(), &world.data, row as u32, 7);
        assert_eq!(pairs(&done.model().recommend(user, 7).unwrap()), expected, "{user}");
        assert_eq!(pairs(&all[row]), expected);
    }
    let some = [&done.model().users()[5], &done.model().users()[2], &done.model().users()[5]];
    let lists = done.model().recommend_to(&some, 7).unwrap();
    assert_eq!(lists, [all[5].clone(), all[2].clone(), all[5].clone()]);
}

#[test]
fn equal_scores_are_ordered_by_item_and_a_list_ends_where_nothing_is_left() {
    let world = World::new();
    let done = world.training().set("backbone.name", "popularity").run().unwrap();
    let (model, counts) = (done.model(), world.data.train().item_counts());
    let user = &model.users()[3];
    let left = 80 - world.data.train().items_of(3).len() - world.data.validation().items_of(3).len();
    let hits = model.recommend(user, 1000).unwrap();
    assert_eq!(hits.len(), left);
    let index = |hit: &Hit| world.data.vocabulary().item(hit.item).unwrap();
    let ordered = |a: &Hit, b: &Hit| a.score > b.score || (a.score == b.score && index(a) < index(b));
    assert!(hits.windows(2).all(|pair| ordered(&pair[0], &pair[1])));
    assert!(hits.windows(2).any(|pair| pair[0].score == pair[1].score), "there are ties to break");
    assert!(hits.iter().all(|hit| hit.score == counts[index(hit) as usize] as f32));
    assert!(model.recommend(user, 0).unwrap().is_empty());
    assert_eq!(model.with_seen().recommend(user, 1000).unwrap().len(), 80);
}

#[test]
fn a_run_on_disk_answers_as_in_memory_when_its_data_set_is_gone() {
    let world = World::new();
    let done = world.training().run_in(world.path("run")).unwrap();
    std::fs::remove_dir_all(world.path("data")).unwrap();
    let opened = TrainedModel::open(world.path("run")).unwrap();
    assert_eq!(opened.recommend_all(5).unwrap(), done.model().recommend_all(5).unwrap());
    assert_eq!(opened.embeddings(), done.model().embeddings());
    let again = TrainedRun::open(world.path("run")).unwrap();
    let measured = |run: &TrainedRun| {
        let test = run.report().test.clone().unwrap();
        test.ablations.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(measured(&again), measured(&done));
}

#[test]
fn the_tables_reproduce_what_the_run_measured_on_test_for_the_model_and_for_each_channel() {
    let world = World::new();
    let done = world.training().run().unwrap();
    let measure = |model: &TrainedModel| {
        let EmbeddingTables { users, items, .. } = model.embeddings();
        let (train, test) = (world.data.train(), world.data.unseal_test());
        equipoise::evaluate(&users, &items, train, test, &EvalConfig::default()).unwrap().metrics
    };
    let test = done.report().test.clone().unwrap();
    assert_eq!(measure(done.model()), test.metrics);
    let names: Vec<_> = world.data.modalities().collect();
    for (m, name) in names.iter().enumerate() {
        let channel = done.model().channel(name).unwrap();
        assert_eq!(measure(&channel), test.ablations[&Ablation::only(m, names.len())], "{name}");
    }
    let ids_only = &test.ablations[&Ablation::ids_only(names.len())];
    assert_eq!(measure(&done.model().ids_only().unwrap()), *ids_only);
    assert_ne!(*ids_only, test.metrics);
}

#[test]
fn similar_items_are_those_of_the_largest_cosine() {
    let world = World::new();
    let done = world.training().run().unwrap();
    similar_by_cosine(done.model());
    // Those of a channel are compared by the rows of the channel.
    similar_by_cosine(&done.model().channel("image").unwrap());
}

fn similar_by_cosine(model: &TrainedModel) {
    let EmbeddingTables { items, width, .. } = model.embeddings();
    let row = |i: usize| &items[i * width..(i + 1) * width];
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
    let cosine = |i: usize| dot(row(0), row(i)) / (dot(row(0), row(0)) * dot(row(i), row(i))).sqrt();
    let best = (1..80).max_by(|&a, &b| cosine(a).total_cmp(&cosine(b))).unwrap();
    let hits = model.similar_items(&model.items()[0], 200).unwrap();
    assert_eq!((hits.len(), hits[0].item), (79, &model.items()[best]), "an item is not like itself");
    assert!((f64::from(hits[0].score) - cosine(best)).abs() < 1e-5);
}

#[test]
fn unknown_names_are_refused_with_the_nearest_one() {
    let world = World::new();
    let done = world.training().run().unwrap();
    let model = done.model();
    let user = format!("{}x", &model.users()[11]);
    let error = model.recommend(&user, 3).unwrap_err();
    assert!(error.is_input() && error.to_string().contains("did you mean"), "{error}");
    let error = model.score(&model.users()[0], "%%%").unwrap_err().to_string();
    assert!(error.contains("no item `%%%` among 80 known, such as"), "{error}");
    let error = model.channel("txt").unwrap_err().to_string();
    assert!(error.contains("no modality `txt` (did you mean `text`?)"), "{error}");
}

#[test]
fn a_run_records_the_settings_that_it_used() {
    let world = World::new();
    let done = world.training().seed(5).run_in(world.path("run")).unwrap();
    let config = done.files().config().unwrap();
    assert_eq!(&config.data, world.data.settings());
    assert_eq!((config.data.scale, config.data.missing, config.seed), (Scale::L2, Fill::Zero, 5));
    let again = config.data.load().unwrap().data;
    assert_eq!(again.fingerprint(), done.report().fingerprint);
    let error = world.training().set("data.scale", "none").run().unwrap_err();
    assert!(error.is_input() && error.to_string().contains("Dataset::open"), "{error}");
}

#[test]
fn settings_are_checked_by_key_type_and_range() {
    let world = World::new();
    let refused = |training: Training| training.run().map(drop).unwrap_err().to_string();
    let error = refused(world.training().set("train.learning_rate", 1e-3));
    assert!(error.contains("train.learning_rate") && error.contains("train.lr"), "{error}");
    let error = refused(world.training().set("train.lr", "fast"));
    assert!(error.contains("train.lr"), "{error}");
    let error = refused(world.training().set("train.lr", -1.0));
    assert!(error.contains("train.lr") && error.contains("more than 0"), "{error}");
    let error = refused(world.training().config(|c| c.backbone.name = "vbrp".into()));
    assert!(error.contains("did you mean `vbpr`"), "{error}");
    let error = Dataset::open(world.path("nowhere")).unwrap_err();
    assert!(error.is_input() && error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn a_run_without_a_directory_leaves_no_files_once_its_model_is_gone() {
    let world = World::new();
    let done = world.training().run().unwrap();
    let (dir, model) = (done.files().dir().to_owned(), done.model().clone());
    assert!(dir.join("metrics.json").exists());
    let before = pairs(&model.recommend(&model.users()[0], 5).unwrap());
    drop(done);
    // Saving the model and giving it items read them.
    assert!(dir.exists());
    assert_eq!(pairs(&model.recommend(&model.users()[0], 5).unwrap()), before);
    let channel = model.channel("image").unwrap();
    drop(model);
    assert!(dir.exists());
    drop(channel);
    assert!(!dir.exists());
}

#[test]
fn threads_change_nothing_and_events_are_heard() {
    let world = World::new();
    let mut heard = 0;
    let one = world.training().threads(1).listener(|_: &equipoise::Event| heard += 1).run().unwrap();
    let two = world.training().threads(2).run().unwrap();
    assert_eq!(one.model().embeddings(), two.model().embeddings());
    assert!(heard > 3);
}

#[test]
fn a_raised_flag_ends_training_with_the_model_so_far() {
    let world = World::new();
    let flag = equipoise::StopFlag::default();
    let raised = flag.clone();
    let listener = move |event: &equipoise::Event| {
        if matches!(event, equipoise::Event::Step { epoch: 2, .. }) {
            raised.raise();
        }
    };
    let done = world.training().listener(listener).stop(&flag).run().unwrap();
    assert!(done.report().epochs < 3, "{}", done.report().epochs);
    assert_eq!(done.model().recommend_all(3).unwrap().len(), 120);
    // A flag that is raised before there is a model leaves none.
    let error = world.training().stop(&flag).run().unwrap_err();
    assert!(error.to_string().contains("stopped while training the model"), "{error}");
}

#[test]
fn foreign_tables_that_do_not_fit_are_refused() {
    let world = World::new();
    let (train, test) = (world.data.train(), world.data.unseal_test());
    let error = equipoise::evaluate(&[0.0; 240], &[0.0; 81], train, test, &EvalConfig::default());
    assert!(error.unwrap_err().to_string().contains("items: 81 values for 80 rows"));
}

#[test]
fn the_guide_to_the_library_shows_the_lines_that_the_crate_documentation_runs() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let guide = std::fs::read_to_string(format!("{root}/docs/library.md")).unwrap();
    let code = guide.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let run = include_str!("../src/lib.rs");
    let lines: Vec<&str> =
        code.lines().map(str::trim).filter(|line| line.contains("data") || line.contains("done")).collect();
    assert!(lines.len() >= 4, "{code}");
    for line in lines {
        assert!(run.contains(line), "src/lib.rs does not run {line:?}");
    }
}
