//! Pictures of a folder and of a table, whole and broken, to features beside the data.

use crate::common;

use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use common::{apart, data, rows};
use equipoise_encode::{EncodeProgress, EncodeReport, ImagePooling, ImageRequest, encode_images};
use equipoise_jobs::Silent;
use tempfile::TempDir;

/// A file of the golden values.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/golden").join(name)
}

/// The first two differ in alpha alone, which is dropped; the last shows something else.
const PICTURES: [&str; 5] = ["rgb.png", "rgba.png", "half_colour.jpg", "lossy.webp", "one_bit.png"];

/// Items of which the first 20 have pictures, five different ones in turn; 20 is cut off, 21 empty, 22 a text, and the
/// last two have none.
struct Shop {
    data: TempDir,
    images: TempDir,
}

impl Shop {
    fn new() -> Shop {
        let shop =
            Shop { data: data(&vec![None; 25]), images: tempfile::tempdir().expect("a temporary directory") };
        for n in 0..20 {
            let source = PICTURES[n % 5];
            let ending = source.rsplit('.').next().expect("an ending");
            fs::copy(golden("pictures").join(source), shop.image(&format!("item{n}.{ending}")))
                .expect("copied");
        }
        let whole = fs::read(golden("pictures/progressive.jpg")).expect("read");
        fs::write(shop.image("item20.jpg"), &whole[..whole.len() - 9]).expect("written");
        fs::write(shop.image("item21.png"), "").expect("written");
        fs::write(shop.image("item22.webp"), "no picture").expect("written");
        fs::copy(golden("pictures/rgb.png"), shop.image("elsewhere.png")).expect("copied");
        shop
    }

    fn image(&self, name: &str) -> PathBuf {
        self.images.path().join(name)
    }

    fn request(&self) -> ImageRequest {
        ImageRequest {
            data: self.data.path().to_owned(),
            images: self.images.path().to_owned(),
            model: golden("tiny-clip").display().to_string(),
            batch_tokens: Some(3 * 17),
            ..ImageRequest::default()
        }
    }

    fn encode(&self, request: &ImageRequest) -> EncodeReport {
        encode_images(request, &mut Silent).expect("encoded")
    }

    fn rows(&self) -> Vec<Vec<f32>> {
        rows(self.data.path(), "image")
    }

    fn bits(&self) -> Vec<u32> {
        self.rows().iter().flatten().map(|value| value.to_bits()).collect()
    }
}

#[test]
fn pictures_become_rows_and_what_is_broken_is_named_and_missing() {
    let shop = Shop::new();
    let report = shop.encode(&shop.request());
    assert_eq!((report.rows, report.width, report.missing, report.unknown), (25, 16, 5, 1));
    assert_eq!(report.pooling.as_deref(), Some("projection"));
    let broken: HashMap<&str, &str> =
        report.broken.iter().map(|broken| (&broken.item[..], &broken.reason[..])).collect();
    assert_eq!(broken.len(), 3);
    assert!(broken["item20"].contains("JPEG cut off"), "{broken:?}");
    assert!(broken["item21"].contains("empty file"), "{broken:?}");
    assert!(broken["item22"].contains("neither JPEG, PNG, GIF nor WebP"), "{broken:?}");
    let missing = fs::read_to_string(shop.data.path().join("image_missing.json")).expect("written");
    assert_eq!(serde_json::from_str::<Vec<u32>>(&missing).expect("a list"), [20, 21, 22, 23, 24]);
    let rows = shop.rows();
    assert!((0..5).all(|n| apart(&rows[n], &rows[n + 15]) < 1e-5), "the same picture, the same row");
    assert!(apart(&rows[0], &rows[1]) < 1e-5 && apart(&rows[0], &rows[4]) > 1e-3);
    assert!(shop.encode(&shop.request()).up_to_date);
}

#[test]
fn the_bits_do_not_depend_on_threads_nor_on_being_cut_short() {
    let with = |threads| {
        let shop = Shop::new();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| shop.encode(&shop.request()));
        shop.bits()
    };
    let expected = with(1);
    assert!(with(3) == expected);
    let shop = Shop::new();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        encode_images(&shop.request(), &mut |progress: &EncodeProgress| assert!(progress.done < 6, "killed"))
    }));
    assert!(ended.is_err());
    let report = shop.encode(&shop.request());
    assert!(report.resumed > 0 && report.broken.len() == 3, "{report:?}");
    assert!(shop.bits() == expected);
}

#[test]
fn pictures_of_which_none_can_be_read_are_an_error_with_the_first_reason() {
    let shop = Shop::new();
    for entry in fs::read_dir(shop.images.path()).expect("listed").flatten() {
        fs::write(entry.path(), "no picture").expect("written");
    }
    let message = encode_images(&shop.request(), &mut Silent).expect_err("refused").to_string();
    assert!(message.contains("23 items in all") && message.contains("neither JPEG"), "{message}");
    let left = |name: &str| shop.data.path().join(name).exists();
    assert!(!left("image_feat.npy") && !left(".equipoise-image.part"));
}

#[test]
fn a_table_of_paths_gives_the_rows_of_the_folder() {
    let shop = Shop::new();
    shop.encode(&shop.request());
    let expected = shop.bits();
    let folder = shop.images.path().file_name().expect("a name").to_string_lossy().into_owned();
    let mut lines = "id,photo\n".to_owned();
    for n in 0..23 {
        let ending = ["png", "png", "jpg", "webp", "png"][n % 5];
        let name = ["item20.jpg", "item21.png", "item22.webp"].get(n.wrapping_sub(20));
        let name = name.map_or_else(|| format!("item{n}.{ending}"), |name| (*name).to_owned());
        lines += &format!("item{n},{folder}/{name}\n");
    }
    let table = shop.images.path().with_extension("csv");
    fs::write(&table, lines).expect("written");
    let column = Some("photo".to_owned());
    let request = ImageRequest { images: table.clone(), column, overwrite: true, ..shop.request() };
    let report = shop.encode(&request);
    fs::remove_file(&table).expect("removed");
    // What the rows follow from is the same, so they are not even made again.
    assert!(report.up_to_date && shop.bits() == expected);
}

#[test]
fn a_changed_picture_is_seen_and_settings_change_the_rows() {
    let shop = Shop::new();
    shop.encode(&shop.request());
    let first = shop.rows();
    fs::copy(golden("pictures/one_bit.png"), shop.image("item0.png")).expect("copied");
    let message = encode_images(&shop.request(), &mut Silent).expect_err("occupied").to_string();
    assert!(message.contains("--overwrite"), "{message}");
    let over = ImageRequest { overwrite: true, ..shop.request() };
    shop.encode(&over);
    assert!(apart(&shop.rows()[0], &first[4]) < 1e-5 && apart(&shop.rows()[0], &first[0]) > 1e-3);
    shop.encode(&ImageRequest { normalise: true, ..over.clone() });
    for row in &shop.rows()[..20] {
        let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        assert!((norm - 1.0).abs() < 1e-5, "{norm}");
    }
    let report = shop.encode(&ImageRequest { pooling: ImagePooling::Cls, ..over });
    assert_eq!((report.width, report.pooling.as_deref()), (32, Some("cls")));
}

#[test]
fn what_cannot_be_used_is_said() {
    let shop = Shop::new();
    let message =
        |request: ImageRequest| encode_images(&request, &mut Silent).expect_err("refused").to_string();
    let empty = tempfile::tempdir().expect("a temporary directory");
    let base = || shop.request();
    for (request, says) in [
        (
            ImageRequest { images: empty.path().to_owned(), ..base() },
            "no .jpg, .jpeg, .jpe, .jfif, .png, .webp or .gif, but nothing",
        ),
        (ImageRequest { images: "nowhere.csv".into(), ..base() }, "nowhere.csv"),
        (ImageRequest { column: Some("photo".into()), ..base() }, "expected no column"),
        (ImageRequest { model: String::new(), ..base() }, "model = \"\": expected builtin, the folder"),
        (
            ImageRequest { model: "builtin".into(), pooling: ImagePooling::Cls, ..base() },
            "pooling = cls: expected model",
        ),
        (ImageRequest { model: "no/such-model".into(), ..base() }, "hf download no/such-model"),
        (ImageRequest { batch_tokens: Some(0), ..base() }, "batch_tokens = 0: expected 1 or more"),
        (ImageRequest { pooling: ImagePooling::Mean, ..base() }, "pooling = mean: expected model or cls"),
        (ImageRequest { name: "a/b".into(), ..base() }, "name = a/b: expected"),
    ] {
        let message = message(request);
        assert!(message.contains(says), "{says}: {message}");
    }
    let model = tempfile::tempdir().expect("a temporary directory");
    for name in ["config.json", "model.safetensors"] {
        fs::copy(golden("tiny-clip").join(name), model.path().join(name)).expect("copied");
    }
    let folder = ImageRequest { model: model.path().display().to_string(), ..base() };
    assert!(message(folder.clone()).contains("no preprocessor_config.json"));
    fs::write(model.path().join("preprocessor_config.json"), "{\"size\": 40, \"crop_size\": 40}")
        .expect("written");
    let text = message(folder);
    assert!(text.contains("40 x 40") && text.contains("32 x 32"), "{text}");
}
