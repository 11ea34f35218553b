//! Interactions as sparse matrices.
#![no_main]
use equipoise_fuzz::{chosen, npy, with_place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((file, selector, rest)) = chosen(data, &["train.npz", "val.npz", "test.npz"]) else { return };
    with_place(|place| {
        for name in ["train.npz", "val.npz", "test.npz"] {
            place.write(&format!("set/{name}"), rest);
        }
        place.write(&format!("set/{file}"), rest);
        place.write("set/text_feat.npy", &npy(4, 2));
        place.read(&place.path("set"), selector & 4);
    });
});
