//! Sounds of items, through the built-in encoder.
#![no_main]
use equipoise_encode::{AudioRequest, encode_audio};
use equipoise_fuzz::{chosen, with_empty_place};
use equipoise_jobs::Silent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((ending, _, rest)) = chosen(data, &["wav", "flac", "mp3", "ogg", "m4a", "aac", "aiff"]) else {
        return;
    };
    with_empty_place(|place| {
        let set = place.lattice();
        place.write(&format!("sounds/0.{ending}"), rest);
        let request = AudioRequest {
            data: set,
            audio: place.path("sounds"),
            name: "sound".into(),
            seconds: Some(2),
            ..AudioRequest::default()
        };
        drop(encode_audio(&request, &mut Silent));
    });
});
