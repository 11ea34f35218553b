//! Sounds of a folder and of a table, whole, broken and silent, to features beside the data.

use crate::common;

use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use common::{apart, data, rows};
use equipoise_encode::{AudioRequest, EncodeProgress, EncodeReport, encode_audio};
use equipoise_jobs::Silent;
use tempfile::TempDir;

/// A WAV file of 16 bits and 8,000 samples a second.
fn wav(samples: impl Iterator<Item = f64>) -> Vec<u8> {
    let data: Vec<u8> = samples.flat_map(|sample| ((sample * 32767.0) as i16).to_le_bytes()).collect();
    let size = data.len() as u32;
    let numbers = |numbers: [u32; 4]| numbers.map(u32::to_le_bytes).concat();
    let head = [
        b"RIFF".to_vec(),
        (36 + size).to_le_bytes().to_vec(),
        b"WAVEfmt ".to_vec(),
        numbers([16, 1 | 1 << 16, 8_000, 16_000]),
        (2u32 | 16 << 16).to_le_bytes().to_vec(),
        b"data".to_vec(),
        size.to_le_bytes().to_vec(),
        data,
    ];
    head.concat()
}

/// Seconds of a tone.
fn tone(hertz: f64, seconds: f64) -> Vec<u8> {
    let step = 2.0 * std::f64::consts::PI * hertz / 8_000.0;
    wav((0..(seconds * 8_000.0) as u32).map(|n| 0.5 * (step * f64::from(n)).sin()))
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/golden/sounds").join(name)
}

/// Items of which the first 20 have sounds, four tones in turn; 20 is cut off, 21 empty, 22 a text, 23 silent, and the last two have
/// none.
struct Shop {
    data: TempDir,
    sounds: TempDir,
}

impl Shop {
    fn new() -> Shop {
        let shop =
            Shop { data: data(&vec![None; 26]), sounds: tempfile::tempdir().expect("a temporary directory") };
        for n in 0..20 {
            let hertz = [300.0, 600.0, 1200.0, 2400.0][n % 4];
            shop.put(&format!("item{n}.wav"), &tone(hertz, 1.0 + (n / 10) as f64));
        }
        let whole = tone(300.0, 1.0);
        shop.put("item20.wav", &whole[..whole.len() - 9]);
        shop.put("item21.mp3", b"");
        shop.put("item22.wav", b"no sound at all, but a text of some length");
        shop.put("item23.wav", &wav((0..8_000).map(|_| 0.0)));
        shop.put("elsewhere.wav", &whole);
        shop.put("notes.txt", b"");
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sounds.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("written");
    }

    fn request(&self) -> AudioRequest {
        AudioRequest {
            data: self.data.path().to_owned(),
            audio: self.sounds.path().to_owned(),
            ..AudioRequest::default()
        }
    }

    fn encode(&self, request: &AudioRequest) -> EncodeReport {
        encode_audio(request, &mut Silent).expect("encoded")
    }

    fn rows(&self) -> Vec<Vec<f32>> {
        rows(self.data.path(), "audio")
    }

    fn bits(&self) -> Vec<u32> {
        self.rows().iter().flatten().map(|value| value.to_bits()).collect()
    }
}

#[test]
fn sounds_become_rows_and_what_is_broken_or_silent_is_named_and_missing() {
    let shop = Shop::new();
    let report = shop.encode(&shop.request());
    assert_eq!((report.rows, report.width, report.missing, report.unknown), (26, 192, 6, 1));
    assert_eq!((&report.encoder[..], report.max_seconds, report.truncated), ("builtin", Some(120), 0));
    let broken: HashMap<&str, &str> =
        report.broken.iter().map(|broken| (&broken.item[..], &broken.reason[..])).collect();
    assert_eq!(broken.len(), 4, "{broken:?}");
    assert!(broken["item20"].contains("item20.wav: WAV cut off: 1.00 of 1.00 seconds"), "{broken:?}");
    assert!(broken["item21"].contains("empty file"), "{broken:?}");
    assert!(broken["item22"].contains("neither WAV, AIFF, FLAC"), "{broken:?}");
    assert!(broken["item23"].contains("silent"), "{broken:?}");
    let missing = fs::read_to_string(shop.data.path().join("audio_missing.json")).expect("written");
    assert_eq!(serde_json::from_str::<Vec<u32>>(&missing).expect("a list"), [20, 21, 22, 23, 24, 25]);
    let remarks = report.remarks().join("\n");
    assert!(
        remarks.contains("passed over in the folder, by the endings of their names: 1 .txt"),
        "{remarks}"
    );
    let rows = shop.rows();
    assert!((0..4).all(|n| apart(&rows[n], &rows[n + 4]) == 0.0), "the same sound, the same row");
    assert!((0..4).all(|n| apart(&rows[n], &rows[n + 12]) < 0.05), "twice as long, about the same row");
    assert!(apart(&rows[0], &rows[1]) > 0.2 && apart(&rows[0], &rows[3]) > 0.2);
    assert!(shop.encode(&shop.request()).up_to_date);
}

#[test]
fn the_bits_do_not_depend_on_threads_nor_on_being_cut_short() {
    let with = |threads| {
        let shop = Shop::new();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| shop.encode(&AudioRequest { seconds: Some(1), ..shop.request() }));
        shop.bits()
    };
    let expected = with(1);
    assert!(with(3) == expected);
    let shop = Shop::new();
    let request = AudioRequest { seconds: Some(1), ..shop.request() };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        encode_audio(&request, &mut |progress: &EncodeProgress| assert!(progress.done < 16, "killed"))
    }));
    assert!(ended.is_err());
    let report = shop.encode(&request);
    assert!(report.resumed > 0 && report.broken.len() == 4, "{report:?}");
    // Those of the run that was killed are counted, too.
    assert_eq!(report.truncated, 10);
    assert!(report.remarks().iter().any(|said| said == "the first 1 seconds were read of 10 longer sounds"));
    assert!(shop.bits() == expected);
}

#[test]
fn a_table_of_paths_gives_the_rows_of_the_folder_whatever_the_files_are_called() {
    let shop = Shop::new();
    shop.encode(&shop.request());
    let expected = shop.bits();
    let folder = shop.sounds.path().file_name().expect("a name").to_string_lossy().into_owned();
    let mut lines = "id,preview\n".to_owned();
    for n in 0..24 {
        let name = if n == 21 { "item21.mp3".to_owned() } else { format!("item{n}.wav") };
        let other = format!("track{n}.mp3");
        fs::rename(shop.path(&name), shop.path(&other)).expect("renamed");
        lines += &format!("item{n},{folder}/{other}\n");
    }
    let table = shop.sounds.path().with_extension("csv");
    fs::write(&table, lines + "item24,https://a.example/24.mp3\n").expect("written");
    let column = Some("preview".to_owned());
    let request = AudioRequest { audio: table.clone(), column, overwrite: true, ..shop.request() };
    assert!(shop.encode(&request).up_to_date && shop.bits() == expected);
    let request = AudioRequest { normalise: true, ..request };
    let report = shop.encode(&request);
    fs::remove_file(&table).expect("removed");
    assert!(report.broken.iter().any(|b| b.item == "item24" && b.reason.contains("nothing is downloaded")));
    for row in &shop.rows()[..20] {
        let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        assert!((norm - 1.0).abs() < 1e-5, "{norm}");
    }
}

#[test]
fn compressed_files_are_read_by_their_endings() {
    let shop = Shop::new();
    for (item, name) in ["sound.flac", "sound.mp3", "sound.ogg", "sound.m4a", "sound.aac"].iter().enumerate()
    {
        let ending = name.rsplit('.').next().expect("an ending");
        let ending = if item % 2 == 0 { ending.to_uppercase() } else { ending.to_owned() };
        fs::remove_file(shop.path(&format!("item{item}.wav"))).expect("removed");
        fs::copy(golden(name), shop.path(&format!("item{item}.{ending}"))).expect("copied");
    }
    let report = shop.encode(&shop.request());
    assert_eq!((report.missing, report.broken.len()), (6, 4), "{report:?}");
    let rows = shop.rows();
    // All five hold one sound, and the next item another.
    let near = |a: usize, b: usize| {
        let off = rows[a][..64].iter().zip(&rows[b][..64]).map(|(a, b)| (a - b).abs()).sum::<f32>() / 64.0;
        off < 0.05
    };
    assert!(
        (1..5).all(|n| near(0, n)) && !near(0, 5),
        "{:?}",
        (0..6).map(|n| near(0, n)).collect::<Vec<_>>()
    );
}

#[test]
fn whisper_makes_rows_of_its_own_width_and_its_files_are_known() {
    let shop = Shop::new();
    let model = golden("../tiny-whisper").display().to_string();
    let request = AudioRequest { model, ..shop.request() };
    let report = shop.encode(&request);
    assert_eq!((report.rows, report.width, report.missing, report.broken.len()), (26, 32, 6, 4));
    assert_eq!((&report.architecture[..], report.pooling.as_deref()), ("whisper", Some("mean")));
    let files: Vec<&str> = report.files.iter().map(|file| &file.file[..]).collect();
    assert_eq!(files, ["config.json", "preprocessor_config.json", "model.safetensors"]);
    let rows = shop.rows();
    assert!(apart(&rows[0], &rows[4]) == 0.0 && apart(&rows[0], &rows[1]) > 1e-2);
    assert!(shop.encode(&request).up_to_date);
    let message = encode_audio(&shop.request(), &mut Silent).expect_err("occupied").to_string();
    assert!(message.contains("--overwrite"), "{message}");
}

#[test]
fn what_cannot_be_used_is_said() {
    let shop = Shop::new();
    let message =
        |request: AudioRequest| encode_audio(&request, &mut Silent).expect_err("refused").to_string();
    let empty = tempfile::tempdir().expect("a temporary directory");
    let base = || shop.request();
    for (request, says) in [
        (
            AudioRequest { audio: empty.path().to_owned(), ..base() },
            "no sound is of an item of the data set: no .wav, .flac, .aiff, .aif, .mp3, .ogg, .oga, .m4a, .mp4 or .aac, but nothing",
        ),
        (AudioRequest { audio: "nowhere.csv".into(), ..base() }, "nowhere.csv"),
        (AudioRequest { column: Some("track".into()), ..base() }, "expected no column"),
        (AudioRequest { model: "no/such-whisper".into(), ..base() }, "hf download no/such-whisper"),
        (AudioRequest { seconds: Some(0), ..base() }, "seconds = 0: expected 1 to 86400"),
        (AudioRequest { seconds: Some(86_401), ..base() }, "seconds = 86401: expected 1 to 86400"),
        (AudioRequest { name: "a/b".into(), ..base() }, "name = a/b: expected"),
    ] {
        let message = message(request);
        assert!(message.contains(says), "{says}: {message}");
    }
    for entry in fs::read_dir(shop.sounds.path()).expect("listed").flatten() {
        fs::write(entry.path(), "no sound").expect("written");
    }
    let message = message(base());
    assert!(message.contains("24 items in all") && message.contains("neither WAV"), "{message}");
    assert!(!shop.data.path().join("audio_feat.npy").exists());
}
