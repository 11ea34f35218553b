//! Interactions as sparse matrices.
#![no_main]
use equipoise_fuzz::{npy, with_place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&selector, rest)) = data.split_first() else { return };
    with_place(|place| {
        for name in ["train.npz", "val.npz", "test.npz"] {
            place.write(&format!("set/{name}"), rest);
        }
        place.write("set/text_feat.npy", &npy(4, 2));
        place.read(selector & 4, rest);
    });
});
