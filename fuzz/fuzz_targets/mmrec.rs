//! Files of MMRec.
#![no_main]
use equipoise_fuzz::{chosen, npy, with_place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((file, selector, rest)) = chosen(data, &["x.inter", "i_id_mapping.csv", "u_id_mapping.csv"])
    else {
        return;
    };
    with_place(|place| {
        place.write("set/x.inter", b"userID\titemID\tx_label\n0\t0\t0\n0\t1\t1\n0\t2\t2\n1\t3\t0\n");
        place.write("set/text_feat.npy", &npy(4, 2));
        place.write(&format!("set/{file}"), rest);
        place.read(selector & 4, rest);
    });
});
