//! Small files that claim or unpack to much: each ends with exit code 2 and a short message, within an address space that is
//! small against what they claim.
#![cfg(target_os = "linux")]

use crate::common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use assert_cmd::Command;
use common::{failure, path};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use parquet::arrow::ArrowWriter;
use parquet::basic::ZstdLevel;
use parquet::file::properties::WriterProperties;

/// Address space in KiB: 1.5 GiB, of which the program's code, stacks and arenas take their part.
const SPACE: &str = "1572864";

/// What the files unpack to or claim, in MiB.
const CLAIMED: usize = 2048;

/// Texts are read up to the bound: what they unpack to, in MiB, is a little more.
const TEXT: usize = 96;

/// A call of the program in little address space.
fn call(arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v $1; shift; exec \"$@\"", "sh", SPACE]).arg(path()).args(arguments);
    command.env("RAYON_NUM_THREADS", "1").env("MALLOC_ARENA_MAX", "1");
    command
}

#[track_caller]
fn refused(arguments: &[&str], says: &str) {
    let message = failure(&mut call(arguments), 2);
    assert!(message.contains(says), "{says:?} is missing in: {message:.2000}");
    assert!(message.len() < 800, "{} bytes: {message:.2000}", message.len());
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Deflated zeros: a block of 1 MiB, as often as asked for, and the end.
fn zeros(start: &[u8], mebibytes: usize) -> Vec<u8> {
    let block = |bytes: &[u8]| {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.flush().unwrap();
        encoder.get_ref().clone()
    };
    let mut first = start.to_vec();
    first.resize(1 << 20, 0);
    let mut deflated = block(&first);
    let more = block(&vec![0; 1 << 20]);
    (1..mebibytes).for_each(|_| deflated.extend(&more));
    deflated.extend([3, 0]);
    deflated
}

/// An archive of one deflated member that claims to unpack to `size` bytes.
fn archive(name: &str, deflated: &[u8], size: u32) -> Vec<u8> {
    let common = |method: u16| {
        let mut bytes = vec![20, 0, 0, 0];
        bytes.extend(method.to_le_bytes());
        bytes.extend([0; 8]);
        for value in [deflated.len() as u32, size] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    };
    let mut zip = [&b"PK\x03\x04"[..], &common(8), name.as_bytes(), deflated].concat();
    let start = zip.len() as u32;
    zip.extend([&b"PK\x01\x02\x14\x00"[..], &common(8), &[0; 14], name.as_bytes()].concat());
    let length = zip.len() as u32 - start;
    zip.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    for value in [length, start] {
        zip.extend(value.to_le_bytes());
    }
    zip.extend([0, 0]);
    zip
}

fn npy_header(descr: &str, shape: &str) -> Vec<u8> {
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
}

/// A folder with a small table and a list of its items.
fn shop() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("t.csv"), "user,item,split\nu,a,train\nu,b,val\nu,c,test\n").unwrap();
    fs::write(dir.path().join("item_list.txt"), "a\t0\nb\t1\nc\t2\n").unwrap();
    dir
}

/// A data set of the items a, b and c without features.
fn bare(dir: &Path) {
    fs::create_dir_all(dir.join("5-core")).unwrap();
    for (name, item) in [("train", 0), ("val", 1), ("test", 2)] {
        fs::write(dir.join(format!("5-core/{name}.json")), format!("{{\"0\": [{item}]}}")).unwrap();
    }
    fs::write(dir.join("5-core/item_list.txt"), "a\t0\nb\t1\nc\t2\n").unwrap();
}

#[test]
fn features_that_unpack_to_much_or_claim_it_are_refused() {
    let dir = shop();
    let table = dir.path().join("t.csv");
    let bytes = CLAIMED << 20;
    let header = npy_header("<f4", &format!("({}, 1024)", (bytes - 128) / 4096));
    let size = header.len() + (bytes - 128) / 4096 * 4096;
    let honest = archive("x.npy", &zeros(&header, CLAIMED), size as u32);
    assert!(honest.len() < 4 << 20);
    let few = npy_header("<f4", "(3, 2)");
    for (name, content, says) in [
        ("bomb.npz", honest, "looks made to exhaust memory"),
        // A header that promises six values, and an archive with much more.
        ("more.npz", archive("x.npy", &zeros(&few, CLAIMED), size as u32), "looks made to exhaust memory"),
        // The same where the archive itself claims little.
        ("less.npz", archive("x.npy", &zeros(&few, 8), 8 << 20), "its header promises [3, 2]"),
        ("claim.npy", npy_header("<f4", "(3, 4000000000)"), "cut short"),
        ("objects.npy", npy_header("|O", "(3, 2)"), "dtype"),
        ("claim.safetensors", [&(1u64 << 40).to_le_bytes()[..], b"{}"].concat(), "claim.safetensors"),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, content).unwrap();
        let source = format!("text={}", text(&file));
        refused(
            &["data", "convert", text(&table), "--features", &source, "--to", "lattice", "--out", "o"],
            says,
        );
    }
}

#[test]
fn parquet_pages_that_unpack_to_much_are_refused() {
    let dir = shop();
    let file = dir.path().join("t.parquet");
    let long = "x".repeat(80 << 20);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("user", Arc::new(Int64Array::from(vec![1, 1]))),
        ("item", Arc::new(StringArray::from(vec!["a", long.as_str()]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let zstd = parquet::basic::Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder()
        .set_compression(zstd)
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    fs::write(&file, writer.into_inner().unwrap()).unwrap();
    assert!(fs::metadata(&file).unwrap().len() < 1 << 20);
    refused(&["data", "check", text(&file), "--split", "ratio"], " faults");
    refused(
        &["data", "convert", text(&file), "--split", "ratio", "--to", "lattice", "--out", "o"],
        "looks made to exhaust memory",
    );
}

#[test]
fn gzip_text_that_unpacks_to_much_is_refused() {
    let dir = shop();
    // Members follow each other in a gzip file: a small one, many times.
    let member = |line: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(line.repeat((1 << 20) / line.len()).as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let review = "{\"reviewerID\": \"A1\", \"asin\": \"B0\", \"unixReviewTime\": 1363392000}\n";
    let file = dir.path().join("reviews.json.gz");
    fs::write(&file, member(review).repeat(TEXT)).unwrap();
    let out = dir.path().join("o");
    refused(
        &["data", "import", "amazon", "--reviews", text(&file), "--out", text(&out)],
        "looks made to exhaust memory",
    );
    let items = dir.path().join("items.jsonl.gz");
    fs::write(&items, member("{\"item_id\": \"a\", \"text\": \"words\"}\n").repeat(TEXT)).unwrap();
    bare(dir.path());
    refused(&["features", "text", "--data", text(dir.path()), "--texts", text(&items)], "items.jsonl.gz");
}

#[test]
fn deep_nesting_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let deep = "[".repeat(1 << 20);
    for name in ["train", "val", "test"] {
        fs::create_dir_all(dir.path().join("5-core")).unwrap();
        fs::write(dir.path().join(format!("5-core/{name}.json")), format!("{{\"0\": {deep}")).unwrap();
    }
    refused(&["data", "convert", text(dir.path()), "--to", "lattice", "--out", "o"], "train.json");
    let reviews = dir.path().join("reviews.json");
    let out = dir.path().join("o");
    for opening in ["{\"reviewerID\": ", "{'reviewerID': "] {
        fs::write(&reviews, format!("{opening}{deep}\n")).unwrap();
        refused(&["data", "import", "amazon", "--reviews", text(&reviews), "--out", text(&out)], "line 1");
    }
}

#[test]
fn a_picture_that_claims_much_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    // The header of a picture of 60,000 x 60,000 pixels; the sums of its parts are right, its pixels are not there.
    let part = |kind: &[u8; 4], data: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.sum().to_be_bytes()].concat()
    };
    let head = [&60_000u32.to_be_bytes()[..], &60_000u32.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let png = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        part(b"IHDR", &head),
        part(b"IDAT", &zeros(&[], 64)),
        part(b"IEND", &[]),
    ]
    .concat();
    fs::write(dir.path().join("a.png"), &png).unwrap();
    fs::write(dir.path().join("b.png"), &png).unwrap();
    bare(dir.path());
    let pictures = text(dir.path());
    refused(
        &["features", "image", "--data", pictures, "--images", pictures, "--model", "builtin"],
        "60000 x 60000 pixels",
    );
}
