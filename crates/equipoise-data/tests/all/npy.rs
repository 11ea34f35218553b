//! Feature files against an independent writer, and files made to do harm.

use std::path::PathBuf;

use equipoise_data::Features;
use equipoise_data::formats::{read_npy, write_npy};
use npyz::{AutoSerialize, Order, WriterBuilder};
use proptest::prelude::*;

/// Writes with the `npyz` crate.
fn write<T: AutoSerialize + Copy>(shape: &[u64], order: Order, values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = npyz::WriteOptions::new().default_dtype().shape(shape).order(order);
    let mut writer = builder.writer(&mut bytes).begin_nd().expect("a memory buffer");
    writer.extend(values.iter().copied()).expect("a memory buffer");
    writer.finish().expect("a memory buffer");
    bytes
}

fn file_with(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("text_feat.npy");
    std::fs::write(&file, bytes).expect("write");
    (dir, file)
}

fn fault(bytes: &[u8]) -> String {
    let (_dir, file) = file_with(bytes);
    let message = read_npy(&file).expect_err("a broken file").to_string();
    assert!(message.contains("text_feat.npy"), "{message}");
    message
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

fn transposed<T: Copy>(rows: usize, width: usize, values: &[T]) -> Vec<T> {
    (0..width).flat_map(|c| (0..rows).map(move |r| values[r * width + c])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_type_and_order_gives_the_same_matrix(
        rows in 1usize..40, width in 1usize..150, seed in 0u32..1000
    ) {
        // Small whole numbers: exact in all three types.
        let n = (rows * width) as u32;
        let exact: Vec<f32> = (0..n).map(|k| ((k * 31 + seed) % 401) as f32 - 200.0).collect();
        let shape = [rows as u64, width as u64];
        for (order, stored) in [
            (Order::C, exact.clone()),
            (Order::Fortran, transposed(rows, width, &exact)),
        ] {
            let halves: Vec<_> = stored.iter().map(|&v| half::f16::from_f32(v)).collect();
            let doubles: Vec<_> = stored.iter().map(|&v| f64::from(v)).collect();
            for (bytes, dtype) in [
                (write(&shape, order, &halves), "float16"),
                (write(&shape, order, &stored), "float32"),
                (write(&shape, order, &doubles), "float64"),
            ] {
                let (_dir, file) = file_with(&bytes);
                let (features, name) = read_npy(&file).expect("a sound file");
                prop_assert_eq!(name, dtype);
                prop_assert_eq!((features.rows(), features.width()), (rows, width));
                prop_assert_eq!(features.values(), &exact[..]);
            }
        }
    }

    #[test]
    fn damage_anywhere_is_an_error_or_another_matrix_but_never_a_panic(
        place in 0usize..200, byte: u8, cut in 0usize..200
    ) {
        let mut bytes = write(&[6, 3], Order::C, &[1f32; 18]);
        let (place, cut) = (place % bytes.len(), cut.min(bytes.len()));
        bytes[place] = byte;
        let (_dir, file) = file_with(&bytes);
        let _ = read_npy(&file);
        let (_dir, file) = file_with(&bytes[..cut]);
        prop_assert!(read_npy(&file).is_err() || cut == bytes.len());
    }
}

#[test]
fn a_large_matrix_is_read_across_pieces() {
    let (rows, width) = (3_000, 70);
    let values: Vec<f32> = (0..rows * width).map(|n| n as f32).collect();
    for (order, stored) in [(Order::C, values.clone()), (Order::Fortran, transposed(rows, width, &values))] {
        let (_dir, file) = file_with(&write(&[rows as u64, width as u64], order, &stored));
        assert_eq!(read_npy(&file).expect("a sound file").0.values(), values);
    }
}

#[test]
fn what_is_written_is_read_by_others_and_by_us() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("a_feat.npy");
    let values = vec![1.5, -0.0, 3.25, f32::MIN_POSITIVE, f32::MAX, 0.1];
    let features = Features::new(3, 2, values.clone()).expect("finite");
    write_npy(&file, &features).expect("write");
    let bytes = std::fs::read(&file).expect("read");
    let theirs = npyz::NpyFile::new(&bytes[..]).expect("a sound file");
    assert_eq!(theirs.shape(), [3, 2]);
    assert_eq!(theirs.into_vec::<f32>().expect("six values"), values);
    assert_eq!(read_npy(&file).expect("a sound file").0, features);
}

#[test]
fn a_shape_far_beyond_the_file_is_refused_before_memory_is_taken() {
    for (shape, says) in [
        ("(4000000000, 1000000)", "the file is cut short"),
        ("(4294967296, 4294967296)", "fit in memory"),
        ("(99999999999999999999999, 3)", "below 2^64"),
    ] {
        let claim = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((claim.len() as u16).to_le_bytes());
        bytes.extend(claim.as_bytes());
        bytes.extend([0; 72]);
        assert_says(&fault(&bytes), &[says]);
    }
    let mut long_header = b"\x93NUMPY\x02\x00".to_vec();
    long_header.extend(u32::MAX.to_le_bytes());
    assert_says(&fault(&long_header), &["byte 8", "4294967295", "at most"]);
}

#[test]
fn truncated_and_padded_files_name_the_byte() {
    let bytes = write(&[6, 3], Order::C, &[1f32; 18]);
    let end = bytes.len();
    let cut = fault(&bytes[..end - 5]);
    assert_says(&cut, &[&format!("byte {}", end - 5), "6 x 3 float32", &format!("byte {end}")]);
    let mut padded = bytes.clone();
    padded.extend([0; 3]);
    assert_says(&fault(&padded), &[&format!("byte {end}"), "3 bytes too many"]);
    assert_says(&fault(&bytes[..40]), &["byte 40", "within the header"]);
    assert_says(&fault(b""), &["byte 0", "magic"]);
    assert_says(&fault(b"PK\x03\x04 a zip archive"), &["byte 0", "magic", "PK"]);
}

#[test]
fn other_types_and_shapes_are_refused_with_a_remedy() {
    let integers = fault(&write(&[2, 2], Order::C, &[1i64; 4]));
    assert_says(&integers, &["'<f4'", "\"<i8\"", "astype"]);
    assert_says(&fault(&write(&[4], Order::C, &[1f32; 4])), &["shape [4]", "(items, width)"]);
    assert_says(&fault(&write(&[0, 4], Order::C, &[0f32; 0])), &["none of them 0"]);
    let big_endian =
        String::from_utf8_lossy(&write(&[2, 2], Order::C, &[0f32; 4])[10..]).replace("<f4", ">f4");
    let mut bytes = write(&[2, 2], Order::C, &[0f32; 4])[..10].to_vec();
    bytes.extend(big_endian.as_bytes());
    assert_says(&fault(&bytes), &["\">f4\"", "astype"]);
}

#[test]
fn a_value_that_is_not_finite_is_located() {
    let mut values = [1f64; 12];
    values[7] = 1e300;
    values[10] = f64::NAN;
    let message = fault(&write(&[4, 3], Order::C, &values));
    assert_says(&message, &["row 2, column 1 is inf", "range of float32", "2 such values"]);
}
