//! The blocked ranking equals a plain sort, whatever the sizes and the number of threads.

use equipoise_data::{Interactions, StopFlag};
use equipoise_eval::{
    Embeddings, EvalConfig, EvalError, ItemIndex, NO_ITEM, Ranking, evaluate, evaluate_until, rank,
};
use proptest::prelude::*;

/// Scores every item, drops the excluded, sorts: the definition.
fn naive(model: &Embeddings<'_>, users: &[u32], exclude: &[&Interactions], k: usize) -> Ranking {
    let mut ranking = Ranking { users: users.to_vec(), items: vec![], scores: vec![], k };
    for &user in users {
        let u = &model.users[user as usize * model.dim..][..model.dim];
        let score = |item: &[f32]| u.iter().zip(item).map(|(a, b)| a * b).sum::<f32>();
        let scores = model.items.chunks_exact(model.dim).map(score);
        let excluded = |item: &u32| exclude.iter().any(|e| e.items_of(user).contains(item));
        let mut list: Vec<(f32, u32)> = scores.zip(0..).filter(|(_, i)| !excluded(i)).collect();
        list.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap().then(a.1.cmp(&b.1)));
        list.resize(k, (f32::NEG_INFINITY, NO_ITEM));
        ranking.items.extend(list.iter().map(|(_, item)| item));
        ranking.scores.extend(list.iter().map(|(score, _)| score));
    }
    ranking
}

fn with_threads<T: Send>(n: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    pool.install(run)
}

#[derive(Debug)]
struct Case {
    users: Vec<f32>,
    items: Vec<f32>,
    dim: usize,
    asked: Vec<u32>,
    exclude: Vec<Vec<(u32, u32)>>,
    k: usize,
}

/// Small whole numbers: sums are exact in `f32` in any order, and ties abound. User 0 has seen all
/// items. Sizes lie on both sides of the block sizes, 192 users and 384 items.
fn case() -> impl Strategy<Value = Case> {
    let n_users = prop_oneof![1usize..5, 190usize..195, 383usize..386];
    let n_items = prop_oneof![1usize..40, 382usize..387, 766usize..771];
    let k = prop_oneof![1usize..60, 120usize..140, Just(1000)];
    (n_users, n_items, 1usize..6, k).prop_flat_map(|(n_users, n_items, dim, k)| {
        let values = |rows: usize| {
            let value = (-2i8..3).prop_map(f32::from);
            prop::collection::vec(value, rows * dim)
        };
        let pairs = || {
            let pair = (0..n_users as u32, 0..n_items as u32);
            prop::collection::vec(pair, 0..300).prop_map(move |mut pairs| {
                pairs.extend((0..n_items as u32).map(|item| (0, item)));
                pairs
            })
        };
        let asked = prop::collection::vec(0..n_users as u32, 0..=n_users + 3);
        let exclude = prop::collection::vec(pairs(), 0..3);
        (values(n_users), values(n_items), asked, exclude)
            .prop_map(move |(users, items, asked, exclude)| Case { users, items, dim, asked, exclude, k })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn equals_a_plain_sort_on_one_and_on_two_threads(case in case()) {
        let model = Embeddings::new(&case.users, &case.items, case.dim).unwrap();
        let (n_users, n_items) = (model.n_users(), model.n_items());
        let exclude: Vec<Interactions> = case.exclude.iter()
            .map(|pairs| Interactions::from_pairs(n_users, n_items, pairs).0).collect();
        let exclude: Vec<&Interactions> = exclude.iter().collect();
        let expected = naive(&model, &case.asked, &exclude, case.k);
        for threads in [1, 2] {
            let found = with_threads(threads, || rank(&model, &case.asked, &exclude, case.k)).unwrap();
            prop_assert!(found == expected, "{threads} threads:\n{found:?}\n{expected:?}");
        }
    }
}

/// Values in (-1, 1) with full mantissas, so that the order of a sum shows in its last bits.
fn rough(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn the_bits_of_a_score_depend_on_its_user_and_item_alone() {
    for dim in [1, 2, 3, 64, 67, 192] {
        let (users, items) = (rough(300 * dim, 1), rough(1700 * dim, 2));
        let model = Embeddings::new(&users, &items, dim).unwrap();
        let everyone: Vec<u32> = (0..300).collect();
        let all = with_threads(2, || rank(&model, &everyone, &[], 1700)).unwrap();
        for user in [0u32, 77, 129, 299] {
            let alone = rank(&model, &[user], &[], 1700).unwrap();
            let row = user as usize * 1700..(user as usize + 1) * 1700;
            assert_eq!(alone.items, all.items[row.clone()], "dim {dim}, user {user}");
            assert_eq!(alone.scores, all.scores[row], "dim {dim}, user {user}");
        }
        // Equal rows at different places of the blocks score equally.
        let twins = [&items[..dim], &items, &items[..dim]].concat();
        let model = Embeddings::new(&users, &twins, dim).unwrap();
        let ranking = rank(&model, &[5], &[], 1702).unwrap();
        let place = |item: u32| ranking.items.iter().position(|&i| i == item).unwrap();
        let scores = [0, 1, 1701].map(|item| ranking.scores[place(item)].to_bits());
        assert!(scores.iter().all(|&s| s == scores[0]), "dim {dim}: {scores:?}");
    }
}

#[test]
fn few_users_are_ranked_by_parts_of_the_items_with_the_same_result() {
    let (dim, n_items) = (64, 20_011usize);
    let users = rough(3 * dim, 5);
    // Every row occurs twice, so that ties lie in different parts.
    let half = rough(n_items.div_ceil(2) * dim, 6);
    let items = [&half[..], &half[dim..]].concat();
    let model = Embeddings::new(&users, &items, dim).unwrap();
    let met: Vec<(u32, u32)> = (0..n_items as u32).step_by(7).map(|item| (1, item)).collect();
    let met = Interactions::from_pairs(3, n_items, &met).0;
    for k in [1, 100, 1000, n_items + 5] {
        let ranked = |threads| with_threads(threads, || rank(&model, &[2, 1], &[&met], k)).unwrap();
        let one = ranked(1);
        assert_eq!(one, ranked(2), "{k}");
        assert_eq!(one, ranked(5), "{k}");
    }
}

#[test]
fn tables_side_by_side_are_ranked_as_one() {
    let (users, a, b) = (rough(4 * 67, 1), rough(900 * 64, 2), rough(900 * 3, 3));
    let joined: Vec<f32> =
        a.chunks_exact(64).zip(b.chunks_exact(3)).flat_map(|(a, b)| [a, b].concat()).collect();
    let one = ItemIndex::new(&joined, 67).unwrap().rank(&users, &[], 50).unwrap();
    let two = ItemIndex::joined(&[(&a, 64), (&b, 3)]).unwrap();
    assert_eq!((two.dim(), two.n_items()), (67, 900));
    assert_eq!(one, two.rank(&users, &[], 50).unwrap());
    let scores = two.scores(&users[67..134]).unwrap();
    for place in 50..100 {
        let (item, score) = (one.items[place] as usize, one.scores[place]);
        assert_eq!(scores[item].to_bits(), score.to_bits());
    }
    assert!(matches!(two.scores(&users), Err(EvalError::TableLength { .. })));
    assert!(matches!(ItemIndex::joined(&[]), Err(EvalError::ZeroDim)));
    let wrong = ItemIndex::joined(&[(&a, 64), (&b[3..], 3)]);
    assert!(matches!(wrong, Err(EvalError::TableLength { .. })));
}

#[test]
fn overflowing_scores_name_the_first_user_and_item() {
    let mut users = vec![1.0f32; 200];
    users[150] = 1e30;
    let mut items = vec![1.0f32; 900];
    items[800] = -1e30;
    let model = Embeddings::new(&users, &items, 1).unwrap();
    let everyone: Vec<u32> = (0..200).collect();
    match rank(&model, &everyone, &[], 3) {
        Err(EvalError::NonFiniteScore { user: 150, item: 800, value }) => {
            assert_eq!(value, f32::NEG_INFINITY);
        }
        other => panic!("expected the overflow to be named, found {other:?}"),
    }
    // The pair is what overflows: without that user the same tables rank.
    assert!(rank(&model, &everyone[..150], &[], 3).is_ok());
}

#[test]
fn unusable_requests_are_refused() {
    let (users, items) = ([1.0f32, 2.0], [1.0f32, 2.0, 3.0]);
    let model = Embeddings::new(&users, &items, 1).unwrap();
    let (other, _) = Interactions::from_pairs(2, 4, &[]);
    assert!(matches!(rank(&model, &[0], &[], 0), Err(EvalError::ZeroK)));
    assert!(matches!(
        rank(&model, &[0, 2], &[], 1),
        Err(EvalError::UserOutOfRange { position: 1, user: 2, n_users: 2 })
    ));
    let error = rank(&model, &[0], &[&other], 1).unwrap_err().to_string();
    assert!(error.starts_with("exclude[0]: ") && error.contains("2 x 4"), "{error}");
    assert!(matches!(rank(&model, &[0, 1], &[], usize::MAX), Err(EvalError::TooLarge { .. })));
    let broken = Embeddings { users: &[f32::NAN], items: &items, dim: 1 };
    assert!(matches!(rank(&broken, &[0], &[], 1), Err(EvalError::NonFiniteEmbedding { .. })));
}

#[test]
fn no_users_and_no_items_give_empty_lists() {
    let model = Embeddings::new(&[1.0], &[], 1).unwrap();
    let ranking = rank(&model, &[0], &[], 3).unwrap();
    assert_eq!(ranking.items, [NO_ITEM; 3]);
    assert!(ranking.items_of_row(0).is_empty());
    assert!(rank(&model, &[], &[], 3).unwrap().items.is_empty());
}

#[test]
fn an_evaluation_ends_where_it_is_asked_to() {
    let values: Vec<f32> = (0..600).map(|v| (v % 7) as f32).collect();
    let model = Embeddings::new(&values, &values, 2).unwrap();
    let held_out = Interactions::from_pairs(300, 300, &[(0, 1), (299, 4)]).0;
    let config = EvalConfig { ks: vec![5], ..EvalConfig::default() };
    let flag = StopFlag::default();
    let whole = evaluate(&model, &held_out, &[], &config).unwrap();
    let until = |flag| evaluate_until(&model, &held_out, &[], &config, Some(flag));
    assert_eq!(until(&flag).unwrap(), whole);
    flag.raise();
    assert!(matches!(until(&flag), Err(EvalError::Stopped)));
}
