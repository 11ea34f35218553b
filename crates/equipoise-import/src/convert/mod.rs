//! A data set from one layout into another.

mod contents;
#[cfg(feature = "parquet")]
mod equipoise;
mod features;
mod lattice;
mod mmrec;
mod recbole;

use std::path::Path;

use equipoise_data::formats::{self, Faults, MISSING_ENDING, RowCounts};
use equipoise_data::{DataError, FeatureScale, ITEM_INFOS, LoadOptions, load};
use serde::{Deserialize, Serialize};

use crate::files::write_json;
use crate::output::{CONVERSION, OutputDir};
use contents::Contents;

/// A layout that can be written.
///
/// | name | what is written | what is left out |
/// |---|---|---|
/// | `equipoise` | `manifest.toml`, Parquet, `features/<modality>.npy` | nothing |
/// | `lattice` | `5-core/{train,val,test}.json`, id lists, `.npy` | timestamps |
/// | `mmrec` | `<name>.inter`, id mappings, `.npy` | nothing |
/// | `recbole` | `<name>.{train,valid,test}.inter`, `.user`, `.item`, `.npy` | nothing |
///
/// Each of them keeps raw ids, users and items without interactions, splits, features (as float32), categories and `items.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// This project's own.
    Equipoise,
    /// The LATTICE pipeline's.
    Lattice,
    /// The MMRec toolbox's.
    Mmrec,
    /// RecBole's atomic files.
    Recbole,
}

impl Target {
    /// Name of the layout.
    pub fn name(self) -> &'static str {
        match self {
            Target::Equipoise => "equipoise",
            Target::Lattice => "lattice",
            Target::Mmrec => "mmrec",
            Target::Recbole => "recbole",
        }
    }

    fn write(self, contents: &Contents, dir: &Path) -> Result<(), DataError> {
        match self {
            #[cfg(feature = "parquet")]
            Target::Equipoise => equipoise::write(contents, dir),
            #[cfg(not(feature = "parquet"))]
            Target::Equipoise => Err(DataError::Parquet {
                file: dir.to_owned(),
                problem: "this program was built without the feature `parquet`; choose another layout".into(),
            }),
            Target::Lattice => lattice::write(contents, dir),
            Target::Mmrec => mmrec::write(contents, dir),
            Target::Recbole => recbole::write(contents, dir),
        }
    }
}

/// How a data set is converted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConvertOptions {
    /// Scale given to the features for good.
    pub scale: FeatureScale,
    /// Whether a data set that an earlier conversion wrote there is replaced.
    pub overwrite: bool,
}

/// What was converted; saved beside the data as `conversion.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conversion {
    /// Version of this file.
    pub version: u32,
    /// Where the data came from.
    pub from: String,
    /// Its layout.
    pub from_layout: String,
    /// Layout written.
    pub layout: &'static str,
    /// Number of users.
    pub users: usize,
    /// Number of items.
    pub items: usize,
    /// Distinct interactions of train, validation and test.
    pub interactions: [usize; 3],
    /// What became of the rows that were read.
    pub rows: RowCounts,
    /// Names of the modalities.
    pub modalities: Vec<String>,
    /// Scale given to the features.
    pub scale: FeatureScale,
    /// Fingerprint of the data set written, as `equipoise train` knows it.
    pub fingerprint: String,
    /// All that was merged, left out, filled in or odd.
    pub notes: Vec<String>,
}

impl Conversion {
    fn new(path: &Path, contents: &Contents, target: Target) -> Conversion {
        Conversion {
            version: 1,
            from: path.display().to_string(),
            from_layout: contents.source.clone(),
            layout: target.name(),
            users: contents.vocabulary.users().len(),
            items: contents.vocabulary.items().len(),
            interactions: contents.splits.each_ref().map(|s| s.pairs.len()),
            rows: contents.rows.clone(),
            modalities: contents.modalities.iter().map(|m| m.name.clone()).collect(),
            scale: contents.scale,
            fingerprint: contents.fingerprint.clone(),
            notes: contents.notes.clone(),
        }
    }
}

/// Reads a data set in any layout and writes it in `target`'s.
///
/// Everything is written into a new directory beside `out`, read back and compared, and only then put in place:
/// a reader sees the old data set or the new.
///
/// # Errors
/// What reading finds; [`DataError::Exists`] if `out` may not be written over, [`DataError::Unfit`] if the layout
/// cannot hold the data (a raw id with a tab in it, for instance), [`DataError::Io`] if a file cannot be written.
pub fn convert(
    path: &Path,
    options: &LoadOptions,
    target: Target,
    out: &Path,
    how: &ConvertOptions,
) -> Result<Conversion, DataError> {
    refuse_inside(path, out)?;
    let output = OutputDir::reserve(out, CONVERSION, how.overwrite)?;
    let gathered = formats::gather(path, options, &mut Faults::stop_at_first())?;
    let mut contents = Contents::new(path, gathered, how.scale)?;
    if target == Target::Lattice && contents.dated() {
        contents.notes.push("The timestamps were left out: the layout has no room for them.".into());
    }
    if target == Target::Recbole && contents.times().any(|time| time.unsigned_abs() > MOST_EXACT) {
        let note = "Timestamps beyond 2^53 are written exactly, but RecBole reads them as floats, which cannot tell all \
                    of them apart.";
        contents.notes.push(note.into());
    }
    let conversion = Conversion::new(path, &contents, target);
    target.write(&contents, output.dir())?;
    write_missing(&contents, output.dir())?;
    carry_infos(path, output.dir())?;
    write_json(&output.dir().join(CONVERSION.file), &conversion)?;
    compare(path, &contents, target, output.dir())?;
    output.finish()?;
    Ok(conversion)
}

/// What the data set says of its items goes along: raw ids stay as they are.
fn carry_infos(from: &Path, to: &Path) -> Result<(), DataError> {
    let (from, to) = (from.join(ITEM_INFOS), to.join(ITEM_INFOS));
    if from.is_file() { std::fs::copy(&from, &to).map(drop).map_err(DataError::io(&from)) } else { Ok(()) }
}

/// Whole numbers up to 2^53 are floats exactly.
const MOST_EXACT: u64 = 1 << 53;

/// Refuses to replace the directory that the data set is read from.
fn refuse_inside(source: &Path, out: &Path) -> Result<(), DataError> {
    let (from, to) = (source.canonicalize(), out.canonicalize());
    let inside = from.and_then(|from| to.map(|to| from.starts_with(to))).unwrap_or(false);
    if inside && out.join(CONVERSION.file).is_file() {
        Err(DataError::Exists {
            path: out.to_owned(),
            problem: "is where the data comes from; choose another directory".into(),
        })
    } else {
        Ok(())
    }
}

/// `<modality>_missing.json`, which every layout may hold.
fn write_missing(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    for modality in &contents.modalities {
        if let Some(missing) = &modality.missing {
            write_json(&dir.join(format!("{}{}", modality.name, MISSING_ENDING)), &missing.items())?;
        }
    }
    Ok(())
}

/// Reads back what was written: every layout must give the same data.
fn compare(path: &Path, contents: &Contents, target: Target, dir: &Path) -> Result<(), DataError> {
    let unfit = |problem: String| DataError::Unfit { path: path.to_owned(), layout: target.name(), problem };
    let names = contents.modalities.iter().map(|m| m.name.clone()).collect();
    let options = LoadOptions { modalities: Some(names), ..LoadOptions::default() };
    let refused = |fault: DataError| if fault.is_input() { unfit(fault.to_string()) } else { fault };
    let read = load(dir, &options).map_err(refused)?;
    if read.data.fingerprint() != contents.fingerprint || read.test.open() != &contents.test {
        return Err(unfit(
            "read back, it differs (a raw id with a tab, a line break or blanks at its ends?)".into(),
        ));
    }
    Ok(())
}
