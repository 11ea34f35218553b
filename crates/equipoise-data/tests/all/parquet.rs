//! Parquet files as people write them: every codec, every type that an id, a rating, a moment or a feature may have,
//! folders of parts, and files made to do harm.
#![cfg(feature = "parquet")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, LargeListBuilder, ListBuilder};
use arrow_array::types::{ArrowPrimitiveType, Decimal256Type, Float16Type, Float64Type, Int32Type};
use arrow_array::{
    ArrayRef, BinaryArray, BinaryViewArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array,
    DictionaryArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array, Int64Array,
    LargeBinaryArray, LargeListArray, LargeStringArray, ListArray, NullArray, RecordBatch, StringArray,
    StringViewArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt16Array, UInt64Array,
};
use equipoise_data::{FeatureSource, Features, LoadOptions, Loaded, SplitRule, check, load};
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

/// A folder with features of the items 1, 2, 3 and the path of a table to write.
fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (item, value) in [("1", 1.0), ("2", 2.0), ("3", 3.0)] {
        let row = Features::new(1, 1, vec![value]).expect("finite");
        let file = dir.path().join(format!("text/{item}.npy"));
        equipoise_data::formats::write_npy(&file, &row).expect("write");
    }
    let file = dir.path().join("t.parquet");
    (dir, file)
}

fn options(dir: &TempDir) -> LoadOptions {
    let text = FeatureSource { name: "text".into(), path: dir.path().join("text") };
    LoadOptions { features: vec![text], split: Some(SplitRule::LeaveOneOut), ..LoadOptions::default() }
}

fn write(file: &Path, columns: Vec<(&str, ArrayRef)>, compression: Compression) {
    let columns = columns.into_iter().map(|(name, cells)| (name, cells, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let properties =
        WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(2)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a schema");
    writer.write(&batch).expect("memory");
    fs::create_dir_all(file.parent().expect("in a directory")).expect("create");
    fs::write(file, writer.into_inner().expect("memory")).expect("write");
}

fn texts(cells: [&str; 3]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

/// One user's three rows, whose items are `items` and whose times are `times`.
fn table(items: ArrayRef, times: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    vec![("user_id", texts(["u"; 3])), ("item_id", items), ("timestamp", times)]
}

/// The raw item ids in the order train, validation, test: the order of time.
fn order(loaded: &Loaded) -> Vec<String> {
    let splits = [&loaded.data.train, &loaded.data.validation, loaded.test.open()];
    let name = |item: u32| loaded.data.vocabulary.items()[item as usize].to_owned();
    splits.iter().flat_map(|split| split.pairs().map(|pair| name(pair.1)).collect::<Vec<_>>()).collect()
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
    assert!(message.len() < 700, "{message}");
}

#[test]
fn every_usual_codec_is_read() {
    let (dir, file) = place();
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::BROTLI(BrotliLevel::default()),
    ] {
        write(&file, table(texts(["3", "1", "2"]), Arc::new(Int64Array::from(vec![30, 10, 20]))), codec);
        let loaded = load(&file, &options(&dir)).unwrap_or_else(|error| panic!("{codec:?}: {error}"));
        assert_eq!(order(&loaded), ["1", "2", "3"], "{codec:?}");
    }
}

#[test]
fn ids_of_every_type_are_the_same_ids() {
    let (dir, file) = place();
    let times = || -> ArrayRef { Arc::new(Int64Array::from(vec![30, 10, 20])) };
    let cells = ["3", "1", "2"];
    let bytes = cells.map(str::as_bytes);
    let decimal = |scale: i8, by: i128| -> ArrayRef {
        let digits = [3, 1, 2].map(|v: i128| v * by).to_vec();
        Arc::new(Decimal128Array::from(digits).with_precision_and_scale(20, scale).expect("fits"))
    };
    let dictionary: DictionaryArray<Int32Type> = cells.into_iter().collect();
    let of_numbers = DictionaryArray::<Int32Type>::try_new(
        vec![2, 0, 1].into(),
        Arc::new(Int64Array::from(vec![1, 2, 3])),
    );
    let wide = Decimal256Array::from_iter_values(
        [3i64, 1, 2].map(<Decimal256Type as ArrowPrimitiveType>::Native::from),
    );
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("large", Arc::new(LargeStringArray::from(cells.to_vec()))),
        ("view", Arc::new(StringViewArray::from(cells.to_vec()))),
        ("binary", Arc::new(BinaryArray::from(bytes.to_vec()))),
        ("large binary", Arc::new(LargeBinaryArray::from(bytes.to_vec()))),
        ("binary view", Arc::new(BinaryViewArray::from(bytes.to_vec()))),
        ("fixed", Arc::new(FixedSizeBinaryArray::try_from_iter(bytes.into_iter()).expect("one size"))),
        ("dictionary", Arc::new(dictionary)),
        ("of numbers", Arc::new(of_numbers.expect("keys within"))),
        ("i8", Arc::new(Int8Array::from(vec![3, 1, 2]))),
        ("u16", Arc::new(UInt16Array::from(vec![3, 1, 2]))),
        ("u64", Arc::new(UInt64Array::from(vec![3, 1, 2]))),
        ("f32", Arc::new(Float32Array::from(vec![3.0, 1.0, 2.0]))),
        ("f64", Arc::new(Float64Array::from(vec![3.0, 1.0, 2.0]))),
        ("decimal", decimal(0, 1)),
        ("decimal 2", decimal(2, 100)),
        ("decimal 256", Arc::new(wide.with_precision_and_scale(40, 0).expect("fits"))),
    ];
    for (name, items) in columns {
        write(&file, table(items, times()), Compression::SNAPPY);
        let loaded = load(&file, &options(&dir)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(order(&loaded), ["1", "2", "3"], "{name}");
    }
}

#[test]
fn ids_that_are_none_are_refused_with_their_row() {
    let (dir, file) = place();
    let decimal = Decimal128Array::from(vec![300, 150, 200]).with_precision_and_scale(20, 2).expect("fits");
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([1, 2, 3].map(|v| Some(vec![Some(v)])));
    let columns: Vec<(ArrayRef, &[&str])> = vec![
        (Arc::new(StringArray::from(vec![Some("3"), None, Some("2")])), &["row 1", "item id is empty"]),
        (Arc::new(Float64Array::from(vec![3.0, 1.5, 2.0])), &["row 1", "1.5 is no whole number"]),
        (Arc::new(Float64Array::from(vec![3.0, f64::NAN, 2.0])), &["row 1", "item id is empty"]),
        (Arc::new(Float64Array::from(vec![1.0, 2.0, 1e300])), &["row 2", "no whole number"]),
        (Arc::new(decimal), &["row 1", "decimal is no whole number"]),
        (Arc::new(BinaryArray::from(vec![&b"3"[..], b"\xff\xfe", b"2"])), &["row 1", "no UTF-8"]),
        (Arc::new(lists), &["item_id", "expected texts or whole numbers"]),
        (Arc::new(NullArray::new(3)), &["row 0", "item id is empty"]),
    ];
    for (items, parts) in columns {
        write(&file, table(items, Arc::new(Int64Array::from(vec![1, 2, 3]))), Compression::SNAPPY);
        let message = load(&file, &options(&dir)).expect_err("a faulty id").to_string();
        says(&message, parts);
        assert!(!check(&file, &options(&dir)).faults.is_empty());
    }
}

#[test]
fn moments_of_every_type_keep_their_order_to_the_last_digit() {
    let (dir, file) = place();
    let second = 1_600_000_000i64;
    // The third row is the earliest, by the smallest step of each type.
    let (mut micro, mut nano) = ([second * 1_000_000; 3], [second * 1_000_000_000; 3]);
    for (row, step) in [2, 1, 0].into_iter().enumerate() {
        micro[row] += step;
        nano[row] += step;
    }
    let float = [0.75, 0.5, 0.25].map(|part| second as f64 + part);
    let decimal = Decimal128Array::from(micro.map(i128::from).to_vec()).with_precision_and_scale(20, 6);
    let dictionary: DictionaryArray<Int32Type> =
        ["2020-01-01T00:00:00.3Z", "2020-01-01T00:00:00.2Z", "2020-01-01T00:00:00.1Z"].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("s", Arc::new(TimestampSecondArray::from(vec![second + 2, second + 1, second]))),
        ("ms", Arc::new(TimestampMillisecondArray::from(vec![3, 2, 1]).with_timezone("+02:00"))),
        ("us", Arc::new(TimestampMicrosecondArray::from(micro.to_vec()).with_timezone("UTC"))),
        ("ns", Arc::new(TimestampNanosecondArray::from(nano.to_vec()))),
        ("date32", Arc::new(Date32Array::from(vec![18_000, 17_999, -1]))),
        ("date64", Arc::new(Date64Array::from(vec![86_400_000 * 3, 86_400_000 * 2, 0]))),
        ("i64", Arc::new(Int64Array::from(nano.to_vec()))),
        ("u64", Arc::new(UInt64Array::from(nano.map(|v| v as u64).to_vec()))),
        ("f64", Arc::new(Float64Array::from(float.to_vec()))),
        ("f32", Arc::new(Float32Array::from(vec![0.3, 0.2, 0.1]))),
        ("decimal", Arc::new(decimal.expect("fits"))),
        ("dates as texts", texts(["2020-01-03", "2020-01-02", "2020-01-01"])),
        ("numbers as texts", texts(["1600000000.3", "1600000000.2", "1.6e9"])),
        ("dictionary", Arc::new(dictionary)),
    ];
    for (name, times) in columns {
        write(&file, table(texts(["3", "2", "1"]), times), Compression::SNAPPY);
        let loaded = load(&file, &options(&dir)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(order(&loaded), ["1", "2", "3"], "{name}");
    }
    for (times, part) in [
        (texts(["2020-01-01", "01/02/2020", "2020-01-03"]), "day first, or the month"),
        (texts(["2020-01-01", "1600000000", "2020-01-03"]), "in one way"),
        (
            Arc::new(arrow_array::BooleanArray::from(vec![true, false, true])) as ArrayRef,
            "expected timestamps, dates",
        ),
    ] {
        write(&file, table(texts(["3", "2", "1"]), times), Compression::SNAPPY);
        says(&load(&file, &options(&dir)).expect_err(part).to_string(), &[part]);
    }
}

#[test]
fn a_row_without_a_rating_is_no_positive_where_ratings_count() {
    let (dir, file) = place();
    let ratings: Vec<(&str, ArrayRef)> = vec![
        ("null", Arc::new(Float64Array::from(vec![Some(5.0), None, Some(1.0)]))),
        ("NaN", Arc::new(Float32Array::from(vec![5.0, f32::NAN, 1.0]))),
        ("text", Arc::new(StringArray::from(vec!["5", "NaN", "1.0"]))),
        ("view", Arc::new(StringViewArray::from(vec![Some("5"), Some(""), Some("1")]))),
        ("i64", Arc::new(Int64Array::from(vec![Some(5), None, Some(1)]))),
    ];
    for (name, rating) in ratings {
        let mut columns = table(texts(["1", "2", "3"]), Arc::new(Int64Array::from(vec![1, 2, 3])));
        columns.push(("rating", rating));
        write(&file, columns, Compression::SNAPPY);
        let report = check(&file, &LoadOptions { min_rating: Some(4.0), ..options(&dir) });
        assert!(report.faults.is_empty(), "{name}: {report}");
        assert_eq!((report.rows.read, report.rows.kept), (3, 1), "{name}: {}", report.rows);
        assert_eq!(report.rows.left_out["without a rating"], 1, "{name}");
        assert_eq!(report.rows.left_out["rated below 4"], 1, "{name}");
        assert!(report.rows.is_whole());
        let all = check(&file, &options(&dir));
        assert_eq!(all.rows.kept, 3);
        assert!(all.notes.iter().any(|n| n.contains("1 of 3 rows are without a rating")), "{all}");
    }
    let mut columns = table(texts(["1", "2", "3"]), Arc::new(Int64Array::from(vec![1, 2, 3])));
    columns.push(("rating", Arc::new(Float64Array::from(vec![1.0, f64::INFINITY, 2.0]))));
    write(&file, columns, Compression::SNAPPY);
    says(&load(&file, &options(&dir)).expect_err("infinite").to_string(), &["row 1", "finite number"]);
}

#[test]
fn lists_of_every_kind_are_features() {
    let (dir, file) = place();
    write(
        &file,
        table(texts(["1", "2", "3"]), Arc::new(Int64Array::from(vec![1, 2, 3]))),
        Compression::SNAPPY,
    );
    let rows = [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]];
    let halves = rows.map(|row| Some(row.map(|v: f32| Some(half::f16::from_f32(v))).to_vec()));
    let doubles = rows.map(|row| Some(row.map(|v| Some(f64::from(v))).to_vec()));
    let whole = rows.map(|row| Some(row.map(|v| Some(v as i32)).to_vec()));
    let (mut fixed, mut small) =
        (FixedSizeListBuilder::new(Float32Builder::new(), 2), ListBuilder::new(Float32Builder::new()));
    let mut large = LargeListBuilder::new(Float32Builder::new());
    for row in rows {
        fixed.values().append_slice(&row);
        fixed.append(true);
        small.values().append_slice(&row);
        small.append(true);
        large.values().append_slice(&row);
        large.append(true);
    }
    let small = small.finish();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("fixed", Arc::new(fixed.finish())),
        ("f16", Arc::new(ListArray::from_iter_primitive::<Float16Type, _, _>(halves))),
        ("f64", Arc::new(LargeListArray::from_iter_primitive::<Float64Type, _, _>(doubles))),
        ("i32", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(whole))),
        ("large", Arc::new(large.finish())),
        ("small", Arc::new(small)),
    ];
    for (name, lists) in columns {
        let features = dir.path().join("lists.parquet");
        write(&features, vec![("item_id", texts(["1", "2", "3"])), ("text", lists)], Compression::SNAPPY);
        let text = FeatureSource { name: "text".into(), path: features };
        let loaded = load(&file, &LoadOptions { features: vec![text], ..options(&dir) });
        let loaded = loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(loaded.data.modalities[0].features.row(1)[..], [2.0, 20.0], "{name}");
    }
}

#[test]
fn a_folder_of_parts_is_one_table() {
    let (dir, _) = place();
    let folder = dir.path().join("inter.parquet");
    let part = |name: &str, items: [&str; 3], first: i64| {
        let times = Arc::new(Int64Array::from(vec![first, first + 1, first + 2]));
        write(&folder.join(name), table(texts(items), times), Compression::SNAPPY);
    };
    part("part-00001-x.snappy.parquet", ["3", "3", "3"], 10);
    part("part-00000-x.snappy.parquet", ["1", "2", "1"], 0);
    for mark in ["_SUCCESS", "._SUCCESS.crc", ".part-00000-x.snappy.parquet.crc"] {
        fs::write(folder.join(mark), "mark").expect("write");
    }
    let loaded = load(&folder, &options(&dir)).expect("a table in parts");
    assert_eq!(
        (order(&loaded), loaded.data.name.as_str()),
        (vec!["1".into(), "2".into(), "3".into()], "inter")
    );
    assert!(
        loaded.data.notes.iter().any(|n| n.contains("2 parts read as one table")),
        "{:?}",
        loaded.data.notes
    );
    // Parts beside a table of something else, a column that is not in the files, and another file.
    let items = folder.join("part-2.parquet");
    write(&items, vec![("item_id", texts(["1", "2", "3"]))], Compression::SNAPPY);
    says(
        &load(&folder, &options(&dir)).expect_err("other columns").to_string(),
        &["part-2.parquet", "as", "part-00000"],
    );
    fs::remove_file(items).expect("remove");
    fs::write(folder.join("readme.txt"), "x").expect("write");
    says(&load(&folder, &options(&dir)).expect_err("a text").to_string(), &["readme.txt", "among the parts"]);
    fs::remove_file(folder.join("readme.txt")).expect("remove");
    fs::create_dir(folder.join("country=de")).expect("create");
    says(
        &load(&folder, &options(&dir)).expect_err("partitions").to_string(),
        &["\"country\"", "without partitions"],
    );
}

#[test]
fn a_folder_with_files_of_splits_is_no_folder_of_parts() {
    let (dir, _) = place();
    let folder = dir.path().join("d");
    for (name, item) in [("train", "1"), ("val", "2"), ("test", "3")] {
        let columns = vec![("user", texts(["u"; 3])), ("item", texts([item; 3]))];
        write(&folder.join(format!("{name}.parquet")), columns, Compression::SNAPPY);
    }
    let loaded = load(&folder, &LoadOptions { split: None, ..options(&dir) }).expect("three tables");
    assert_eq!(order(&loaded), ["1", "2", "3"]);
    // A split may be a folder of parts itself.
    fs::create_dir(folder.join("whole")).expect("create");
    fs::rename(folder.join("val.parquet"), folder.join("whole/part-0.parquet")).expect("rename");
    fs::rename(folder.join("whole"), folder.join("val.parquet")).expect("rename");
    let again = load(&folder, &LoadOptions { split: None, ..options(&dir) }).expect("three tables");
    assert_eq!(again.data.fingerprint(), loaded.data.fingerprint());
}

/// A table whose footer is these bytes.
fn with_footer(file: &Path, footer: &[u8]) {
    let length = u32::try_from(footer.len()).expect("short").to_le_bytes();
    fs::write(file, [b"PAR1", footer, &length, b"PAR1"].concat()).expect("write");
}

#[test]
fn a_footer_that_promises_more_than_it_holds_is_refused_before_it_is_decoded() {
    let (dir, file) = place();
    // Each list of truth values keeps a decoder that takes no byte for them busy for seconds.
    let list = [0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07];
    let lists = [&[0xf9], &list[1..], &list.repeat(39)].concat();
    let numbers = [0xf9, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0];
    let nested = [vec![0xfc], vec![0x1c; 89]].concat();
    // Who wrote it as a truth value: a decoder that goes by the number of the field takes what follows for a text, and the list
    // behind it, which the structure does not have, for the next field.
    let led_astray = [&[0x61, 0x00], &list[..], &[0]].concat();
    for (footer, found) in [
        (&lists[..], "the footer has a list of 2147483647 values of type 1 in 273 bytes"),
        (&numbers, "the footer has a list of 2147483647 values of type 5 in 2 bytes"),
        (&nested, "the footer is nested too deeply"),
        (&[0x15], "the footer runs beyond its end"),
        (&led_astray, "the footer has a field 6 of type 1"),
    ] {
        with_footer(&file, footer);
        says(
            &load(&file, &options(&dir)).expect_err(found).to_string(),
            &["t.parquet", found, "write it again"],
        );
    }
}
