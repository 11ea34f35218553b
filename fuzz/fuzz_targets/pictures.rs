//! Pictures of items, through the built-in encoder.
#![no_main]
use equipoise_encode::{ImageRequest, encode_images};
use equipoise_fuzz::{chosen, with_empty_place};
use equipoise_jobs::Silent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((ending, _, rest)) = chosen(data, &["png", "jpg", "webp", "gif"]) else { return };
    with_empty_place(|place| {
        let set = place.lattice();
        place.write(&format!("pictures/0.{ending}"), rest);
        let request = ImageRequest {
            data: set,
            images: place.path("pictures"),
            model: "builtin".into(),
            name: "picture".into(),
            ..ImageRequest::default()
        };
        drop(encode_images(&request, &mut Silent));
    });
});
