//! An evaluation counts what it should count.

use equipoise_data::{Ids, Interactions};
use equipoise_eval::{
    Embeddings, EvalConfig, EvalError, MetricName, NdcgDefinition, PerUser, PerUserFile, evaluate,
};

fn interactions(n_users: usize, n_items: usize, pairs: &[(u32, u32)]) -> Interactions {
    Interactions::from_pairs(n_users, n_items, pairs).0
}

/// One dimension, item i scores -i for everybody: the list is 0, 1, 2, ..
struct Ordered {
    users: Vec<f32>,
    items: Vec<f32>,
}

impl Ordered {
    fn new(n_users: usize, n_items: usize) -> Self {
        let items = (0..n_items).map(|i| -(i as f32)).collect();
        Ordered { users: vec![1.0; n_users], items }
    }

    fn model(&self) -> Embeddings<'_> {
        Embeddings::new(&self.users, &self.items, 1).unwrap()
    }
}

fn at(ks: &[usize], ndcg: NdcgDefinition) -> EvalConfig {
    EvalConfig { ks: ks.to_vec(), ndcg, ..EvalConfig::default() }
}

#[test]
fn three_held_out_items_with_hits_at_ranks_one_and_four() {
    // Items 1 and 2 are excluded, so 0, 3, 4, 5, 6 are the first five; 0, 5 and 9 are held out.
    let ordered = Ordered::new(2, 10);
    let train = interactions(2, 10, &[(0, 1), (0, 2)]);
    let test = interactions(2, 10, &[(0, 0), (0, 5), (0, 9)]);
    for (definition, ndcg) in [
        (NdcgDefinition::Standard, 0.671_386_072_523_304_1),
        (NdcgDefinition::Retrieved, 0.877_215_315_338_049_3),
    ] {
        let config = at(&[5], definition);
        let result = evaluate(&ordered.model(), &test, &[&train], &config).unwrap();
        for (name, expected) in
            [("recall@5", 2.0 / 3.0), ("precision@5", 0.4), ("hit@5", 1.0), ("ndcg@5", ndcg)]
        {
            let found = result.metric(name).unwrap();
            assert!((found - expected).abs() < 1e-12, "{name}: {found}");
        }
        assert_eq!((result.evaluated_users, result.skipped_users), (1, 1));
        assert_eq!(result.unreachable, 0);
    }
}

#[test]
fn means_run_over_evaluated_users_only_and_columns_follow_the_settings() {
    let ordered = Ordered::new(4, 6);
    let train = interactions(4, 6, &[(1, 0)]);
    let test = interactions(4, 6, &[(1, 1), (3, 5)]);
    let config = EvalConfig {
        metrics: vec![MetricName::Hit, MetricName::Recall],
        ..at(&[2, 1], NdcgDefinition::Standard)
    };
    let result = evaluate(&ordered.model(), &test, &[&train], &config).unwrap();
    assert_eq!(result.per_user.users, [1, 3]);
    let names: Vec<&str> = result.per_user.names().collect();
    assert_eq!(names, ["hit@2", "hit@1", "recall@2", "recall@1"]);
    assert_eq!(result.per_user.column("recall@1").unwrap(), [1.0, 0.0]);
    assert_eq!(result.metric("hit@2").unwrap(), 0.5);
    assert_eq!(result.skipped_users, 2);
    assert!(matches!(result.metric("ndcg@2"), Err(EvalError::UnknownMetric { .. })));
    assert!(result.definitions["recall"].starts_with("recall@k = "));
    assert!(!result.definitions.contains_key("ndcg"));
}

#[test]
fn excluding_validation_items_moves_test_items_up() {
    let ordered = Ordered::new(1, 5);
    let train = interactions(1, 5, &[(0, 0)]);
    let validation = interactions(1, 5, &[(0, 1)]);
    let test = interactions(1, 5, &[(0, 2)]);
    let mut config = at(&[1], NdcgDefinition::Standard);
    for (exclude_validation_at_test, expected) in [(false, 0.0), (true, 1.0)] {
        config.exclude_validation_at_test = exclude_validation_at_test;
        let exclude = config.excluded_at_test(&train, &validation);
        let result = evaluate(&ordered.model(), &test, &exclude, &config).unwrap();
        assert_eq!(result.metric("recall@1").unwrap(), expected);
    }
}

#[test]
fn a_held_out_item_that_is_excluded_counts_as_missed_and_is_reported() {
    let ordered = Ordered::new(1, 3);
    let train = interactions(1, 3, &[(0, 0)]);
    let test = interactions(1, 3, &[(0, 0), (0, 1)]);
    let result = evaluate(&ordered.model(), &test, &[&train], &at(&[3], NdcgDefinition::Standard)).unwrap();
    assert_eq!(result.unreachable, 1);
    assert_eq!(result.metric("recall@3").unwrap(), 0.5);
}

#[test]
fn cut_offs_beyond_the_catalogue_keep_their_divisor() {
    let ordered = Ordered::new(1, 3);
    let test = interactions(1, 3, &[(0, 2)]);
    let config = at(&[usize::MAX, 6], NdcgDefinition::Standard);
    let result = evaluate(&ordered.model(), &test, &[], &config).unwrap();
    assert_eq!(result.metric("precision@6").unwrap(), 1.0 / 6.0);
    assert_eq!(result.metric("ndcg@6").unwrap(), 0.5);
}

#[test]
fn splits_without_held_out_items_or_of_another_catalogue_are_refused() {
    let ordered = Ordered::new(2, 3);
    let config = EvalConfig::default();
    let none = interactions(2, 3, &[]);
    let other = interactions(2, 4, &[(0, 3)]);
    assert!(matches!(
        evaluate(&ordered.model(), &none, &[], &config),
        Err(EvalError::NoHeldOut { n_users: 2 })
    ));
    let error = evaluate(&ordered.model(), &other, &[], &config).unwrap_err().to_string();
    assert!(error.starts_with("held-out interactions: "), "{error}");
}

fn sample() -> PerUser {
    PerUser {
        users: vec![1, 3],
        columns: vec![("recall@20".to_owned(), vec![0.5, 1.0 / 3.0]), ("ndcg@20".to_owned(), vec![0.0, 1.0])],
    }
}

#[test]
fn a_parquet_file_gives_back_table_ids_and_metadata() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("per_user.parquet");
    let ids: Ids = ["a", "b", "c", "d"].iter().collect();
    sample().write_parquet(&path, Some(&ids), &[("model", "vbpr".to_owned())]).unwrap();
    let file = PerUserFile::read(&path).unwrap();
    assert_eq!(file.per_user, sample());
    assert_eq!(file.raw_user_ids.unwrap(), ["b", "d"]);
    assert_eq!(file.metadata.into_iter().collect::<Vec<_>>(), [("model".into(), "vbpr".into())]);

    sample().write_parquet(&path, None, &[]).unwrap();
    assert_eq!(PerUserFile::read(&path).unwrap().raw_user_ids, None);
    assert_eq!(PerUser::read_parquet(&path).unwrap(), sample());
}

#[test]
fn tables_that_do_not_fit_together_are_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("per_user.parquet");
    let refuse = |table: &PerUser, ids: Option<&Ids>, part: &str| {
        let error = table.write_parquet(&path, ids, &[]).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert!(!path.exists());
    };
    let mut short = sample();
    short.columns[1].1.pop();
    refuse(&short, None, "expected 2 values, one per user, found 1");
    let mut twice = sample();
    twice.columns[1].0 = "recall@20".to_owned();
    refuse(&twice, None, "`recall@20`");
    refuse(&sample(), Some(&["a"].iter().collect()), "a raw id for user 1");
}

#[test]
fn files_of_another_kind_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("per_user.parquet");
    let missing = PerUser::read_parquet(&path).unwrap_err().to_string();
    assert!(missing.contains("per_user.parquet"), "{missing}");
    sample().write_parquet(&path, None, &[]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 4, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let error = PerUser::read_parquet(&path).unwrap_err();
        assert!(matches!(error, EvalError::Parquet { .. }), "{cut}: {error}");
    }
}
