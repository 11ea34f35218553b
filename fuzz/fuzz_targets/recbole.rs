//! RecBole's atomic files.
#![no_main]
use equipoise_fuzz::{chosen, npy, with_place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((file, selector, rest)) = chosen(data, &["set.inter", "set.item", "set.user"]) else { return };
    with_place(|place| {
        place.write("set/set.inter", b"user_id:token\titem_id:token\trating:float\na\tx\t4\nb\ty\t5\n");
        place.write("set/text_feat.npy", &npy(2, 2));
        place.write(&format!("set/{file}"), rest);
        place.read(selector, rest);
    });
});
