//! The layout `equipoise`: one of its files is replaced.
#![no_main]
use equipoise_fuzz::{options, with_empty_place, with_place};
use equipoise_import::{ConvertOptions, Target, convert};
use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;
use std::sync::LazyLock;

static SET: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let mut files = Vec::new();
    with_empty_place(|place| {
        let out = place.path("native");
        let how = ConvertOptions::default();
        convert(&place.lattice(), &options(0), Target::Equipoise, &out, &how).expect("a sound data set");
        let mut dirs = vec![out.clone()];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(&dir).expect("listing").flatten() {
                match entry.path() {
                    path if path.is_dir() => dirs.push(path),
                    path => files.push((
                        path.strip_prefix(&out).expect("below").to_owned(),
                        std::fs::read(&path).expect("a file"),
                    )),
                }
            }
        }
    });
    files.sort();
    files
});

fuzz_target!(|data: &[u8]| {
    let files = &*SET;
    let Some((&which, rest)) = data.split_first() else { return };
    with_place(|place| {
        for (k, (name, bytes)) in files.iter().enumerate() {
            let replaced = k == which as usize % files.len();
            place.write(&format!("set/{}", name.display()), if replaced { rest } else { bytes });
        }
        place.read(0, rest);
    });
});
