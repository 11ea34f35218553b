//! JSON of the LATTICE layout: splits and lists of ids.
#![no_main]
use equipoise_fuzz::{chosen, with_place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let files = [
        "5-core/train.json",
        "5-core/val.json",
        "5-core/item_list.txt",
        "5-core/categories.json",
        "text_missing.json",
        "text_feat_ids.json",
    ];
    let Some((file, selector, rest)) = chosen(data, &files) else { return };
    with_place(|place| {
        place.lattice();
        place.write(&format!("set/{file}"), rest);
        place.read(selector & 4, rest);
    });
});
