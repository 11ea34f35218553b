//! Raw files as people have them: arrays, byte order marks, UTF-16, compression; and messages that stay short.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use equipoise_import::synthetic::{RawAmazonConfig, write_amazon};
use equipoise_import::{AmazonConfig, ImportReport, Release, import_amazon};
use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

fn dir() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn import(config: &AmazonConfig, dir: &TempDir) -> Result<ImportReport, String> {
    let config = AmazonConfig { core: 1, ..config.clone() };
    import_amazon(&config, &dir.path().join("data"), true, &mut |_| {}).map_err(|e| e.to_string())
}

/// Every file of an import but its report, which has the paths.
fn files(dir: &TempDir) -> Vec<(PathBuf, Vec<u8>)> {
    let data = dir.path().join("data");
    let mut files: Vec<PathBuf> = ["5-core", "."]
        .iter()
        .flat_map(|part| fs::read_dir(data.join(part)).expect("written"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|file| file.is_file() && !file.ends_with("import.json"))
        .collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), fs::read(&file).expect("written"))).collect()
}

#[test]
fn lines_arrays_marks_and_compression_give_one_data_set() {
    for release in [Release::Amazon2018, Release::Amazon2023] {
        let dir = dir();
        let small = RawAmazonConfig {
            users: 30,
            items: 24,
            reviews: 160,
            catalogue: 40,
            images: 30,
            release,
            gzip: false,
            ..RawAmazonConfig::default()
        };
        let raw = write_amazon(&dir.path().join("raw"), &small).expect("written");
        let plain = AmazonConfig {
            reviews: raw.reviews.clone(),
            meta: Some(raw.meta.clone()),
            image_features: raw.image_features.clone(),
            ..AmazonConfig::default()
        };
        let report = import(&plain, &dir).expect("sound");
        let year = release.year().to_string();
        assert_eq!(report.notes.len(), 2);
        assert!(
            report.notes.iter().all(|note| note.contains(&format!("release of {year}"))),
            "{:?}",
            report.notes
        );
        let expected = files(&dir);
        let text = |file: &Path| fs::read_to_string(file).expect("written");
        let array = |text: &str| format!("[{}]", text.lines().collect::<Vec<_>>().join(",\r\n"));
        let utf16 = |text: &str| -> Vec<u8> {
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
        };
        type Written<'a> = &'a dyn Fn(&str) -> Vec<u8>;
        let ways: [(Written, usize); 4] = [
            (&|text| array(text).into_bytes(), 2),
            (&|text| gzip(format!("\u{feff}{}", array(text)).as_bytes()), 2),
            (&|text| format!("\u{feff}{}", text.replace('\n', "\r\n\r\n")).into_bytes(), 2),
            (&|text| gzip(&utf16(text)), 2),
        ];
        for (write, notes) in ways {
            let put = |name: &str, bytes: Vec<u8>| {
                let file = dir.path().join(name);
                fs::write(&file, bytes).expect("written");
                file
            };
            let images =
                raw.image_features.as_ref().map(|file| put("i.b", gzip(&fs::read(file).expect("written"))));
            let other = AmazonConfig {
                reviews: put("r.json", write(&text(&raw.reviews))),
                meta: Some(put("m.json", write(&text(&raw.meta)))),
                image_features: images,
                ..AmazonConfig::default()
            };
            let report = import(&other, &dir).expect("sound");
            assert_eq!(report.notes.len(), notes);
            assert!(files(&dir) == expected, "{release:?}: {:?}", report.notes);
        }
    }
}

#[test]
fn nan_and_entities_of_metadata_are_counted() {
    let dir = dir();
    let put = |name: &str, text: &str| {
        let file = dir.path().join(name);
        fs::write(&file, text).expect("written");
        file
    };
    let review = |user: &str, item: &str| {
        format!(
            "{{\"reviewerID\": \"{user}\", \"asin\": \"{item}\", \"vote\": NaN, \"unixReviewTime\": 1}}\n"
        )
    };
    let reviews = [review("a", "x"), review("a", "y"), review("b", "x")].concat();
    let meta = "{\"asin\": \"x\", \"title\": \"Salt &amp; Pepper\", \"category\": [\"Home &amp; Kitchen\"]}\n{\"asin\": \"y\", \"title\": NaN}\n";
    let config = AmazonConfig {
        reviews: put("r.json", &reviews),
        meta: Some(put("m.json", meta)),
        ..AmazonConfig::default()
    };
    let report = import(&config, &dir).expect("sound");
    let counts = report.meta.clone().expect("given");
    assert_eq!((report.not_numbers, counts.decoded_texts, counts.release), (4, 1, Some(Release::Amazon2018)));
    assert_eq!((counts.items_without_text, counts.items_without_category), (1, 1));
    let texts = fs::read_to_string(dir.path().join("data/texts.jsonl")).expect("written");
    assert_eq!(texts, "{\"id\":\"x\",\"text\":\"Salt & Pepper Home & Kitchen\"}\n");
    assert!(
        report.to_string().contains("release of 2018, items from asin, categories from category"),
        "{report}"
    );
}

#[test]
fn a_message_is_short_whatever_is_in_the_file() {
    for x in ["x", "\u{202e}", "漢"].map(|c| c.repeat(400_000 / c.len())) {
        let sound = "{\"reviewerID\": \"a\", \"asin\": \"b\"}\n";
        for (what, reviews, meta) in [
            ("a user", format!("{{\"reviewerID\": [\"{x}\"], \"asin\": \"b\"}}\n"), None),
            ("a control character", format!("{{\"reviewerID\": \"{x}\\t\", \"asin\": \"b\"}}\n"), None),
            (
                "a time",
                format!("{{\"reviewerID\": \"a\", \"asin\": \"b\", \"unixReviewTime\": \"{x}\"}}\n"),
                None,
            ),
            ("no object", format!("{{\"{x}\"\n"), None),
            ("an array", format!("[\"{x}\"]"), None),
            ("a word", format!("{{'a': {x}}}\n"), None),
            ("columns", format!("{x},b,c\n"), None),
            ("a column's time", format!("a,b,1,2\na,b,1,{x}\n"), None),
            ("an item", sound.into(), Some(format!("{{\"asin\": [\"{x}\"]}}\n"))),
            ("a title", sound.into(), Some(format!("{{\"asin\": \"b\", \"title\": [\"{x}\"]}}\n"))),
            ("categories", sound.into(), Some(format!("{{\"asin\": \"b\", \"categories\": \"{x}\"}}\n"))),
        ] {
            let dir = dir();
            let put = |name: &str, text: &str| {
                let file = dir.path().join(name);
                fs::write(&file, text).expect("written");
                file
            };
            let meta = meta.map(|text| put("m.json", &text));
            let config = AmazonConfig { reviews: put("r.json", &reviews), meta, ..AmazonConfig::default() };
            let message = import(&config, &dir).err().unwrap_or_else(|| panic!("{what}: accepted"));
            assert!(
                message.len() < 1000,
                "{what}: {} bytes: {}",
                message.len(),
                &message[..2000.min(message.len())]
            );
        }
    }
}
