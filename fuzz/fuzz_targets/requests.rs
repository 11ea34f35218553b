//! Requests as JSON.
#![no_main]
use equipoise_recommend::RecommendRequest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    drop(serde_json::from_slice::<RecommendRequest>(data));
});
