//! Jobs: batches, threads, being cut short, being started twice, and what is written.

use crate::common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{data, features, model, request, texts};
use equipoise_encode::{EncodeError, EncodeProgress, EncodeReport, TextRequest, encode_texts};
use equipoise_jobs::Silent;
use proptest::prelude::*;
use tempfile::TempDir;

fn encode(data: &TempDir, tokens: usize) -> EncodeReport {
    let request = TextRequest { batch_tokens: Some(tokens), ..request(data, &model("bert")) };
    encode_texts(&request, &mut Silent).expect("encoded")
}

fn bits(data: &TempDir) -> Vec<u32> {
    features(data).values().iter().map(|v| v.to_bits()).collect()
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let with = |threads| {
        let data = data(&texts(60));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| encode(&data, 40));
        bits(&data)
    };
    assert!(with(1) == with(3));
}

#[test]
fn a_run_that_is_cut_short_is_continued_to_the_same_bits() {
    let whole = data(&texts(60));
    encode(&whole, 40);
    let cut = data(&texts(60));
    let request = TextRequest { batch_tokens: Some(40), ..request(&cut, &model("bert")) };
    let mut reached = 0;
    // Ends as a process would that is killed: nothing is tidied up.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        encode_texts(&request, &mut |progress: &EncodeProgress| {
            reached = progress.done;
            assert!(progress.done < 20, "killed");
        })
    }));
    assert!(ended.is_err() && reached >= 20);
    assert!(!cut.path().join("text_feat.npy").exists());
    let mut first = None;
    let report = encode_texts(&request, &mut |progress: &EncodeProgress| {
        first.get_or_insert(progress.before);
    })
    .expect("continued");
    assert!(report.resumed > 0 && first == Some(report.resumed), "{report:?}");
    assert!(bits(&cut) == bits(&whole));
    assert!(hidden(&cut).is_empty(), "{:?}", hidden(&cut));
}

fn part(data: &TempDir, shard: &str) -> Result<EncodeReport, EncodeError> {
    let shard = Some(shard.parse().expect("a part"));
    encode_texts(&TextRequest { batch_tokens: Some(40), shard, ..request(data, &model("bert")) }, &mut Silent)
}

#[test]
fn parts_that_are_put_together_have_the_bits_of_the_whole() {
    let (whole, shared) = (data(&texts(60)), data(&texts(60)));
    let everything = encode(&whole, 40);
    let parts = ["0/3", "2/3"].map(|shard| part(&shared, shard).expect("encoded"));
    assert!(parts.iter().all(|report| report.resumed == 0 && report.rows > 0));
    assert_eq!(part(&shared, "2/3").expect("kept").resumed, parts[1].rows, "a part is encoded once");
    assert!(!shared.path().join("text_feat.npy").exists());
    // The part that nobody encoded is encoded when the others are put together.
    let together = encode(&shared, 40);
    assert_eq!(together.resumed, parts[0].rows + parts[1].rows);
    assert!(together.part.is_none() && together.features == everything.features);
    assert!(bits(&shared) == bits(&whole));
    assert!(hidden(&shared).is_empty(), "{:?}", hidden(&shared));
    assert!(part(&shared, "1/3").expect("up to date").up_to_date);
}

#[test]
fn parts_of_another_job_are_not_taken_and_one_at_work_is_waited_for() {
    let shared = data(&texts(60));
    part(&shared, "0/2").expect("encoded");
    let held = equipoise_jobs::Unit::new(shared.path().join(".equipoise-text.0-of-2.part"), "");
    let claim = held.claim().expect("free");
    let other = TextRequest { batch_tokens: Some(64), ..request(&shared, &model("bert")) };
    let message = encode_texts(&other, &mut Silent).expect_err("held").to_string();
    assert!(message.contains("is at work here"), "{message}");
    drop(claim);
    assert_eq!(encode_texts(&other, &mut Silent).expect("encoded").resumed, 0);
    assert!(hidden(&shared).is_empty(), "{:?}", hidden(&shared));
}

#[test]
fn the_encoder_without_a_model_has_no_parts() {
    let data = data(&texts(30));
    let shard = Some("0/2".parse().expect("a part"));
    let asked = TextRequest { data: data.path().to_owned(), shard, ..TextRequest::default() };
    let message = encode_texts(&asked, &mut Silent).expect_err("refused").to_string();
    assert!(message.contains("shard") && message.contains("all texts together"), "{message}");
}

/// What lies beside the features.
fn hidden(data: &TempDir) -> Vec<String> {
    let names = std::fs::read_dir(data.path()).expect("listed").flatten();
    names.map(|e| e.file_name().to_string_lossy().into_owned()).filter(|name| name.starts_with('.')).collect()
}

#[test]
fn what_is_there_is_made_once_and_never_replaced_unasked() {
    let data = data(&texts(30));
    let first = encode(&data, 64);
    let again = encode(&data, 64);
    assert!(!first.up_to_date && again.up_to_date && again.features == first.features);
    let mut other = request(&data, &model("bert"));
    other.batch_tokens = Some(65);
    let message = encode_texts(&other, &mut Silent).expect_err("occupied").to_string();
    assert!(message.contains("--overwrite") && message.contains("text_feat.npy"), "{message}");
    other.overwrite = true;
    assert!(!encode_texts(&other, &mut Silent).expect("replaced").up_to_date);
    // Features that were changed since are not taken for those that were written.
    let file = data.path().join("text_feat.npy");
    let mut bytes = std::fs::read(&file).expect("there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).expect("written");
    assert!(!encode_texts(&other, &mut Silent).expect("made again").up_to_date);
}

#[test]
fn items_without_text_have_the_mean_row_and_are_listed() {
    let mut texts = texts(30);
    texts[0] = Some("   ".into());
    let data = data(&texts);
    let report = encode(&data, 50);
    let text = std::fs::read(data.path().join("text_missing.json")).expect("written");
    let missing: Vec<usize> = serde_json::from_slice(&text).expect("a list");
    let expected: Vec<usize> = (0..30).filter(|&n| n == 0 || texts[n].is_none()).collect();
    assert_eq!((&missing, report.missing), (&expected, expected.len()));
    let found = features(&data);
    let there: Vec<usize> = (0..30).filter(|n| !missing.contains(n)).collect();
    for column in 0..found.width() {
        let mean = there.iter().map(|&n| f64::from(found.row(n)[column])).sum::<f64>() / there.len() as f64;
        assert!((f64::from(found.row(0)[column]) - mean).abs() < 1e-6);
    }
    let written: EncodeReport =
        serde_json::from_slice(&std::fs::read(data.path().join("text_encoder.json")).expect("written"))
            .expect("a report");
    // Decimals of a time need not come back to the last bit.
    let timeless = |report: EncodeReport| EncodeReport { seconds: 0.0, rate: 0.0, ..report };
    assert_eq!(timeless(written), timeless(report));
}

#[test]
fn two_runs_at_once_are_kept_apart() {
    let data = data(&texts(20));
    let request = request(&data, &model("bert"));
    let mut refused = None;
    encode_texts(&request, &mut |_: &EncodeProgress| {
        refused.get_or_insert_with(|| encode_texts(&request, &mut Silent).expect_err("held").to_string());
    })
    .expect("the first goes on");
    assert!(refused.expect("tried").contains("is at work here"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_packed_batch_gives_what_each_text_gives_alone(
        texts in prop::collection::vec("[a-z][a-zA-Z0-9 ,.!<>é🙂]{0,59}", 2..12), name in prop::sample::select(vec!["bert", "mpnet", "roberta"])
    ) {
        let texts: Vec<_> = texts.into_iter().map(Some).collect();
        let run = |tokens| {
            let data = data(&texts);
            let request = TextRequest { batch_tokens: Some(tokens), ..request(&data, &model(name)) };
            encode_texts(&request, &mut Silent).expect("encoded");
            features(&data)
        };
        let (alone, packed) = (run(1), run(4096));
        for (a, b) in alone.values().iter().zip(&*packed.values()) {
            prop_assert!((a - b).abs() < 1e-5 * a.abs().max(1.0), "{} {}", a, b);
        }
    }
}
