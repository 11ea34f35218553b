//! Tables of texts of items.
#![no_main]
use equipoise_data::formats::{Cells, read_cells};
use equipoise_fuzz::{chosen, with_place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let endings = ["csv", "tsv", "jsonl", "json", "parquet", "csv.gz", "jsonl.gz"];
    let Some((ending, selector, rest)) = chosen(data, &endings) else { return };
    with_place(|place| {
        let path = place.write(&format!("texts.{ending}"), rest);
        place.settle();
        let columns = if selector & 1 == 0 { Vec::new() } else { vec!["title".to_owned()] };
        let cells = Cells { id: (selector & 2 != 0).then(|| "id".to_owned()), columns, ..Cells::default() };
        drop(read_cells(&path, &cells, &mut |_, _| Ok(())));
    });
});
