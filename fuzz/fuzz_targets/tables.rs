//! Tables of interactions, as text, JSON and Parquet.
#![no_main]
use equipoise_fuzz::{chosen, npy, with_place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let endings = ["csv", "tsv", "parquet", "csv.gz", "jsonl"];
    let Some((ending, selector, rest)) = chosen(data, &endings) else { return };
    with_place(|place| {
        place.write(&format!("set/interactions.{ending}"), rest);
        place.write("set/text_feat.npy", &npy(4, 2));
        place.read(selector, rest);
    });
});
