//! Public data sets, if the environment variable EQUIPOISE_DATA names a directory of them.

use std::path::PathBuf;

use equipoise_data::{LoadOptions, check, load};

fn data_set(name: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("EQUIPOISE_DATA") else {
        eprintln!("skipped: EQUIPOISE_DATA is not set");
        return None;
    };
    let path = PathBuf::from(root).join(name);
    if !path.is_dir() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn baby_has_its_published_size() {
    let Some(path) = data_set("baby") else { return };
    let loaded = load(&path, &LoadOptions::default()).expect("a sound data set");
    let data = &loaded.data;
    assert_eq!((data.n_users(), data.n_items()), (19_445, 7_050));
    let sizes = (data.train.len(), data.validation.len(), loaded.test.open().len());
    assert_eq!(sizes, (119_674, 20_559, 20_559));
    assert_eq!(data.train.users_with_items().len(), 19_445);
    let widths: Vec<_> = data.modalities.iter().map(|m| (m.name.as_str(), m.features.width())).collect();
    assert_eq!(widths, [("image", 256), ("text", 256)]);
}

#[test]
fn tiktok_has_users_and_items_unknown_to_train() {
    let Some(path) = data_set("tiktok") else { return };
    let loaded = load(&path, &LoadOptions::default()).expect("a sound data set");
    let data = &loaded.data;
    assert_eq!((data.n_users(), data.n_items()), (9_308, 6_710));
    let sizes = (data.train.len(), data.validation.len(), loaded.test.open().len());
    assert_eq!(sizes, (59_541, 3_051, 6_130));
    assert_eq!(data.n_users() - data.train.users_with_items().len(), 10);
    assert!(data.notes.iter().any(|n| n.contains("skipped in training: 10;")));
}

#[test]
fn the_reports_agree_with_what_is_loaded() {
    for name in ["baby", "tiktok"] {
        let Some(path) = data_set(name) else { return };
        let report = check(&path, &LoadOptions::default());
        assert!(report.faults.is_empty(), "{report}");
        let data = load(&path, &LoadOptions::default()).expect("a sound data set").data;
        assert_eq!((report.users, report.items), (data.n_users(), data.n_items()));
        assert_eq!(report.notes, data.notes);
        eprintln!("{report}");
    }
}
