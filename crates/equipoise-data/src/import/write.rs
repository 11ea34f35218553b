//! Splits, id lists and the report as files of the LATTICE layout.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::pool::Pool;
use super::report::REPORT;
use super::texts::Stream;
use crate::error::DataError;
use crate::split::Holdout;

/// Writes `5-core/{train,val,test}.json` and the lists of raw ids.
pub(crate) fn interactions(dir: &Path, pool: &Pool, parts: &[Holdout]) -> Result<(), DataError> {
    splits(dir, parts)?;
    let core = dir.join("5-core");
    ids(&core.join("user_list.txt"), pool.users.names())?;
    ids(&core.join("item_list.txt"), pool.items.names())
}

/// Writes `5-core/{train,val,test}.json`.
pub(crate) fn splits(dir: &Path, parts: &[Holdout]) -> Result<(), DataError> {
    let core = dir.join("5-core");
    split(&core.join("train.json"), parts, |p| &p.train)?;
    split(&core.join("val.json"), parts, |p| &p.validation)?;
    split(&core.join("test.json"), parts, |p| &p.test)
}

/// `{"<user>": [item, ...], ...}`, every user there.
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

/// `raw id <tab> index`.
fn ids(file: &Path, names: &[Arc<str>]) -> Result<(), DataError> {
    let mut out = Stream::create(file.to_owned())?;
    for (index, name) in names.iter().enumerate() {
        out.write(format!("{name}\t{index}\n").as_bytes())?;
    }
    out.finish()
}

/// Writes `import.json`.
pub(crate) fn report(dir: &Path, report: &impl Serialize) -> Result<(), DataError> {
    let mut out = Stream::create(dir.join(REPORT))?;
    let text = serde_json::to_string_pretty(report).expect("counts and names are JSON");
    out.write(text.as_bytes())?;
    out.write(b"\n")?;
    out.finish()
}
