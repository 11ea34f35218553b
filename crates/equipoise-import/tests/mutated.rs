//! Files made to do harm: every reader ends in data or in an error that names a file and a place, without a panic
//! and without taking memory that the file does not justify.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use equipoise_data::formats::write_npy;
use equipoise_data::{Features, LoadOptions, SplitRule, check, load};
use equipoise_import::synthetic::{DemoConfig, write_demo};
use equipoise_import::{ConvertOptions, Target, convert};
use proptest::prelude::*;
use tempfile::TempDir;

/// Notes the largest single request.
struct Watched;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// No file of these data sets is larger than a few kilobytes.
const MOST_BYTES: usize = 64 << 20;

struct Sources {
    _dir: TempDir,
    /// Each layout's directory, with the options that it needs.
    layouts: Vec<(PathBuf, LoadOptions)>,
}

/// A small data set in every layout and every kind of features.
fn sources() -> &'static Sources {
    static SOURCES: OnceLock<Sources> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let root = dir.path().to_owned();
        let demo = root.join("demo");
        write_demo(&demo, &DemoConfig { users: 20, items: 40, seed: 1 }).expect("write");
        let plain = LoadOptions::default();
        let mut layouts = Vec::new();
        for target in [Target::Equipoise, Target::Lattice, Target::Mmrec, Target::Recbole] {
            let out = root.join(target.name());
            convert(&demo, &plain, target, &out, &ConvertOptions::default()).expect("convert");
            layouts.push((out, plain.clone()));
        }
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../equipoise-data/tests/fixtures");
        let copy = |from: &str, to: &Path| fs::copy(fixtures.join(from), to).map(|_| ()).expect("copy");

        let matrices = root.join("matrices");
        fs::create_dir(&matrices).expect("create");
        copy("csr.npz", &matrices.join("trnMat.npz"));
        copy("csc_f32_plain.npz", &matrices.join("valMat.npz"));
        copy("coo_i64.npz", &matrices.join("tstMat.npz"));
        write_npy(&matrices.join("text_feat.npy"), &Features::new(5, 1, vec![0.5; 5]).expect("finite"))
            .expect("write");
        layouts.push((matrices, plain.clone()));

        let split = LoadOptions { split: Some(SplitRule::LeaveOneOut), ..plain.clone() };
        let table = root.join("table");
        fs::create_dir(&table).expect("create");
        let rows: String =
            (0..30).map(|n| format!("{},{},5.0,{n}\n", n % 4, ["b", "c", "x"][n % 3])).collect();
        fs::write(table.join("interactions.csv"), format!("user,item,rating,timestamp\n{rows}"))
            .expect("write");
        copy("ids_text.npz", &table.join("text_feat.npz"));
        copy("ids_bytes_f16_columns.npz", &table.join("image_feat.npz"));
        let tensor = [1f32, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2], &tensor)
            .expect("two floats");
        let bytes = safetensors::serialize([("b", &view), ("c", &view)], None).expect("memory");
        fs::write(table.join("sound_feat.safetensors"), bytes).expect("write");
        layouts.push((table, split.clone()));

        // The interactions of the own layout, without the manifest that would notice any change.
        let parquet = root.join("parquet");
        fs::create_dir(&parquet).expect("create");
        fs::copy(root.join("equipoise/interactions.parquet"), parquet.join("interactions.parquet"))
            .expect("copy");
        fs::copy(demo.join("text_feat.npy"), parquet.join("text_feat.npy")).expect("copy");
        layouts.push((parquet, plain));
        Sources { _dir: dir, layouts }
    })
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("list") {
        let path = entry.expect("entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A copy of `from`, of which one file is changed.
fn copy(from: &Path, to: &Path, victim: usize, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> PathBuf {
    let all = files(from);
    let victim = &all[victim % all.len()];
    for file in &all {
        let place = to.join(file.strip_prefix(from).expect("inside"));
        fs::create_dir_all(place.parent().expect("inside")).expect("create");
        fs::copy(file, &place).expect("copy");
    }
    let place = to.join(victim.strip_prefix(from).expect("inside"));
    let bytes = change(fs::read(victim).expect("read"));
    fs::write(&place, bytes).expect("write");
    place
}

#[derive(Clone, Debug)]
enum Change {
    Byte(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    Large(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let place = 0usize..10_000;
    let one = prop_oneof![
        4 => (place.clone(), any::<u8>()).prop_map(|(p, b)| Change::Byte(p, b)),
        1 => place.clone().prop_map(Change::Cut),
        1 => (place.clone(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(p, b)| Change::Insert(p, b)),
        1 => (place.clone(), 1usize..20).prop_map(|(p, n)| Change::Remove(p, n)),
        // What lengths look like when they lie.
        2 => place.prop_map(Change::Large),
    ];
    prop::collection::vec(one, 1..4)
}

fn apply(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len().max(1);
        match change {
            Change::Byte(p, b) => bytes.iter_mut().skip(p % length).take(1).for_each(|old| *old = *b),
            Change::Cut(p) => bytes.truncate(p % length),
            Change::Insert(p, new) => {
                let at = (p % length).min(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Change::Remove(p, n) => {
                let at = (p % length).min(bytes.len());
                let end = (at + n).min(bytes.len());
                bytes.drain(at..end);
            }
            Change::Large(p) => bytes.iter_mut().skip(p % length).take(4).for_each(|old| *old = 0xff),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_file_gives_data_or_an_error_with_a_place(
        layout in 0usize..7, victim in 0usize..12, changes in changes()
    ) {
        let (from, options) = &sources().layouts[layout];
        let dir = tempfile::tempdir().expect("a temporary directory");
        let to = dir.path().join("data");
        let changed = copy(from, &to, victim, |bytes| apply(bytes, &changes));
        LARGEST.store(0, Ordering::Relaxed);
        let loaded = load(&to, options);
        let report = check(&to, options);
        let largest = LARGEST.load(Ordering::Relaxed);
        prop_assert!(largest < MOST_BYTES, "{largest} bytes at once for {}", changed.display());
        match loaded {
            Err(error) => {
                let message = error.to_string();
                prop_assert!(report.faults.contains(&message) || !report.faults.is_empty(), "{message}\n{report}");
                // A file, or users and items that contradict each other.
                let named = message.contains(to.to_str().expect("UTF-8")) || message.starts_with("user ");
                prop_assert!(named, "{message}");
            }
            Ok(loaded) => prop_assert!(loaded.data.n_users() <= 2_000_000),
        }
    }
}
