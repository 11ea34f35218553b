//! Amazon's reviews and metadata.
#![no_main]
use equipoise_fuzz::with_empty_place;
use equipoise_import::{AmazonConfig, import_amazon};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let cut = rest.len() * usize::from(first) / 255;
    with_empty_place(|place| {
        let reviews = place.write("reviews.json", &rest[..cut]);
        let meta = (first & 1 == 0).then(|| place.write("meta.json", &rest[cut..]));
        let config = AmazonConfig { reviews, meta, core: 1, ..AmazonConfig::default() };
        drop(import_amazon(&config, &place.path("out"), false, &mut |_| {}));
    });
});
