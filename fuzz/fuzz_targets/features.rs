//! Files of features.
#![no_main]
use equipoise_fuzz::{chosen, with_place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((ending, selector, rest)) = chosen(data, &["npy", "npz", "safetensors", "parquet", "csv"])
    else {
        return;
    };
    with_place(|place| {
        place.splits();
        place.write(&format!("set/text_feat.{ending}"), rest);
        place.read(selector & 4, rest);
    });
});
