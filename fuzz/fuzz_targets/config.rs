//! Configurations of training.
#![no_main]
use equipoise_fuzz::with_place;
use equipoise_train::config::Layers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    with_place(|place| {
        let path = place.write("config.toml", data);
        if let Ok(layers) = Layers::new().file(&path) {
            drop(layers.resolve());
        }
    });
});
