//! The layouts that others use, read as they write them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use equipoise_data::formats::{Cells, read_cells, read_item_rows, write_npy};
use equipoise_data::{
    Columns, DataError, FeatureSource, Features, LoadOptions, Loaded, SplitRule, TextOptions, check, load,
};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn dir() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn put(dir: &TempDir, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let file = dir.path().join(name);
    fs::create_dir_all(file.parent().expect("inside the directory")).expect("create");
    fs::write(&file, text).expect("write");
    file
}

/// Row `r` is `[r, 10 r]`.
fn features(dir: &TempDir, name: &str, rows: usize) {
    let values = (0..rows).flat_map(|r| [r as f32, 10.0 * r as f32]).collect();
    let features = Features::new(rows, 2, values).expect("finite");
    write_npy(&dir.path().join(name), &features).expect("write");
}

fn parquet(file: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a schema");
    writer.write(&batch).expect("memory");
    fs::write(file, writer.into_inner().expect("memory")).expect("write");
}

fn splits(loaded: &Loaded) -> [Vec<(u32, u32)>; 3] {
    let data = &loaded.data;
    [&data.train, &data.validation, loaded.test.open()].map(|s| s.pairs().collect())
}

fn open(path: &Path, options: &LoadOptions) -> Loaded {
    load(path, options).expect("a sound data set")
}

/// The fault that loading ends with, which the check names first.
fn fault(path: &Path, options: &LoadOptions) -> String {
    let error: DataError = load(path, options).expect_err("a broken data set");
    let report = check(path, options);
    assert_eq!(report.faults[0], error.to_string());
    error.to_string()
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

const CSV: &str = "reviewerID,asin,overall,unixReviewTime,split\n\
    \"Ann, B.\",x,5.0,30,train\nCy,y,4,20,train\n\"Ann, B.\",y,5,10,VALID\nCy,z,2.0,40,test\n";

#[test]
fn a_csv_with_a_split_is_read_by_name_and_numbered_by_first_appearance() {
    let dir = dir();
    let file = put(&dir, "ratings.csv", CSV);
    features(&dir, "text_feat.npy", 3);
    put(&dir, "item_list.txt", "y\t0\nx\t1\nz\t2\n");
    let loaded = open(&file, &LoadOptions::default());
    assert_eq!((loaded.data.name.as_str(), loaded.data.format.as_str()), ("ratings", "table"));
    assert_eq!(*loaded.data.vocabulary.users(), ["Ann, B.", "Cy"]);
    assert_eq!(*loaded.data.vocabulary.items(), ["y", "x", "z"]);
    assert_eq!(splits(&loaded), [vec![(0, 1), (1, 0)], vec![(0, 0)], vec![(1, 2)]]);
    assert_eq!(loaded.data.modalities[0].features.row(2)[..], [2.0, 20.0]);
    // Semicolons and tabs, and the directory instead of the file.
    for (name, with) in [("interactions.csv", ";"), ("interactions.tsv", "\t")] {
        let text = CSV.replace("\"Ann, B.\"", "Ann").replace(',', with);
        let other = put(&dir, name, text);
        assert_eq!(splits(&open(dir.path(), &LoadOptions::default())), splits(&loaded));
        fs::remove_file(other).expect("remove");
    }
}

#[test]
fn a_threshold_leaves_rows_out_and_says_so() {
    let dir = dir();
    let file = put(&dir, "r.csv", CSV);
    features(&dir, "text_feat.npy", 2);
    put(&dir, "item_list.txt", "x\t0\ny\t1\n");
    let options = LoadOptions { min_rating: Some(4.0), ..LoadOptions::default() };
    let loaded = open(&file, &options);
    assert_eq!(splits(&loaded), [vec![(0, 0), (1, 1)], vec![(0, 1)], vec![]]);
    assert!(
        loaded.data.notes.iter().any(|n| n.contains("left 1 rows out, rated below 4")),
        "{:?}",
        loaded.data.notes
    );
    let unrated = put(&dir, "u.csv", "user,item,split\n1,x,train\n");
    says(&fault(&unrated, &options), &["u.csv", "--rating-column"]);
}

#[test]
fn a_table_without_header_goes_by_position() {
    let dir = dir();
    let file = put(&dir, "ratings_X.csv", "A,x,5.0,3\nA,y,5.0,1\nA,z,5.0,2\nB,x,1.0,9\n");
    features(&dir, "text_feat.npy", 3);
    put(&dir, "item_list.txt", "x\t0\ny\t1\nz\t2\n");
    let columns = Columns { header: false, ..Columns::default() };
    let options = LoadOptions { columns, split: Some(SplitRule::LeaveOneOut), ..LoadOptions::default() };
    assert_eq!(splits(&open(&file, &options)), [vec![(0, 1), (1, 0)], vec![(0, 2)], vec![(0, 0)]]);
}

#[test]
fn repeats_are_merged_before_a_rule_divides() {
    let dir = dir();
    let rows: String =
        (0..4).flat_map(|round| (0..6).map(move |i| format!("u,i{i},{}\n", round * 10 + i))).collect();
    let file = put(&dir, "r.csv", format!("user,item,time\n{rows}"));
    let ids: String = (0..6).map(|i| format!("i{i}\t{i}\n")).collect();
    put(&dir, "item_list.txt", ids);
    features(&dir, "text_feat.npy", 6);
    for rule in [SplitRule::Ratio, SplitRule::LeaveOneOut, SplitRule::Time] {
        let options = LoadOptions { split: Some(rule), seed: 5, ..LoadOptions::default() };
        let loaded = open(&file, &options);
        assert_eq!(splits(&loaded).iter().map(Vec::len).sum::<usize>(), 6, "{rule:?}");
        assert!(loaded.data.notes.iter().any(|n| n.contains("merged 18")), "{:?}", loaded.data.notes);
        assert_eq!(loaded.data.fingerprint(), open(&file, &options).data.fingerprint());
    }
    // The earliest meeting counts: i5 was first seen last.
    let options = LoadOptions { split: Some(SplitRule::LeaveOneOut), ..LoadOptions::default() };
    assert_eq!(splits(&open(&file, &options))[2], [(0, 5)]);
}

#[test]
fn a_table_that_lacks_something_says_what_to_do() {
    let dir = dir();
    features(&dir, "text_feat.npy", 3);
    put(&dir, "item_list.txt", "x\t0\ny\t1\nz\t2\n");
    let case = |text: &str, options: &LoadOptions| fault(&put(&dir, "t.csv", text), options);
    let plain = LoadOptions::default();
    let by_time = LoadOptions { split: Some(SplitRule::Time), ..LoadOptions::default() };
    says(&case("user,item\n1,x\n", &plain), &["t.csv", "no split", "--split-column", "--split"]);
    says(&case("user,item\n1,x\n", &by_time), &["t.csv", "timestamp", "--timestamp-column"]);
    says(&case("who,item\n1,x\n", &plain), &["line 1", "\"who\"", "--user-column"]);
    says(&case("user,item,split\n1,x,later\n", &plain), &["line 2", "\"later\"", "train"]);
    says(&case("user,item,split\n1,x,train\n2,x\n", &plain), &["line 3", "expected 3 columns, found 2"]);
    says(&case("user,item,split\n,x,train\n", &plain), &["line 2", "user id is empty"]);
    says(
        &case("user,item,split,time\n1,x,train,May\n", &plain),
        &["line 2", "\"May\"", "expected a number", "2020-02-01"],
    );
    says(&case("user,item,split,rating\n1,x,train,good\n", &plain), &["line 2", "\"good\"", "number"]);
    says(&case("", &plain), &["line 1", "the file is empty"]);
    says(&case("user,item,split\n", &plain), &["the whole table", "no interaction"]);
    says(&case("user;item\n", &Default::default()), &["no interaction"]);
    let odd = put(&dir, "t.csv", b"user,item,split\n\xff,x,train\n");
    says(&fault(&odd, &plain), &["line 2", "UTF-8"]);
}

#[test]
fn options_that_would_change_nothing_are_refused() {
    let dir = dir();
    let file = put(&dir, "t.csv", ABC);
    features(&dir, "text_feat.npy", 3);
    put(&dir, "item_list.txt", "a\t0\nb\t1\nc\t2\n");
    let ruled = LoadOptions { split: Some(SplitRule::Ratio), ..LoadOptions::default() };
    says(&fault(&file, &ruled), &["split is set", "--split-column"]);
    let aside = Columns { split: Some(String::new()), ..Columns::default() };
    let loaded = open(&file, &LoadOptions { columns: aside.clone(), ..ruled.clone() });
    assert_eq!(splits(&loaded).map(|s| s.len()), [1, 1, 1]);
    for name in ["train", "val", "test"] {
        put(&dir, &format!("lattice/{name}.json"), r#"{"0": [0]}"#);
    }
    let lattice = dir.path().join("lattice");
    says(&fault(&lattice, &ruled), &["split = \"ratio\"", "lattice layout leaves no choice"]);
    says(&fault(&lattice, &LoadOptions { columns: aside, ..LoadOptions::default() }), &["columns = {...}"]);
    says(
        &fault(&lattice, &LoadOptions { min_rating: Some(1.0), ..LoadOptions::default() }),
        &["min_rating = 1.0"],
    );
}

#[test]
fn one_table_per_split_is_read_in_csv_and_parquet() {
    let dir = dir();
    features(&dir, "text_feat.npy", 30);
    let rows: Vec<usize> = (0..30).collect();
    put(&dir, "text_feat_ids.json", format!("{rows:?}"));
    put(&dir, "train.csv", "user,item\n1,7\n2,3\n");
    put(&dir, "val.csv", "user,item\n1,3\n");
    let columns: Vec<(&str, ArrayRef)> =
        vec![("user", Arc::new(Int64Array::from(vec![2]))), ("item", Arc::new(StringArray::from(vec!["7"])))];
    parquet(&dir.path().join("test.parquet"), columns);
    let loaded = open(dir.path(), &LoadOptions::default());
    assert_eq!(*loaded.data.vocabulary.users(), ["1", "2"]);
    assert_eq!(splits(&loaded), [vec![(0, 0), (1, 1)], vec![(0, 1)], vec![(1, 0)]]);
    // Items are called by numbers here, and so are the rows.
    assert_eq!(loaded.data.modalities[0].features.row(0)[..], [7.0, 70.0]);
    put(&dir, "valid.csv", "user,item\n1,3\n");
    says(&fault(dir.path(), &LoadOptions::default()), &["val.csv, valid.csv", "one of each split"]);
}

/// RecBole's interactions of the items x, y and z, with a split.
fn atomic(dir: &TempDir) {
    put(dir, "d.inter", "user_id:token\titem_id:token\tx_label:float\nu\tx\t0\nu\ty\t1\nv\tz\t0\nv\tx\t2\n");
}

#[test]
fn vectors_in_atomic_files_are_features_of_the_items_that_their_rows_name() {
    let dir = dir();
    atomic(&dir);
    let item =
        "item_id:token\ttitle:token_seq\timage:float_seq\nz\tA cot\t3 30\nx\tA cup\t1 10\ny\tA bib\t\n";
    put(&dir, "d.item", item);
    put(&dir, "d.itememb", "iid:token\ttext:float_seq\ny\t0.5 -1 2e-1\nx\t1 1 1\nz\t2 2 2\n");
    put(&dir, "d.useremb", "uid:token\tuser_emb:float_seq\nu\t1 2\n");
    put(&dir, "other.itememb", "iid:token\tnone:float_seq\nx\t1\n");
    let loaded = open(dir.path(), &LoadOptions::default());
    let names: Vec<&str> = loaded.data.modalities.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(
        (names, loaded.data.vocabulary.items().to_vec()),
        (vec!["image", "text"], vec!["z".into(), "x".into(), "y".to_string()])
    );
    let [image, text] = &loaded.data.modalities[..] else { panic!("two modalities") };
    assert_eq!(
        (image.features.row(0).to_vec(), image.features.row(1).to_vec()),
        (vec![3.0, 30.0], vec![1.0, 10.0])
    );
    assert_eq!(
        image.missing.as_ref().map(|missing| missing.items().to_vec()),
        Some(vec![2]),
        "y has no image"
    );
    assert_eq!(text.features.row(2).to_vec(), [0.5, -1.0, 0.2]);
    let notes = loaded.data.notes.join("\n");
    says(
        &notes,
        &[
            "d.item: features of image from \"image:float_seq\"",
            "d.itememb: features of text",
            "d.useremb: not read",
        ],
    );

    fs::write(dir.path().join("d.itememb"), "iid:token\ttext:float_seq\ny\t0.5 1\nx\t1\nz\t2 2\n")
        .expect("write");
    says(&fault(dir.path(), &LoadOptions::default()), &["d.itememb", "item \"x\"", "1 values, expected 2"]);
    fs::write(dir.path().join("d.itememb"), "iid:token\timage:float_seq\ny\t0.5\n").expect("write");
    says(&fault(dir.path(), &LoadOptions::default()), &["features of image twice", "d.item ", "d.itememb"]);
}

#[test]
fn a_table_of_items_of_recbole_is_read_without_the_types_of_its_columns() {
    let dir = dir();
    let file =
        put(&dir, "d.item", "item_id:token\ttitle:token_seq\tprice:float\nx\tA cup\t3\ny\tA bib\t4.5\n");
    let mut titles = Vec::new();
    let cells = Cells { columns: vec!["title".into()], ..Cells::default() };
    let notes = read_cells(&file, &cells, &mut |id, text| {
        titles.push(format!("{id}: {text}"));
        Ok(())
    });
    assert_eq!(titles, ["x: A cup", "y: A bib"]);
    says(&notes.expect("a sound table")[0], &["item ids from \"item_id:token\"", "separated by tabs"]);
    let rows = read_item_rows(&file, None, &TextOptions::default(), &mut Vec::new()).expect("a sound table");
    assert_eq!(serde_json::to_string(&rows[1]).expect("plain"), r#"["y",{"title":"A bib","price":4.5}]"#);
}

#[test]
fn a_file_of_vectors_is_a_source_for_any_layout() {
    let dir = dir();
    atomic(&dir);
    let path =
        put(&dir, "far/away.emb", "item_id:token\tv:float_seq\tw:float_seq\nx\t1\t4\ny\t2\t5\nz\t3\t6\n");
    let named = |name: &str| LoadOptions {
        features: vec![FeatureSource { name: name.into(), path: path.clone() }],
        ..LoadOptions::default()
    };
    let loaded = open(dir.path(), &named("w"));
    assert_eq!(loaded.data.modalities[0].features.values().to_vec(), [4.0, 5.0, 6.0]);
    says(
        &fault(dir.path(), &named("image")),
        &["away.emb: line 1: no column \"image:float_seq\"", "\"w:float_seq\""],
    );
}

#[test]
fn recbole_files_are_told_from_mmrec_by_their_typed_header() {
    let dir = dir();
    features(&dir, "text_feat.npy", 3);
    put(&dir, "d.item", "item_id:token\ttitle:token_seq\nx\tA cup\ny\tA bib\nz\tA cot\n");
    put(&dir, "d.train.inter", "user_id:token\titem_id:token\ttimestamp:float\nAnn\ty\t1.5\nCy\tx\t2\n");
    put(&dir, "d.valid.inter", "user_id:token\titem_id:token\ttimestamp:float\nAnn\tz\t3\n");
    put(&dir, "d.test.inter", "user_id:token\titem_id:token\ttimestamp:float\nCy\tz\t4\n");
    let loaded = open(dir.path(), &LoadOptions::default());
    assert_eq!(loaded.data.format, "recbole");
    assert_eq!(*loaded.data.vocabulary.items(), ["x", "y", "z"]);
    assert_eq!(splits(&loaded), [vec![(0, 1), (1, 0)], vec![(0, 2)], vec![(1, 2)]]);
    for part in ["train", "valid", "test"] {
        fs::remove_file(dir.path().join(format!("d.{part}.inter"))).expect("remove");
    }
    put(
        &dir,
        "d.inter",
        "user_id:token\titem_id:token\trating:float\nAnn\tx\t5\nAnn\ty\t1\nAnn\tz\t5\nAnn\tz\n",
    );
    let options = LoadOptions { split: Some(SplitRule::LeaveOneOut), ..LoadOptions::default() };
    says(&fault(dir.path(), &options), &["d.inter", "line 5", "expected 3 columns, found 2"]);
    put(&dir, "d.inter", "user_id:token\titem_id:token\trating:float\nAnn\tx\t5\nAnn\ty\t1\nAnn\tz\t5\n");
    assert_eq!(splits(&open(dir.path(), &options)), [vec![(0, 0)], vec![(0, 1)], vec![(0, 2)]]);
    says(&fault(dir.path(), &LoadOptions::default()), &["d.inter", "no split"]);
}

#[test]
fn matrices_of_scipy_are_read_in_every_layout() {
    let dir = dir();
    features(&dir, "text_feat.npy", 5);
    // Every matrix has the entries 0, which is no interaction, and -1, which is none unless it is said; as truth values all
    // but 0 are the same.
    for (name, negative) in
        [("csr.npz", 1), ("csc_f32_plain.npz", 1), ("coo_i64.npz", 1), ("csr_array_bool.npz", 0)]
    {
        fs::copy(fixture(name), dir.path().join("trnMat.npz")).expect("copy");
        let options = LoadOptions { min_rating: Some(-1.0), ..LoadOptions::default() };
        assert_eq!(check(dir.path(), &options).rows.left_out.len(), 0, "{name}");
        let report = check(dir.path(), &LoadOptions::default());
        assert_eq!((report.rows.read, report.rows.left_out["entries of 0"]), (5, 1), "{name}: {report}");
        assert_eq!(
            report.rows.left_out.get("entries below 0").copied().unwrap_or(0),
            negative,
            "{name}: {report}"
        );
        assert!(
            report.rows.is_whole() && negative == 0 || report.to_string().contains("entries below 0 out")
        );
        // Only validation and test are missing.
        assert_eq!(report.faults.len(), 2, "{name}: {report}");
        assert_eq!(
            (report.users, report.items, report.splits.train),
            (4, 5, 4 - negative),
            "{name}: {report}"
        );
    }
    fs::copy(fixture("csr.npz"), dir.path().join("valMat.npz")).expect("copy");
    fs::copy(fixture("csr.npz"), dir.path().join("tstMat.npz")).expect("copy");
    says(
        &load(dir.path(), &LoadOptions::default()).expect_err("the same thrice").to_string(),
        &["user 0: item 1", "disjoint"],
    );
    fs::copy(fixture("bsr.npz"), dir.path().join("valMat.npz")).expect("copy");
    says(
        &load(dir.path(), &LoadOptions::default()).expect_err("bsr").to_string(),
        &["valMat.npz", "csr, csc or coo", "\"bsr\""],
    );
}

#[test]
fn a_pickle_is_refused_with_the_way_to_convert_it() {
    let dir = dir();
    put(&dir, "trnMat.pkl", b"\x80\x04cos\nsystem\n");
    let message = load(dir.path(), &LoadOptions::default()).expect_err("a pickle").to_string();
    says(&message, &["trnMat.pkl", "is not run", "save_npz('trnMat.npz'"]);
}

const ABC: &str = "user,item,split\nu,a,train\nu,b,validation\nu,c,test\n";

/// The `text` rows of items a, b, c when its features come from `source`.
fn joined(dir: &TempDir, source: &Path) -> (Vec<Vec<f32>>, Vec<String>) {
    let file = put(dir, "abc.csv", ABC);
    let text = FeatureSource { name: "text".into(), path: source.to_owned() };
    let loaded = open(&file, &LoadOptions { features: vec![text], ..LoadOptions::default() });
    let features = &loaded.data.modalities[0].features;
    ((0..3).map(|i| features.row(i).to_vec()).collect(), loaded.data.notes)
}

#[test]
fn features_are_joined_by_raw_id_whatever_they_come_in() {
    let dir = dir();
    let by_hand = [vec![2.0, 20.0], vec![3.0, 30.0], vec![1.0, 10.0]];
    assert_eq!(joined(&dir, &fixture("ids_bytes_f16_columns.npz")).0, by_hand);
    let lists =
        |rows: Vec<Option<Vec<Option<f32>>>>| ListArray::from_iter_primitive::<Float32Type, _, _>(rows);
    let row = |v: f32| Some(vec![Some(v), Some(10.0 * v)]);
    let file = dir.path().join("items.parquet");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("price", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        ("text", Arc::new(lists(vec![row(1.0), None, row(2.0), row(3.0)]))),
        ("item_id", Arc::new(StringArray::from(vec!["c", "d", "a", "b"]))),
    ];
    parquet(&file, columns);
    assert_eq!(joined(&dir, &file).0, by_hand);
    let tensors = [("a", 2f32), ("b", 3.0), ("c", 1.0)].map(|(id, v)| {
        let bytes: Vec<u8> = [v, 10.0 * v].iter().flat_map(|v| v.to_le_bytes()).collect();
        (id, bytes)
    });
    let views = tensors.iter().map(|(id, bytes)| {
        (
            *id,
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2], bytes)
                .expect("two floats"),
        )
    });
    let file = dir.path().join("text.safetensors");
    fs::write(&file, safetensors::serialize(views, None).expect("memory")).expect("write");
    assert_eq!(joined(&dir, &file).0, by_hand);
    for (id, v) in [("a", 2.0), ("b", 3.0), ("c", 1.0)] {
        let features = Features::new(1, 2, vec![v, 10.0 * v]).expect("finite");
        write_npy(&dir.path().join(format!("ducho/{id}.npy")), &features).expect("write");
    }
    assert_eq!(joined(&dir, &dir.path().join("ducho")).0, by_hand);
}

#[test]
fn features_as_text_and_in_a_column_for_each_value_are_joined_by_raw_id() {
    let dir = dir();
    let by_hand = [vec![2.0, 20.0], vec![3.0, 30.0], vec![1.0, 10.0]];
    for (name, text) in [
        ("wide.csv", "item_id,f0,f1\nc,1,10\nd,,\na,2,2e1\nb,3,30.0\n"),
        ("wide.tsv", "0\t1\tasin\n1\t10\tc\n2\t20\ta\n3\t30\tb\n"),
        ("lists.csv", "item_id;price;text\nc;5;[1, 10]\na;5;[2.0, 20.0]\nb;5;[3.0, 30.0]\nd;5;[]\n"),
        ("quoted.csv", "item,vector\nc,\"[1, 10]\"\na,2 20\nb,\"(3, 30)\"\n"),
    ] {
        let (rows, notes) = joined(&dir, &put(&dir, name, text));
        assert_eq!(rows, by_hand, "{name}");
        says(&notes.join(" "), &[name, "item ids from", "guessed by its name", "separated by"]);
    }
    let numbers = |values: [Option<f64>; 4]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let ids = || -> ArrayRef { Arc::new(StringArray::from(vec!["c", "d", "a", "b"])) };
    let first = numbers([Some(1.0), None, Some(2.0), Some(3.0)]);
    let second = numbers([Some(10.0), None, Some(20.0), Some(30.0)]);
    let file = dir.path().join("wide.parquet");
    parquet(&file, vec![("item_id", ids()), ("0", first.clone()), ("1", second.clone())]);
    assert_eq!(joined(&dir, &file).0, by_hand);
    // As Spark writes a table: parts in a folder.
    let parts = dir.path().join("text_feat");
    fs::create_dir(&parts).expect("made");
    for (name, from, to) in [("part-0.parquet", 0, 2), ("part-1.parquet", 2, 4)] {
        let cut = |column: &ArrayRef| column.slice(from, to - from);
        parquet(&parts.join(name), vec![("item_id", cut(&ids())), ("0", cut(&first)), ("1", cut(&second))]);
    }
    assert_eq!(joined(&dir, &parts).0, by_hand);
}

#[test]
fn features_as_text_that_are_no_rows_of_numbers_are_named() {
    let dir = dir();
    let file = put(&dir, "abc.csv", ABC);
    for (text, found) in [
        ("item_id,f0,f1\na,1,x\n", &["line 2", "column \"f1\"", "\"x\"", "finite number"][..]),
        ("item_id,f0,f1\na,1,\n", &["line 2", "column \"f1\"", "\"\""]),
        ("item_id,f0,f1\na,1,2\nb,nan,2\n", &["line 3", "column \"f0\"", "\"nan\""]),
        ("item_id,f0,f1\na,1\n", &["line 2", "expected 3 columns, found 2"]),
        ("item_id,f0,f1\na,1,2\na,1,2\n", &["item \"a\"", "occurs twice"]),
        ("item_id,vector\na,1 2\nb,1 2 3\n", &["item \"b\"", "3 values, expected 2"]),
        (",item_id,f0\n0,a,1\n1,b,2\n", &["row number of pandas", "index=False"]),
        ("a,1,2\nb,3,4\n", &["no column of item ids", "call it item_id"]),
        ("item_id,item\na,b\n", &["line 2", "\"b\", expected a finite number"]),
        ("item_id,f0\n,1\n", &["line 2", "no item id"]),
    ] {
        let text = FeatureSource { name: "text".into(), path: put(&dir, "v.csv", text) };
        let message = fault(&file, &LoadOptions { features: vec![text], ..LoadOptions::default() });
        says(&message, &[&["v.csv"], found].concat());
    }
}

#[test]
fn what_does_not_match_is_filled_and_reported() {
    let dir = dir();
    let (rows, notes) = joined(&dir, &fixture("ids_text.npz"));
    // "a" has no row: the mean of b and c. "änne" is no item.
    assert_eq!(rows, [vec![2.0, 20.0], vec![3.0, 30.0], vec![1.0, 10.0]]);
    let notes = notes.join(" ");
    says(&notes, &["1 of 3 items have no row", "\"a\"", "1 of 3 rows match no item", "änne"]);
    let (rows, notes) = joined(&dir, &fixture("one_array_per_id.npz"));
    assert_eq!(rows, [vec![2.0, 20.0], vec![3.0, 30.0], vec![1.0, 10.0]]);
    says(&notes.join(" "), &["1 of 3 items have no row"]);
}

#[test]
fn faulty_features_name_the_item() {
    let dir = dir();
    let file = put(&dir, "abc.csv", ABC);
    let with = |path: PathBuf| {
        let text = FeatureSource { name: "text".into(), path };
        fault(&file, &LoadOptions { features: vec![text], ..LoadOptions::default() })
    };
    for (id, width) in [("a", 2), ("b", 3)] {
        let features = Features::new(1, width, vec![1.0; width]).expect("finite");
        write_npy(&dir.path().join(format!("ducho/{id}.npy")), &features).expect("write");
    }
    says(&with(dir.path().join("ducho")), &["ducho", "item \"b\"", "3 values, expected 2"]);
    features(&dir, "order.npy", 3);
    says(&with(dir.path().join("order.npy")), &["order.npy", "which row is whose", "item_list.txt"]);
    says(&with(dir.path().join("none.txt")), &["none.txt", "npy, npz, safetensors, parquet, csv, tsv"]);
    features(&dir, "text_feat.npy", 3);
    says(&with(fixture("ids_text.npz")), &["features of text twice", "text_feat.npy", "ids_text.npz"]);
}

/// A LATTICE data set in which users meet these items, by number.
fn numbered(dir: &TempDir, items: std::ops::RangeInclusive<u32>) {
    let list: Vec<u32> = items.collect();
    let (first, rest) = list.split_first().expect("items");
    put(dir, "train.json", format!("{{\"0\": {rest:?}}}"));
    put(dir, "val.json", format!("{{\"0\": [{first}]}}"));
    put(dir, "test.json", "{}");
}

#[test]
fn items_that_seem_to_be_numbered_from_1_are_not_joined_one_row_off() {
    let dir = dir();
    numbered(&dir, 1..=5);
    for rows in [5, 6] {
        features(&dir, "text_feat.npy", rows);
        says(
            &fault(dir.path(), &LoadOptions::default()),
            &["numbered from 1", "text_feat_ids.json", "item_list.txt"],
        );
    }
    // Both ways out; a byte order mark makes no difference.
    put(&dir, "text_feat_ids.json", "\u{feff}[0, 1, 2, 3, 4, 5]");
    assert_eq!(open(dir.path(), &LoadOptions::default()).data.modalities[0].features.row(1)[..], [1.0, 10.0]);
    fs::remove_file(dir.path().join("text_feat_ids.json")).expect("removed");
    put(&dir, "item_list.txt", (0..6).map(|n| format!("i{n}\t{n}\n")).collect::<String>());
    assert_eq!(open(dir.path(), &LoadOptions::default()).data.n_items(), 6);
    fs::remove_file(dir.path().join("item_list.txt")).expect("removed");
    // Ids from 1 for items from 0.
    numbered(&dir, 0..=4);
    features(&dir, "text_feat.npy", 5);
    put(&dir, "text_feat_ids.json", "[1, 2, 3, 4, 5]");
    says(&fault(dir.path(), &LoadOptions::default()), &["rows are called 1 to 5", "numbered from 0"]);
    // More rows than items occur: the layout says which row is whose.
    fs::remove_file(dir.path().join("text_feat_ids.json")).expect("removed");
    features(&dir, "text_feat.npy", 9);
    assert_eq!(open(dir.path(), &LoadOptions::default()).data.n_items(), 9);
}

#[test]
fn ids_within_features_and_beside_them_must_agree() {
    let dir = dir();
    let file = put(&dir, "abc.csv", ABC);
    fs::copy(fixture("ids_bytes_f16_columns.npz"), dir.path().join("text_feat.npz")).expect("copied");
    let whole = open(&file, &LoadOptions::default()).data.fingerprint();
    put(&dir, "text_feat_ids.json", "[\"c\", \"a\", \"b\"]");
    assert_eq!(open(&file, &LoadOptions::default()).data.fingerprint(), whole);
    put(&dir, "text_feat_ids.json", "[\"a\", \"b\", \"c\"]");
    says(&fault(&file, &LoadOptions::default()), &["text_feat_ids.json", "not those within the features"]);
}

#[test]
fn endings_in_capitals_are_endings() {
    let dir = dir();
    let file = put(&dir, "abc.csv", ABC);
    fs::copy(fixture("ids_bytes_f16_columns.npz"), dir.path().join("text_feat.NPZ")).expect("copied");
    features(&dir, "image_feat.Npy", 3);
    put(&dir, "image_feat_ids.json", "[\"a\", \"b\", \"c\"]");
    let loaded = open(&file, &LoadOptions::default());
    let names: Vec<&str> = loaded.data.modalities.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["image", "text"]);
}

#[test]
fn a_table_of_items_whose_first_line_is_data_is_read_by_the_names_that_are_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("movies.dat");
    fs::write(&file, "1::Toy Story (1995)::Animation|Comedy\n2::Jumanji (1995)::Adventure\n")
        .expect("written");
    let text = |names: &[&str]| {
        let names = names.iter().map(ToString::to_string).collect();
        TextOptions { names, ..TextOptions::default() }
    };
    let told = text(&["item_id", "title", "genres"]);
    let rows = read_item_rows(&file, None, &told, &mut Vec::new()).expect("a sound table");
    let titles: Vec<_> = rows.iter().map(|(id, row)| (id.as_str(), row["title"].as_str())).collect();
    assert_eq!(titles, [("1", Some("Toy Story (1995)")), ("2", Some("Jumanji (1995)"))]);
    let mut read = Vec::new();
    let cells =
        Cells { columns: vec!["title".into(), "genres".into()], text: told.clone(), ..Cells::default() };
    read_cells(&file, &cells, &mut |id, text| {
        read.push(format!("{id} {text}"));
        Ok(())
    })
    .expect("a sound table");
    assert_eq!(read, ["1 Toy Story (1995) Animation|Comedy", "2 Jumanji (1995) Adventure"]);
    // Too few names, a file that has names of its own, and a table without them.
    let fault = |file: &Path, told: &TextOptions| {
        read_item_rows(file, None, told, &mut Vec::new()).expect_err("refused").to_string()
    };
    let few = fault(&file, &text(&["item_id", "title"]));
    assert!(few.contains("line 1: expected 2 columns, as there are names, found 3"), "{few}");
    assert!(fault(&file, &TextOptions::default()).contains("--item-names"));
    let lines = dir.path().join("movies.jsonl");
    fs::write(&lines, "{\"id\": \"1\", \"title\": \"a\"}\n").expect("written");
    assert!(fault(&lines, &told).contains("names them itself"));
    // Names that the first line has as well are no row.
    fs::write(&file, "item_id::title::genres\n1::a::b\n").expect("written");
    assert_eq!(read_item_rows(&file, None, &told, &mut Vec::new()).expect("sound").len(), 1);
}
