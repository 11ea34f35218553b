//! Files that a run is read from.
#![no_main]
use equipoise_data::Vocabulary;
use equipoise_fuzz::{chosen, with_place};
use equipoise_recommend::{ItemInfos, ServingSettings};
use equipoise_train::events::read_epochs;
use equipoise_train::{FinalTables, Run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let files = [
        "tables.safetensors",
        "vocabulary.json",
        "metrics.json",
        "events.jsonl",
        "serving.json",
        "items.jsonl",
        "config.toml",
    ];
    let Some((file, _, rest)) = chosen(data, &files) else { return };
    with_place(|place| {
        place.write("run/config.toml", b"seed = 1\n");
        place.write("run/metrics.json", b"{}");
        let path = place.write(&format!("run/{file}"), rest);
        place.settle();
        match file {
            "tables.safetensors" => drop(FinalTables::read(&path)),
            "vocabulary.json" => drop(Vocabulary::read(&path)),
            "events.jsonl" => drop(read_epochs(&path)),
            "serving.json" => drop(ServingSettings::read(&path)),
            "items.jsonl" => {
                let ids = Vocabulary::new(vec!["u".into()].into(), vec!["a".into(), "b".into()].into())
                    .expect("distinct");
                drop(ItemInfos::read(&path, &ids));
            }
            _ => {
                if let Ok(run) = Run::open(&place.path("run")) {
                    drop((run.config(), run.report()));
                }
            }
        }
    });
});
