//! From sounds to features to a model, and texts, pictures and sounds to a report, by the program alone.

use crate::common;

use common::{failure, imported, json, ok, one_epoch, program, tone};
use std::fs;
use std::path::Path;

/// An import of made-up files, and sounds of its first 30 items, one of them cut off.
fn shop() -> tempfile::TempDir {
    let dir = imported();
    let (data, sounds) = (dir.path().join("data"), dir.path().join("sounds"));
    fs::create_dir(&sounds).expect("made");
    let texts = fs::read_to_string(data.join("texts.jsonl")).expect("written by the import");
    for (n, line) in texts.lines().take(30).enumerate() {
        let text: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let mut bytes = tone(200.0 + 100.0 * (n % 6) as f64);
        bytes.truncate(if n == 3 { bytes.len() / 2 } else { bytes.len() });
        fs::write(sounds.join(format!("{}.wav", text["id"].as_str().expect("an id"))), bytes)
            .expect("written");
    }
    fs::write(sounds.join("cover.jpg"), "").expect("written");
    dir
}

fn features(dir: &Path) -> assert_cmd::Command {
    let mut command = program();
    command.args(["features", "audio", "--quiet", "--data"]).arg(dir.join("data"));
    command.arg("--audio").arg(dir.join("sounds"));
    command
}

#[test]
fn sounds_become_features_that_a_model_is_trained_on() {
    let dir = shop();
    let said = ok(&mut features(dir.path()));
    assert!(said.contains("40 rows of 192 columns from builtin (levels of mel bands)"), "{said}");
    assert!(said.contains("1 sounds were broken or silent") && said.contains("WAV cut off"), "{said}");
    assert!(said.contains("passed over in the folder, by the endings of their names: 1 .jpg"), "{said}");
    assert!(ok(&mut features(dir.path())).contains("up to date"));
    let again = ["--name", "beginning", "--seconds", "1", "--normalise", "--format", "json"];
    let report = json(features(dir.path()).args(again));
    assert_eq!((&report["max_seconds"], &report["truncated"]), (&1.into(), &0.into()));
    assert_eq!((&report["normalised"], &report["missing"]), (&true.into(), &11.into()));
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/golden/tiny-whisper");
    let said = ok(features(dir.path()).args(["--name", "speech", "--model"]).arg(model));
    assert!(said.contains("40 rows of 32 columns") && said.contains("(whisper, mean)"), "{said}");
    let check = json(program().args(["data", "check", "--format", "json"]).arg(dir.path().join("data")));
    assert_eq!(check["modalities"][0]["marked_missing"], report["missing"]);

    let metrics = one_epoch(&dir.path().join("data"), &dir.path().join("run"));
    assert_eq!(metrics["presence"]["audio"]["lacks"]["items"].as_u64(), Some(11), "{metrics}");
}

#[test]
fn what_cannot_be_used_ends_with_code_2_and_one_sentence() {
    let dir = shop();
    let message = failure(features(dir.path()).args(["--seconds", "0"]), 2);
    assert!(message.contains("seconds = 0: expected 1 to 86400"), "{message}");
    fs::remove_dir_all(dir.path().join("sounds")).expect("removed");
    fs::create_dir(dir.path().join("sounds")).expect("made");
    let message = failure(&mut features(dir.path()), 2);
    assert!(
        message.contains("no .wav, .flac, .aiff, .aif, .mp3, .ogg, .oga, .m4a, .mp4 or .aac"),
        "{message}"
    );
}

/// The stages that are not up to date.
fn left(run: &mut assert_cmd::Command) -> Vec<String> {
    let told = json(run.args(["--dry-run", "--format", "json"]));
    let stages = told["stages"].as_array().expect("a list").iter();
    let left = stages.filter(|stage| stage["state"] != "up_to_date");
    left.map(|stage| stage["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn texts_pictures_and_sounds_become_one_report_with_three_modalities() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let place = |name: &str| dir.path().join(name);
    ok(program().args(["data", "generate", "shop", "--out"]).arg(place("shop")));
    fs::create_dir(place("shop/sounds")).expect("made");
    let table = fs::read_to_string(place("shop/items.csv")).expect("written");
    let mut lines = table.lines();
    let mut wide = format!("{},preview\n", lines.next().expect("a head"));
    for (n, line) in lines.enumerate() {
        let name = format!("sounds/{n}.wav");
        let bytes = if n == 7 { b"no sound".to_vec() } else { tone(150.0 + 50.0 * (n % 40) as f64) };
        fs::write(place("shop").join(&name), bytes).expect("written");
        wide += &format!("{line},{}\n", if n == 9 { "" } else { &name });
    }
    fs::write(place("shop/items.csv"), wide).expect("written");
    let run = |seconds: &str| {
        let mut run = program();
        run.args(["run", "--split", "leave-one-out", "--budget", "none", "--epochs", "1", "--csv"]);
        run.arg(place("shop/interactions.csv")).arg("--items").arg(place("shop/items.csv"));
        run.args(["--text", "title", "--image", "picture", "--audio", "preview"]);
        run.args(["--audio-seconds", seconds, "--set", "backbone.width=4", "--out"]).arg(place("study"));
        run
    };
    assert_eq!(left(&mut run("30"))[1..4], ["features/text", "features/image", "features/audio"]);
    let output = run("30").args(["--format", "json"]).output().expect("starts");
    let talk = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(talk.contains("300 items, 192 columns by builtin; 2 without"), "{talk}");
    assert!(talk.contains("neither WAV, AIFF, FLAC"), "{talk}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let modalities = told["summary"]["modalities"].as_array().expect("a list").iter();
    assert_eq!(
        modalities.map(|m| m["modality"].as_str().expect("a name")).collect::<Vec<_>>(),
        ["audio", "image", "text"]
    );
    assert!(left(&mut run("30")).is_empty());
    assert!(left(&mut run("31")).contains(&"features/audio".to_owned()));
    fs::write(place("shop/sounds/11.wav"), tone(99.0)).expect("written");
    let left = left(&mut run("30"));
    assert!(
        left.contains(&"features/audio".to_owned()) && !left.contains(&"features/image".to_owned()),
        "{left:?}"
    );
}

#[test]
fn folders_of_pictures_and_sounds_need_no_table_of_items() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let place = |name: &str| dir.path().join(name);
    ok(program().args(["data", "generate", "shop", "--out"]).arg(place("shop")));
    let table = fs::read_to_string(place("shop/items.csv")).expect("written");
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().expect("a head");
    let column = |name: &str| head.iter().position(|column| *column == name).expect("a column");
    let (id, picture) = (column("item_id"), column("picture"));
    let ending = |path: &str| path.rsplit_once('.').map(|(_, ending)| ending.to_owned()).expect("an ending");
    fs::create_dir_all(place("sounds")).expect("made");
    for (n, cells) in lines.enumerate().filter(|(_, cells)| !cells[picture].is_empty()) {
        // Ids in folders of their beginnings, as shops keep them.
        let folder = place("photos").join(format!("0{}", n % 3));
        fs::create_dir_all(&folder).expect("made");
        let photo = folder.join(format!("{}.{}", cells[id], ending(cells[picture])));
        fs::copy(place("shop").join(cells[picture]), photo).expect("copied");
        fs::write(place("sounds").join(format!("{}.wav", cells[id])), tone(150.0 + 50.0 * (n % 9) as f64))
            .expect("written");
    }
    let run = || {
        let mut run = program();
        run.args(["run", "--split", "leave-one-out", "--budget", "none", "--epochs", "1", "--csv"]);
        run.arg(place("shop/interactions.csv")).arg("--image-folder").arg(place("photos"));
        run.arg("--audio-folder").arg(place("sounds"));
        run.args(["--set", "backbone.width=4", "--out"]).arg(place("study"));
        run
    };
    assert_eq!(left(&mut run())[1..3], ["features/image", "features/audio"]);
    let output = run().args(["--format", "json"]).output().expect("starts");
    let talk = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(talk.contains("those of the folders within it are taken: 3"), "{talk}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let modalities = told["summary"]["modalities"].as_array().expect("a list").iter();
    assert_eq!(
        modalities.map(|m| m["modality"].as_str().expect("a name")).collect::<Vec<_>>(),
        ["audio", "image"]
    );
    // The page and the answers of the server know the pictures by their places in the folder.
    assert!(talk.contains("which `serve --pictures"), "{talk}");
    let known = fs::read_to_string(place("study/served/items.jsonl")).expect("what is known of items");
    let known: Vec<serde_json::Value> =
        known.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(known.len() > 10, "{known:?}");
    for item in known {
        let (id, picture) = (item["id"].as_str().expect("an id"), item["picture"].as_str().expect("a path"));
        assert!(place("photos").join(picture).is_file() && picture.contains(&format!("/{id}.")), "{picture}");
    }
    assert!(left(&mut run()).is_empty());
    fs::write(place("photos/00/new.jpg"), "of no item").expect("written");
    assert!(left(&mut run()).contains(&"features/image".to_owned()), "a folder is known by what is in it");
    let message = failure(run().args(["--image", "picture", "--items"]).arg(place("shop/items.csv")), 2);
    assert!(message.contains("image_folder") && message.contains("leave one of them out"), "{message}");
}
