//! From raw files to a data set that loads.

use std::fs;
use std::path::{Path, PathBuf};

use equipoise_data::{Dataset, LoadOptions, Loaded, Shares, SplitRule, check, load};
use equipoise_import::synthetic::{RawAmazonConfig, RawAmazonFiles, write_amazon};
use equipoise_import::{AmazonConfig, BadLines, ImportReport, Release, TextRule, import_amazon};
use tempfile::TempDir;

/// A directory of made-up files and a place for imports.
struct Raw {
    dir: TempDir,
    files: RawAmazonFiles,
}

impl Raw {
    fn new(config: &RawAmazonConfig) -> Raw {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let files = write_amazon(&dir.path().join("raw"), config).expect("written");
        Raw { dir, files }
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn config(&self) -> AmazonConfig {
        AmazonConfig {
            reviews: self.files.reviews.clone(),
            meta: Some(self.files.meta.clone()),
            image_features: self.files.image_features.clone(),
            ..AmazonConfig::default()
        }
    }

    fn import(&self, config: &AmazonConfig) -> ImportReport {
        import_amazon(config, &self.out(), true, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"))
    }

    fn load(&self) -> Loaded {
        load(&self.out(), &LoadOptions::default()).unwrap_or_else(|e| panic!("{e}"))
    }
}

fn small() -> RawAmazonConfig {
    RawAmazonConfig {
        users: 30,
        items: 24,
        reviews: 160,
        catalogue: 40,
        images: 30,
        ..RawAmazonConfig::default()
    }
}

#[test]
fn made_up_files_of_2014_become_a_sound_data_set_of_their_size() {
    let raw = Raw::new(&small());
    let report = raw.import(&raw.config());
    assert_eq!((report.kept.users, report.kept.items, report.kept.reviews), (30, 24, 160));
    assert_eq!((report.reviews.lines, report.reviews.repeated), (160, 0));
    let meta = report.meta.clone().expect("given");
    assert_eq!((meta.lines, meta.unknown, meta.items_without, meta.items_without_text), (40, 16, 0, 0));
    let images = report.images.clone().expect("given");
    assert_eq!((images.records, images.unknown, images.items_without), (30, 11, 5));

    let Loaded { data, test } = raw.load();
    assert_eq!((data.n_users(), data.n_items()), (30, 24));
    assert_eq!(data.train.len(), report.splits.train);
    assert_eq!(data.validation.len(), report.splits.validation);
    assert_eq!(test.open().len(), report.splits.test);
    assert_eq!(data.train.len() + data.validation.len() + test.open().len(), 160);
    assert_eq!(data.modality("image").expect("imported").features.width(), 4096);
    assert_eq!(data.categories.as_ref().expect("imported").paths()[3].len(), 3);
    assert!(check(&raw.out(), &LoadOptions::default()).faults.is_empty());

    let texts = fs::read_to_string(raw.out().join("texts.jsonl")).expect("written");
    let ids: Vec<String> = texts
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert!(line["text"].as_str().is_some_and(|t| t.contains("Made Up") && !t.contains('\n')));
            line["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 24);
    assert!(ids.iter().all(|id| data.vocabulary.item(id).is_some()));
}

/// Every interaction by raw ids, and in which part it is.
fn interactions(loaded: &Loaded) -> Vec<(String, String, u8)> {
    let Loaded { data, test } = loaded;
    let ids = &data.vocabulary;
    let mut all = Vec::new();
    for (part, split) in [(0, &data.train), (1, &data.validation), (2, test.open())] {
        all.extend(split.pairs().map(|(user, item)| {
            (ids.users()[user as usize].to_owned(), ids.items()[item as usize].to_owned(), part)
        }));
    }
    all.sort();
    all
}

#[test]
fn both_releases_and_plain_files_give_the_same_interactions() {
    let of = |release, gzip| {
        let raw = Raw::new(&RawAmazonConfig { release, gzip, images: 0, ..small() });
        let report = raw.import(&raw.config());
        assert_eq!(report.reviews.release, Some(release));
        // Without features there is nothing to load; any will do.
        features(&raw.out(), 24);
        interactions(&raw.load())
    };
    let first = of(Release::Amazon2014, true);
    assert_eq!(first, of(Release::Amazon2014, false));
    assert_eq!(first, of(Release::Amazon2018, true));
    assert_eq!(first, of(Release::Amazon2023, true));
}

fn features(dir: &Path, rows: usize) {
    let values = (0..rows).map(|n| n as f32).collect();
    let features = equipoise_data::Features::new(rows, 1, values).expect("finite");
    equipoise_data::formats::write_npy(&dir.join("text_feat.npy"), &features).expect("write");
}

#[test]
fn a_seed_decides_the_split_and_nothing_else() {
    let raw = Raw::new(&small());
    let of = |seed, split| {
        raw.import(&AmazonConfig { seed, split, ..raw.config() });
        interactions(&raw.load())
    };
    let bare =
        |all: &[(String, String, u8)]| all.iter().map(|i| (i.0.clone(), i.1.clone())).collect::<Vec<_>>();
    for rule in SplitRule::ALL {
        let (first, again, other) = (of(1, rule), of(1, rule), of(2, rule));
        assert_eq!(first, again, "{rule:?}");
        assert_eq!(bare(&first), bare(&other), "{rule:?}");
        assert_eq!(first != other, !rule.needs_times(), "{rule:?}");
    }
}

const REVIEWS: &str = r#"{"reviewerID": "A1", "asin": "B000000001", "unixReviewTime": 5}
{"reviewerID": "A2", "asin": "B000000002", "unixReviewTime": 4}

{"reviewerID": "A1", "asin": "B000000001", "unixReviewTime": 9}
{"reviewerID": "A1", "asin": "B000000002", "unixReviewTime": 6}
{"reviewerID": "A3", "asin": "B000000003", "unixReviewTime": 1}
{"reviewerID": "A2", "asin": "B000000001", "unixReviewTime": 8}
"#;

const META: &str = "{'asin': 'B000000002', 'title': 'Two', 'categories': [['Baby', 'Cups']]}
{'asin': 'B000000009', 'title': 'Nine'}
{'asin': 'B000000002', 'title': 'Two again'}
{'asin': 'B000000001', 'title': \"It's one\", 'brand': 'Acme', 'description': 'Red'}
";

/// Hand-written files, a little of everything.
struct Hand {
    dir: TempDir,
    config: AmazonConfig,
}

impl Hand {
    fn new() -> Hand {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        fs::write(path("reviews"), REVIEWS).expect("write");
        fs::write(path("meta"), META).expect("write");
        let mut images = Vec::new();
        for (id, value) in [("B000000009", 7.0f32), ("B000000001", 2.0), ("B000000001", 3.0)] {
            images.extend(id.as_bytes());
            images.extend((0..4096).flat_map(|n| (value + n as f32).to_le_bytes()));
        }
        fs::write(path("images"), images).expect("write");
        let config = AmazonConfig {
            reviews: path("reviews"),
            meta: Some(path("meta")),
            image_features: Some(path("images")),
            core: 2,
            ..AmazonConfig::default()
        };
        Hand { dir, config }
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn import(&self) -> Result<ImportReport, String> {
        import_amazon(&self.config, &self.out(), false, &mut |_| {}).map_err(|e| e.to_string())
    }

    fn data(&self) -> Dataset {
        load(&self.out(), &LoadOptions::default()).unwrap_or_else(|e| panic!("{e}")).data
    }

    /// The message of an import that must fail and leave nothing.
    fn fails(&self) -> String {
        let message = self.import().expect_err("a fault");
        let left: Vec<_> =
            fs::read_dir(self.dir.path()).expect("listing").map(|e| e.expect("entry").path()).collect();
        assert_eq!(left.len(), 3, "{left:?}");
        message
    }
}

#[test]
fn everything_left_out_is_counted_and_the_rest_is_where_it_belongs() {
    let hand = Hand::new();
    let report = hand.import().expect("sound");
    let reviews = &report.reviews;
    assert_eq!((reviews.lines, reviews.blank, reviews.repeated, reviews.undated), (7, 1, 1, 0));
    assert_eq!((reviews.found.users, reviews.found.items, reviews.found.reviews), (3, 3, 5));
    let outside = reviews.outside_core;
    assert_eq!((outside.users, outside.items, outside.reviews), (1, 1, 1));
    let meta = report.meta.clone().expect("given");
    assert_eq!((meta.lines, meta.unknown, meta.repeated, meta.items_without), (4, 1, 1, 0));
    assert_eq!(meta.items_without_category, 1);
    let images = report.images.clone().expect("given");
    assert_eq!((images.records, images.unknown, images.repeated, images.items_without), (3, 1, 1, 1));
    let text = report.to_string();
    assert!(text.contains("outside the 2-core") && text.contains("1 users, 1 items, 1 reviews"), "{text}");
    let saved = fs::read_to_string(hand.out().join("import.json")).expect("saved");
    let saved: serde_json::Value = serde_json::from_str(&saved).expect("JSON");
    assert_eq!(saved["reviews"]["repeated"], 1);

    let data = hand.data();
    assert_eq!(data.vocabulary.users(), ["A1", "A2"]);
    assert_eq!(data.vocabulary.items(), ["B000000001", "B000000002"]);
    assert_eq!(data.train.pairs().collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 0), (1, 1)]);
    let image = &data.modality("image").expect("imported").features;
    assert_eq!(image.row(0)[..3], [2.0, 3.0, 4.0]);
    assert_eq!(image.row(1), image.row(0), "the mean of the one item with an image");
    assert_eq!(fs::read_to_string(hand.out().join("image_missing.json")).expect("written").trim(), "[1]");
    let categories = data.categories.expect("imported");
    assert_eq!(categories.paths(), [vec![], vec!["Baby".to_owned(), "Cups".to_owned()]]);
    let texts = fs::read_to_string(hand.out().join("texts.jsonl")).expect("written");
    let expected = "{\"id\":\"B000000002\",\"text\":\"Two Baby Cups\"}\n\
                    {\"id\":\"B000000001\",\"text\":\"It's one Red Acme\"}\n";
    assert_eq!(texts, expected);
}

#[test]
fn the_text_rule_of_lattice_repeats_the_title_of_items_with_a_brand() {
    let mut hand = Hand::new();
    hand.config.text = TextRule::Lattice;
    hand.import().expect("sound");
    let texts = fs::read_to_string(hand.out().join("texts.jsonl")).expect("written");
    assert!(texts.contains("\" It's oneIt's oneRed\"") && texts.contains("\" Baby Cups Two\""), "{texts}");
}

#[test]
fn faults_name_file_and_place_and_leave_nothing_behind() {
    let with = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let hand = Hand::new();
        let file = hand.dir.path().join(name);
        let mut bytes = fs::read(&file).expect("read");
        change(&mut bytes);
        fs::write(&file, bytes).expect("write");
        let message = hand.fails();
        assert!(message.contains(&file.display().to_string()), "{message}");
        message
    };
    let replace = |from: &'static str, to: &'static str| {
        move |bytes: &mut Vec<u8>| {
            let text = String::from_utf8(bytes.clone()).expect("text");
            assert!(text.contains(from));
            *bytes = text.replacen(from, to, 1).into_bytes();
        }
    };
    let says = |message: String, parts: &[&str]| {
        parts.iter().for_each(|part| assert!(message.contains(part), "{part:?} in {message}"));
    };
    says(with("reviews", &replace("\"A3\",", "\"A3\"")), &["line 6, byte 21"]);
    says(with("reviews", &replace("\"A3\"", "\"\"")), &["line 6", "reviewerID is \"\""]);
    says(with("reviews", &|b| b.clear()), &["no review"]);
    says(
        with("reviews", &replace("\"reviewerID\": \"A1\"", "\"user_id\": \"A1\"")),
        &["line 1", "parent_asin"],
    );
    says(with("meta", &replace("'title': 'Nine'", "'title': Nine")), &["line 2, byte 33", "Python literal"]);
    says(with("meta", &replace("[['Baby', 'Cups']]", "'Baby'")), &["line 1", "categories is \"Baby\""]);
    says(with("meta", &|b| b.truncate(50)), &["line 1, byte 40", "never closed"]);
    says(with("meta", &|b| *b = b"{'asin': 'B000000009'}".to_vec()), &["no item of the reviews"]);
    says(with("images", &|b| b.truncate(20_000)), &["byte 16394", "whole records"]);
    says(with("images", &|b| b[16_394] = 0), &["byte 16394", "\\x00000000001"]);
    says(
        with("images", &|b| b[16_404..16_408].copy_from_slice(&f32::NAN.to_le_bytes())),
        &["byte 16404", "NaN"],
    );
    says(with("images", &|b| b.truncate(16_394)), &["no item of the reviews"]);
}

#[test]
fn lines_that_cannot_be_understood_are_left_out_when_asked_and_counted() {
    let mut hand = Hand::new();
    let bad = REVIEWS.replace("\"A3\",", "\"A3\"") + "not a review\n";
    fs::write(&hand.config.reviews, bad).expect("write");
    fs::write(hand.config.meta.as_ref().expect("given"), META.replace("'Nine'", "Nine")).expect("write");
    hand.config.bad_lines = BadLines::Skip;
    let report = hand.import().expect("sound but for three lines");
    assert_eq!((report.reviews.lines, report.reviews.skipped), (8, 2));
    assert_eq!(report.meta.expect("given").skipped, 1);
    assert_eq!(report.skipped.len(), 3);
    assert!(
        report.skipped[1].contains("line 8") && report.skipped[2].contains("line 2"),
        "{:?}",
        report.skipped
    );
}

#[test]
fn an_import_that_is_there_is_kept_unless_told_otherwise() {
    let mut hand = Hand::new();
    hand.import().expect("sound");
    let before = fs::read(hand.out().join("import.json")).expect("read");
    let message = hand.import().expect_err("taken");
    assert!(message.contains("--overwrite"), "{message}");
    // A fault on the way keeps the old one too.
    hand.config.core = 9;
    let failed = import_amazon(&hand.config, &hand.out(), true, &mut |_| {}).expect_err("no 9-core");
    assert!(failed.to_string().contains("lower --core from 9"), "{failed}");
    assert_eq!(fs::read(hand.out().join("import.json")).expect("read"), before);
    hand.config.core = 2;
    hand.config.split = SplitRule::Ratio;
    import_amazon(&hand.config, &hand.out(), true, &mut |_| {}).expect("replaced");
    assert_ne!(fs::read(hand.out().join("import.json")).expect("read"), before);
}

#[test]
fn splits_by_time_need_times() {
    let mut hand = Hand::new();
    fs::write(&hand.config.reviews, REVIEWS.replace(", \"unixReviewTime\": 6", "")).expect("write");
    assert_eq!(hand.import().expect("by chance").reviews.undated, 1);
    fs::remove_dir_all(hand.out()).expect("remove");
    for split in [SplitRule::LeaveOneOut, SplitRule::Time] {
        hand.config.split = split;
        let message = hand.fails();
        assert!(message.contains("line 5") && message.contains(split.name()), "{message}");
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let mut hand = Hand::new();
    for shares in [[0.8, 0.1, 0.2], [0.0, 0.5, 0.5], [1.1, -0.1, 0.0], [f64::NAN, 0.1, 0.1]] {
        hand.config.shares = Shares(shares);
        assert!(hand.fails().starts_with("shares is "), "{shares:?}");
    }
    let refused = write_amazon(hand.dir.path(), &RawAmazonConfig { reviews: 9, ..small() });
    assert!(refused.expect_err("too few").to_string().starts_with("reviews is 9"));
}

/// The real lines of 2014, if they are there.
#[test]
fn real_lines_are_understood() {
    let Some(root) = std::env::var_os("EQUIPOISE_DATA") else {
        eprintln!("skipped: EQUIPOISE_DATA is not set");
        return;
    };
    let raw = PathBuf::from(root).join("amazon_raw");
    let (reviews, meta) = (raw.join("reviews_5core_sample.json"), raw.join("meta_sample_pythondict.json"));
    if !reviews.is_file() || !meta.is_file() {
        eprintln!("skipped: {} has no samples", raw.display());
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    // The samples of reviews and metadata have no item in common: review the items of the metadata.
    let mut lines = fs::read_to_string(&reviews).expect("text");
    let count = lines.lines().count() as u64;
    let ids = ["0000191639", "0005069491", "0076561046", "0558925278"];
    ids.iter().for_each(|id| {
        lines += &lines.lines().next().expect("a line").replace("1384719342", id);
        lines += "\n";
    });
    let file = dir.path().join("reviews.json");
    fs::write(&file, lines).expect("write");
    let out = dir.path().join("data");
    let config = AmazonConfig { reviews: file, meta: Some(meta), core: 0, ..AmazonConfig::default() };
    let report = import_amazon(&config, &out, false, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.reviews.lines, count + 4);
    assert_eq!(report.meta.expect("given").items_without_text, 0);
    let texts = fs::read_to_string(out.join("texts.jsonl")).expect("written");
    assert!(
        texts.contains("Dr. Suess 19163 Dr. Seuss Puzzle 3 Pack Bundle Three Dr. Suess' Puzzles"),
        "{texts}"
    );
    assert!(texts.contains("Eye Shading Brush-- Expertly cut to apply"), "{texts}");
    assert!(!texts.contains("\\n\\n"), "{texts}");
}

/// The published set's own reviews, if they are there: parts have the published sizes, which depend on the rule and
/// on the number of each user's reviews alone.
#[test]
fn baby_is_divided_into_parts_of_the_published_sizes() {
    let baby = std::env::var_os("EQUIPOISE_DATA").map(|root| PathBuf::from(root).join("baby"));
    let Some(baby) = baby.filter(|path| path.is_dir()) else {
        eprintln!("skipped: EQUIPOISE_DATA is not set or has no baby");
        return;
    };
    let published = load(&baby, &LoadOptions::default()).expect("a sound data set");
    let mut pairs: Vec<(u32, u32)> = published.data.train.pairs().collect();
    pairs.extend(published.data.validation.pairs().chain(published.test.open().pairs()));
    pairs.sort_unstable_by_key(|&(user, item)| (item, user));
    let dir = tempfile::tempdir().expect("a temporary directory");
    let reviews = dir.path().join("ratings.csv");
    let line = |(user, item): &(u32, u32)| format!("A{user:012},B{item:09},5.0,{}\n", user % 97);
    fs::write(&reviews, pairs.iter().map(line).collect::<String>()).expect("write");
    // Zhang et al. (2021) hold the larger half back for validation, MMRec for the test.
    for (split, validation, test) in
        [(SplitRule::Lattice, 21_682, 20_559), (SplitRule::Mmrec, 20_559, 21_682)]
    {
        let config = AmazonConfig { reviews: reviews.clone(), split, ..AmazonConfig::default() };
        let report = import_amazon(&config, &dir.path().join("data"), true, &mut |_| {}).expect("sound");
        assert_eq!((report.kept.users, report.kept.items, report.kept.reviews), (19_445, 7_050, 160_792));
        let splits = report.splits;
        assert_eq!((splits.train, splits.validation, splits.test), (118_551, validation, test), "{split:?}");
        assert_eq!(report.users_without_train, 0);
    }
}
