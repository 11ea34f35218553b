//! The demo is what its description says.

use equipoise_data::{Features, LoadOptions, Loaded, load};

use super::*;

fn demo(config: &DemoConfig) -> (tempfile::TempDir, Loaded) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_demo(dir.path(), config).expect("a fresh directory");
    let loaded = load(dir.path(), &LoadOptions::default()).expect("a sound data set");
    (dir, loaded)
}

/// Recall@20 on validation, for every fourth user, of items ranked by cosine to the mean of the
/// user's train rows.
fn content_recall(loaded: &Loaded, features: &Features) -> f64 {
    let (train, held) = (&loaded.data.train, &loaded.data.validation);
    let users: Vec<u32> = held.users_with_items().into_iter().step_by(4).collect();
    let recall = |&user: &u32| {
        let mut centre = vec![0f32; features.width()];
        for &item in train.items_of(user) {
            let row = features.row(item as usize);
            centre.iter_mut().zip(&*row).for_each(|(c, v)| *c += v);
        }
        let cosine = |i: usize| {
            let row = features.row(i);
            let dot: f32 = row.iter().zip(&centre).map(|(a, b)| a * b).sum();
            dot / row.iter().map(|v| v * v).sum::<f32>().sqrt()
        };
        let mut ranked: Vec<(f32, u32)> = (0..train.n_items() as u32)
            .filter(|&i| !train.contains(user, i))
            .map(|i| (cosine(i as usize), i))
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let hits = ranked[..20].iter().filter(|(_, i)| held.contains(user, *i)).count();
        hits as f64 / held.items_of(user).len() as f64
    };
    users.iter().map(recall).sum::<f64>() / users.len() as f64
}

#[test]
fn text_beats_image_and_audio_is_chance() {
    let (_dir, loaded) = demo(&DemoConfig::default());
    let recall = |name: &str| {
        let modality = loaded.data.modality(name).expect("a demo modality");
        content_recall(&loaded, &modality.features)
    };
    let (text, image, audio) = (recall("text"), recall("image"), recall("audio"));
    eprintln!("recall@20: text {text:.4}, image {image:.4}, audio {audio:.4}");
    // 20 of about 988 candidates; 500 users put the standard error near 0.006.
    let chance = 20.0 / 988.0;
    assert!((audio - chance).abs() < 0.02, "audio {audio} is not chance {chance}");
    assert!(image > 1.5 * audio, "image {image}, audio {audio}");
    assert!(text > 1.4 * image, "text {text}, image {image}");
}

#[test]
fn a_seed_gives_the_same_bytes_on_every_machine() {
    let config = DemoConfig { users: 50, items: 60, seed: 11 };
    let (_a, first) = demo(&config);
    let (_b, second) = demo(&config);
    assert_eq!(first.data.fingerprint(), second.data.fingerprint());
    assert_eq!(first.data.fingerprint(), GOLDEN);
    let (_c, other) = demo(&DemoConfig { seed: 12, ..config });
    assert_ne!(first.data.fingerprint(), other.data.fingerprint());
}

const GOLDEN: &str = "96ab136d3390012e61b56597d5e10512b05960e922ff000ef31077ef574f3f98";

/// Categories come from a stream of their own: without them the rest is what it would be had there never been any.
#[test]
fn categories_change_nothing_else() {
    let (dir, loaded) = demo(&DemoConfig { users: 50, items: 60, seed: 11 });
    assert!(loaded.data.categories.is_some());
    std::fs::remove_file(dir.path().join("5-core/categories.json")).expect("written");
    let data = load(dir.path(), &LoadOptions::default()).expect("a sound data set").data;
    assert_eq!(data.categories, None);
    assert_eq!(data.fingerprint(), GOLDEN_WITHOUT_CATEGORIES);
}

const GOLDEN_WITHOUT_CATEGORIES: &str = "76dbd4f2a331ba4431c6d98a56637ea9ca33aaba03fb335300e4d7249a85b640";

#[test]
fn most_items_stand_on_a_shelf_of_a_department() {
    let config = DemoConfig::default();
    let (_dir, loaded) = demo(&config);
    let categories = loaded.data.categories.expect("the demo has them");
    let known = categories.paths().iter().filter(|path| !path.is_empty()).count();
    assert!((900..1000).contains(&known), "{known} of {} items have a category", config.items);
    let (labels, of_items) = categories.resolve(10);
    assert!((15..=25).contains(&labels.len()), "{labels:?}");
    assert_eq!(labels[0], "none");
    let world = World::new(&config);
    let pairs = world.clusters.iter().zip(&of_items).filter(|(_, category)| **category > 0);
    let shelves: BTreeMap<usize, u32> =
        pairs.clone().map(|(cluster, category)| (*cluster, *category)).collect();
    assert!(
        pairs.into_iter().all(|(cluster, category)| shelves[cluster] == *category),
        "a cluster is on one shelf"
    );
}

#[test]
fn the_demo_is_as_described() {
    let (dir, loaded) = demo(&DemoConfig { users: 300, items: 100, seed: 1 });
    let data = &loaded.data;
    assert_eq!((data.n_users(), data.n_items()), (300, 100));
    assert_eq!(data.vocabulary.user("user-0299"), Some(299));
    let widths = ["text", "image", "audio"].map(|m| data.modality(m).map(|m| m.features.width()));
    assert_eq!(widths, [Some(64), Some(96), Some(48)]);
    for user in 0..300 {
        let parts = [&data.train, &data.validation, loaded.test.open()];
        let n: usize = parts.iter().map(|p| p.items_of(user).len()).sum();
        assert!((5..=9).contains(&n), "user {user} has {n} items");
    }
    let about = std::fs::read_to_string(dir.path().join("demo.toml")).expect("written");
    assert!(about.contains("name = \"audio\"\nstrength = \"noise\""), "{about}");
}

#[test]
fn a_directory_with_other_data_is_left_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("thesis.txt"), "precious").expect("write");
    let refused = write_demo(dir.path(), &DemoConfig::default());
    assert!(matches!(refused, Err(DataError::Exists { .. })));
    assert_eq!(std::fs::read_dir(dir.path()).expect("listing").count(), 1);
}

#[test]
fn a_demo_is_replaced_and_what_was_added_to_it_stays() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let demo = |users| write_demo(dir.path(), &DemoConfig { users, items: 50, ..DemoConfig::default() });
    demo(60).expect("a fresh directory");
    std::fs::write(dir.path().join("video_feat.npy"), "mine").expect("write");
    demo(70).expect("a demo");
    let about = std::fs::read_to_string(dir.path().join("demo.toml")).expect("written");
    assert!(about.contains("users = 70"), "{about}");
    assert_eq!(std::fs::read_to_string(dir.path().join("video_feat.npy")).expect("kept"), "mine");
}

#[test]
fn sizes_out_of_range_are_refused() {
    let config = DemoConfig { items: 10, ..DemoConfig::default() };
    let refused = write_demo(Path::new("never-written"), &config);
    let message = refused.expect_err("too few items").to_string();
    assert!(message.contains("items is 10, expected 40 to 1000000"), "{message}");
}
