//! Lists for everyone as files: what they hold, and batches that are stopped and gone on with.

#![cfg(feature = "parquet")]

use crate::common;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type, UInt32Type};
use common::Trained;
use equipoise_jobs::StopFlag;
use equipoise_recommend::{Batch, ScoreWeights, ServedModel};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::Path;

const N: usize = 7;

fn batch(shards: usize) -> Batch {
    Batch { n: N, shards, shard: None, exclude_seen: true }
}

fn whole(model: &ServedModel, out: &Path, batch: &Batch) -> equipoise_recommend::BatchReport {
    model.batch(out, batch, &StopFlag::default(), &mut |_| {}).unwrap()
}

/// The rows of a part: user, rank, item, score.
fn rows(out: &Path, shard: usize) -> Vec<(String, u32, String, f32)> {
    let file = std::fs::File::open(out.join(format!("part-{shard:05}.parquet"))).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.flat_map(|batch| of_batch(&batch.unwrap())).collect()
}

fn of_batch(batch: &RecordBatch) -> Vec<(String, u32, String, f32)> {
    let texts = |name: &str| -> Vec<String> {
        let column = batch.column_by_name(name).unwrap().as_dictionary::<Int32Type>();
        let values = column.values().as_string::<i32>();
        column.keys().values().iter().map(|&key| values.value(key as usize).to_owned()).collect()
    };
    let ranks = batch.column_by_name("rank").unwrap().as_primitive::<UInt32Type>();
    let scores = batch.column_by_name("score").unwrap().as_primitive::<Float32Type>();
    let numbers = ranks.values().iter().copied().zip(scores.values().iter().copied());
    let all = texts("user").into_iter().zip(texts("item")).zip(numbers);
    all.map(|((user, item), (rank, score))| (user, rank, item, score)).collect()
}

#[test]
fn parts_hold_the_lists_of_the_model_in_its_order() {
    let trained = Trained::new("vbpr");
    let out = trained.dir.path().join("lists");
    let report = whole(&trained.model, &out, &batch(3));
    assert_eq!((report.made, report.there, report.users, report.stopped), (3, 0, 200, false));
    let users: Vec<u32> = (0..200).collect();
    let mut expected = Vec::new();
    for (user, list) in users.iter().zip(trained.model.best(&users, N, true).unwrap()) {
        for (rank, (item, score)) in (1..).zip(list) {
            expected.push((trained.user(*user), rank, trained.item(item), score));
        }
    }
    assert_eq!((0..3).flat_map(|shard| rows(&out, shard)).collect::<Vec<_>>(), expected);
    // Longer lists than there are candidates end where those end.
    let out = trained.dir.path().join("everything");
    whole(&trained.model, &out, &Batch { n: 90, ..batch(1) });
    let found = rows(&out, 0);
    let unseen = |user: u32| {
        let tables = trained.model.tables();
        90 - tables.train().items_of(user).len() - tables.validation().items_of(user).len()
    };
    assert_eq!(found.len(), users.iter().map(|&user| unseen(user)).sum::<usize>());
}

#[test]
fn a_batch_that_was_stopped_goes_on_and_gives_the_same_files() {
    let trained = Trained::new("vbpr");
    let (whole_out, out) = (trained.dir.path().join("whole"), trained.dir.path().join("stopped"));
    whole(&trained.model, &whole_out, &batch(9));
    let stop = StopFlag::default();
    let raise = stop.clone();
    let report = trained.model.batch(&out, &batch(9), &stop, &mut |_| raise.raise()).unwrap();
    assert!(report.stopped && (1..9).contains(&report.made), "{report:?}");
    // What a killed program left of a part counts for nothing.
    std::fs::write(out.join(".part-00008.parquet.part"), "half").unwrap();
    let made = report.made;
    let report = whole(&trained.model, &out, &batch(9));
    assert_eq!((report.made, report.there, report.users, report.stopped), (9 - made, made, 200, false));
    for shard in 0..9 {
        let part = |dir: &Path| std::fs::read(dir.join(format!("part-{shard:05}.parquet"))).unwrap();
        assert!(part(&whole_out) == part(&out), "part {shard}");
    }
    let report = whole(&trained.model, &out, &batch(9));
    assert_eq!((report.made, report.there), (0, 9));
}

#[test]
fn a_batch_that_is_begun_on_the_only_thread_of_a_pool_comes_to_its_end() {
    let trained = Trained::new("vbpr");
    let out = trained.dir.path().join("lists");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let report = pool.install(|| whole(&trained.model, &out, &batch(5)));
    assert_eq!((report.made, report.users), (5, 200));
}

#[test]
fn parts_of_other_weights_or_settings_are_not_mixed() {
    let trained = Trained::new("vbpr");
    let out = trained.dir.path().join("lists");
    whole(&trained.model, &out, &Batch { shard: Some(1), ..batch(3) });
    let n = trained.model.modalities().len();
    let other = trained.model.with_weighting(ScoreWeights::Weights(vec![0.5; n])).unwrap();
    for (model, what) in [
        (&other, batch(3)),
        (&trained.model, batch(4)),
        (&trained.model, Batch { n: N + 1, ..batch(3) }),
        (&trained.model, Batch { exclude_seen: false, ..batch(3) }),
    ] {
        let error = model.batch(&out, &what, &StopFlag::default(), &mut |_| {}).unwrap_err();
        assert!(error.is_input() && error.to_string().contains("choose another --out"), "{error}");
    }
    assert_eq!(whole(&trained.model, &out, &batch(3)).made, 2);
}

#[test]
fn more_parts_than_users_leave_some_empty() {
    let trained = Trained::new("vbpr");
    let out = trained.dir.path().join("lists");
    let report = whole(&trained.model, &out, &batch(300));
    assert_eq!((report.made, report.users), (300, 200));
    assert_eq!((0..300).map(|shard| rows(&out, shard).len()).sum::<usize>(), 200 * N);
}
