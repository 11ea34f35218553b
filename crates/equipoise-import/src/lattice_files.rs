//! The files of the LATTICE layout that every import writes: splits and lists of raw ids.

use std::path::Path;

use equipoise_data::{DataError, Holdout};

use crate::stream::Stream;

/// Writes `5-core/{train,val,test}.json`.
pub(crate) fn write_splits(dir: &Path, parts: &[Holdout]) -> Result<(), DataError> {
    let core = dir.join("5-core");
    split(&core.join("train.json"), parts, |p| &p.train)?;
    split(&core.join("val.json"), parts, |p| &p.validation)?;
    split(&core.join("test.json"), parts, |p| &p.test)
}

/// `{"<user>": [item, ...], ...}` with every user.
fn split(file: &Path, parts: &[Holdout], part: fn(&Holdout) -> &Vec<u32>) -> Result<(), DataError> {
    let mut out = Stream::create(file.to_owned())?;
    for (user, parts) in parts.iter().enumerate() {
        let before = if user == 0 { "{" } else { ",\n" };
        let items: Vec<String> = part(parts).iter().map(u32::to_string).collect();
        out.write(format!("{before}\"{user}\": [{}]", items.join(", ")).as_bytes())?;
    }
    out.write(b"}\n")?;
    out.finish()
}

/// Writes `raw id <tab> index` for each name.
pub(crate) fn write_ids(file: &Path, names: impl Iterator<Item = impl AsRef<str>>) -> Result<(), DataError> {
    let mut out = Stream::create(file.to_owned())?;
    for (index, name) in names.enumerate() {
        out.write(format!("{}\t{index}\n", name.as_ref()).as_bytes())?;
    }
    out.finish()
}

/// The lines of a list of raw ids, `raw id <tab> index`, under a line that names the columns: without that line a
/// first raw id could be taken for one.
pub(crate) fn numbered<'a>(ids: impl Iterator<Item = &'a str> + 'a) -> impl Iterator<Item = String> + 'a {
    let rows = ids.enumerate().map(|(index, id)| format!("{id}\t{index}"));
    std::iter::once("raw_id\tindex".to_owned()).chain(rows)
}
