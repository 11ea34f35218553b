//! New items from their features alone.

use crate::common;

use common::Trained;
use equipoise_data::formats::{row_ids_file, write_npy};
use equipoise_data::{FeatureScale, FeatureSource, Features, MissingFill};
use equipoise_models::Ablation;
use equipoise_recommend::{
    AddItems, AddedReport, BlockMapKind, ExportOptions, NewItem, NewItemsMade, RecommendError,
    RecommendRequest, ServedModel, ServingOptions, TARGETS, add_items, export, prepare, prepare_new_items,
};
use std::path::PathBuf;

/// Copies of items of the training under new ids, with their own features, and what became of them.
struct Copies {
    of: Vec<u32>,
    request: AddItems,
}

impl Copies {
    fn new(trained: &Trained, of: &[u32]) -> Copies {
        let dir = trained.dir.path().join("new");
        std::fs::create_dir_all(&dir).unwrap();
        let ids: Vec<String> = of.iter().map(|item| format!("copy of {item}")).collect();
        let source = |modality: &equipoise_data::Modality| {
            let path = dir.join(format!("{}_feat.npy", modality.name));
            let rows: Vec<f32> =
                of.iter().flat_map(|&i| modality.features.row(i as usize).into_owned()).collect();
            write_npy(&path, &Features::new(of.len(), modality.features.width(), rows).unwrap()).unwrap();
            std::fs::write(row_ids_file(&path), serde_json::to_string(&ids).unwrap()).unwrap();
            FeatureSource { name: modality.name.clone(), path }
        };
        let features = trained.loaded.data.modalities.iter().map(source).collect();
        let title = |id: &String| {
            let attributes = [("title".to_owned(), format!("The {id}").into())].into_iter().collect();
            NewItem { id: id.clone(), attributes }
        };
        let items = ids.iter().map(title).collect();
        let request = AddItems {
            model: trained.run(),
            items,
            features,
            out: trained.dir.path().join("grown"),
            overwrite: true,
        };
        Copies { of: of.to_vec(), request }
    }

    fn add(&self) -> (ServedModel, AddedReport) {
        let report = add_items(&self.request).unwrap();
        (ServedModel::open(&self.request.out).unwrap(), report)
    }
}

/// Largest difference of the rows of copies from those of their originals, for each block of the whole model, in units of its largest
/// value.
fn differences(trained: &Trained, model: &ServedModel, copies: &Copies) -> Vec<f32> {
    let first = trained.model.tables().n_items();
    let view = model.tables().view(Ablation::FULL).unwrap();
    let of_block = |block: &equipoise_train::tables::FinalBlock| {
        let row = |item: usize| &block.items()[item * block.width()..][..block.width()];
        let pairs = copies.of.iter().enumerate();
        let pairs = pairs.flat_map(|(k, &item)| row(first + k).iter().zip(row(item as usize)));
        let largest = block.items().iter().fold(0f32, |most, v| most.max(v.abs()));
        pairs.map(|(a, b)| (a - b).abs() / largest).fold(0.0, f32::max)
    };
    view.map(of_block).collect()
}

#[test]
fn an_item_of_the_training_has_its_content_rows_again_at_every_scale() {
    for (backbone, kind) in
        [("vbpr", BlockMapKind::Projection), ("deepstyle", BlockMapKind::ProjectionAndMean)]
    {
        for scale in [FeatureScale::None, FeatureScale::L2, FeatureScale::Standard, FeatureScale::Pca(5)] {
            let trained = Trained::uncategorised(backbone, |config| config.data.scale = scale);
            let copies = Copies::new(&trained, &[0, 7, 33]);
            let (model, report) = copies.add();
            let content = |name: &String| report.placed.blocks[name];
            assert!(model.modalities().iter().all(|name| content(name) == kind), "{backbone}: {report:?}");
            assert_eq!(report.placed.blocks["ids"], BlockMapKind::Mean);
            let found = differences(&trained, &model, &copies);
            if kind == BlockMapKind::Projection {
                assert!(found[1..].iter().all(|d| *d <= 1e-6), "{backbone}, {scale}: {found:?}");
            }
            assert_eq!((report.added, model.tables().n_items()), (3, trained.model.tables().n_items() + 3));
        }
    }
}

#[test]
fn a_category_of_the_training_gives_the_row_of_its_items() {
    let trained = Trained::new("deepstyle");
    let paths = trained.loaded.data.categories.as_ref().unwrap().paths().to_vec();
    let mut copies = Copies::new(&trained, &[1, 2, 3, 4]);
    for (item, &of) in copies.request.items.iter_mut().zip(&copies.of) {
        item.attributes.insert("categories".into(), paths[of as usize].clone().into());
    }
    let (model, report) = copies.add();
    assert_eq!(
        report.placed.blocks[&model.modalities()[0]],
        BlockMapKind::ProjectionAndCategory,
        "{report:?}"
    );
    let found = differences(&trained, &model, &copies);
    assert!(found[1..].iter().all(|d| *d <= 1e-5), "{found:?}");
    assert!(report.notes.is_empty(), "{:?}", report.notes);
    copies.request.items[0].attributes.insert("categories".into(), "of another world".into());
    let (_, report) = copies.add();
    assert!(
        report.notes.iter().any(|note| note.contains("category") && note.ends_with(": 1.")),
        "{report:?}"
    );
}

#[test]
fn a_graph_backbone_places_items_by_a_map_that_beats_chance() {
    for backbone in ["mgcn", "grcn"] {
        let trained = Trained::new(backbone);
        let NewItemsMade::Kept(report) = prepare_new_items(&trained.run()).unwrap() else {
            panic!("the data is there")
        };
        assert!(
            report.blocks.values().any(|kind| *kind == BlockMapKind::Ridge) && report.penalty.is_some(),
            "{report:?}"
        );
        let copies = Copies::new(&trained, &[5, 6]);
        let (model, _) = copies.add();
        let request = RecommendRequest { users: vec![trained.user(0)], n: 92, ..RecommendRequest::default() };
        let list = &model.answer(&request).unwrap().lists[0].items;
        let copy = list.iter().find(|item| item.id == "copy of 5").expect("new items are candidates");
        assert_eq!(copy.title.as_deref(), Some("The copy of 5"));
    }
}

#[test]
fn new_items_are_served_without_the_data_and_more_can_follow() {
    let trained = Trained::new("vbpr");
    prepare(&trained.run(), None, ServingOptions::default()).unwrap();
    for half in [false, true] {
        let served = trained.dir.path().join(format!("served-{half}"));
        let options = ExportOptions { half, ..ExportOptions::default() };
        export(&trained.run(), TARGETS[0], &served, &options).unwrap();
        let hidden = trained.dir.path().join("hidden");
        std::fs::rename(trained.dir.path().join("data"), &hidden).unwrap();
        let mut copies = Copies::new(&trained, &[9, 10]);
        copies.request.model = served.clone();
        let (model, first) = copies.add();
        let found = differences(&trained, &model, &copies);
        assert!(half || found[1..].iter().all(|d| *d <= 1e-6), "{found:?}");
        // Onto the same place, and once more.
        let mut more = Copies::new(&trained, &[11]);
        (more.request.model, more.request.out) = (copies.request.out.clone(), copies.request.out.clone());
        let (again, second) = more.add();
        assert_ne!(first.version, second.version);
        assert_eq!(again.settings().added.as_ref().map(|added| added.items), Some(3));
        assert_eq!(again.tables().precision(), model.tables().precision());
        assert_eq!(again.infos().title(again.item("copy of 9").unwrap()).as_deref(), Some("The copy of 9"));
        std::fs::rename(&hidden, trained.dir.path().join("data")).unwrap();
    }
}

#[test]
fn versions_with_other_items_differ() {
    let trained = Trained::new("vbpr");
    let (_, one) = Copies::new(&trained, &[1]).add();
    let (_, other) = Copies::new(&trained, &[2]).add();
    let (_, same) = Copies::new(&trained, &[1]).add();
    assert_eq!(one.version, same.version);
    assert_ne!(one.version, other.version);
}

#[test]
fn a_missing_modality_is_filled_as_in_training_and_said() {
    for missing in [MissingFill::Mean, MissingFill::Zero] {
        let trained = Trained::with("vbpr", |config| config.data.missing = missing);
        let mut copies = Copies::new(&trained, &[3]);
        copies.request.features.remove(0);
        let (_, report) = copies.add();
        let name = &trained.model.modalities()[0];
        let said = |note: &String| note.contains(name.as_str()) && note.contains(missing.name());
        assert!(report.notes.iter().any(said), "{:?}", report.notes);
    }
}

#[test]
fn what_cannot_be_added_is_one_short_error_and_nothing_is_written() {
    let trained = Trained::new("vbpr");
    let refused = |change: &dyn Fn(&mut AddItems)| -> RecommendError {
        let mut copies = Copies::new(&trained, &[3, 4]);
        copies.request.out = trained.dir.path().join("refused");
        change(&mut copies.request);
        let error = add_items(&copies.request).unwrap_err();
        assert!(!trained.dir.path().join("refused").exists(), "{error}");
        error
    };
    let name = trained.model.modalities()[0].clone();
    let known = trained.item(0);
    let file = |request: &AddItems| -> PathBuf { request.features[0].path.clone() };
    type Change<'a> = Box<dyn Fn(&mut AddItems) + 'a>;
    let cases: Vec<(Change, &str)> = vec![
        (Box::new(|r| r.items.clear()), "none are given"),
        (Box::new(|r| r.items[0].id = known.clone()), "already"),
        (Box::new(|r| r.items[1].id = r.items[0].id.clone()), "twice"),
        (Box::new(|r| r.features.clear()), "none are given"),
        (Box::new(|r| r.features[0].name = "sound".into()), "sound"),
        (Box::new(|r| r.features[1] = r.features[0].clone()), "twice"),
        (
            Box::new(|r| write_npy(&file(r), &Features::new(2, 1, vec![1.0, 2.0]).unwrap()).unwrap()),
            "columns, expected",
        ),
        (Box::new(|r| std::fs::write(row_ids_file(&file(r)), "[\"x\", \"y\"]").unwrap()), "\"x\""),
        (Box::new(|r| std::fs::remove_file(file(r)).unwrap()), "_feat.npy"),
    ];
    for (change, says) in cases {
        let error = refused(&*change);
        assert!(error.is_input() && error.to_string().contains(says), "{says}: {error}");
        assert!(error.to_string().len() < 600, "{error}");
    }
    let error = refused(&|request| {
        let path = file(request);
        let width = trained.loaded.data.modalities.iter().find(|m| m.name == name).unwrap().features.width();
        let mut bytes = std::fs::read(&path).unwrap();
        let end = bytes.len() - 4 * width;
        bytes[end..end + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
    });
    assert!(error.is_input() && error.to_string().contains("NaN"), "{error}");
}

#[test]
fn a_model_that_reads_no_content_or_has_lost_its_data_says_so() {
    let trained = Trained::new("lightgcn");
    let copies = Copies::new(&trained, &[1]);
    let error = add_items(&copies.request).unwrap_err();
    assert!(error.is_input() && error.to_string().contains("reads no features"), "{error}");
    let trained = Trained::new("vbpr");
    let copies = Copies::new(&trained, &[1]);
    std::fs::remove_dir_all(trained.dir.path().join("data")).unwrap();
    let error = add_items(&copies.request).unwrap_err();
    assert!(error.is_input() && error.to_string().contains("is not there"), "{error}");
    assert!(matches!(prepare_new_items(&trained.run()).unwrap(), NewItemsMade::Missing(_)));
}

#[test]
fn what_a_run_keeps_for_new_items_is_made_again_after_another_training() {
    let trained = Trained::new("vbpr");
    prepare_new_items(&trained.run()).unwrap();
    let kept = trained.run().join("new_items.safetensors");
    let before = std::fs::read(&kept).unwrap();
    let other = Trained::with("vbpr", |config| config.train.epochs = 2);
    std::fs::write(other.run().join("new_items.safetensors"), &before).unwrap();
    let copies = Copies::new(&other, &[8]);
    let (model, _) = copies.add();
    let found = differences(&other, &model, &copies);
    assert!(found[1..].iter().all(|d| *d <= 1e-6), "maps of other tables were used: {found:?}");
    let mut damaged = before.clone();
    damaged[20] ^= 1;
    std::fs::write(&kept, damaged).unwrap();
    let error = add_items(&Copies::new(&trained, &[8]).request).unwrap_err();
    assert!(error.is_input() && error.to_string().contains("new_items.safetensors"), "{error}");
}
