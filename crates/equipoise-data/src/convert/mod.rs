//! A data set from one layout into another.

mod contents;
mod equipoise;
mod lattice;
mod mmrec;
mod place;
mod recbole;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::dataset::LoadOptions;
use crate::error::DataError;
use crate::faults::Faults;
use crate::formats::missing_file::ENDING as MISSING;
use crate::formats::{self, Format};
use crate::scale::FeatureScale;
use contents::Contents;
pub(crate) use lattice::numbered;
pub(crate) use place::write_lines;

/// A layout that can be written.
///
/// | name | what is written | what is left out |
/// |---|---|---|
/// | `equipoise` | manifest, Parquet, `.npy`: see [`Native`](crate::formats::Native) | nothing |
/// | `lattice` | `5-core/{train,val,test}.json`, id lists, `.npy` | timestamps |
/// | `mmrec` | `<name>.inter`, id mappings, `.npy` | nothing |
/// | `recbole` | `<name>.{train,valid,test}.inter`, `.user`, `.item`, `.npy` | nothing |
///
/// Each of them keeps raw ids, users and items without interactions, splits, features (as float32) and categories.
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
            Target::Equipoise => equipoise::write(contents, dir),
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
    /// Names of the modalities.
    pub modalities: Vec<String>,
    /// Scale given to the features.
    pub scale: FeatureScale,
    /// Fingerprint of the data set written, as `equipoise train` knows it.
    pub fingerprint: String,
    /// All that was merged, left out, filled in or odd.
    pub notes: Vec<String>,
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
    let place = place::Place::new(path, out, how.overwrite)?;
    let format = formats::detect(path)?;
    formats::refuse_idle(format.name(), format.leaves_choices(), options)?;
    let gathered = format.gather(path, options, &mut Faults::stop_at_first())?;
    let mut contents = Contents::new(path, gathered, how.scale)?;
    if target == Target::Lattice && contents.dated() {
        contents.notes.push("The timestamps were left out: the layout has no room for them.".into());
    }
    let conversion = contents.conversion(path, target, how.scale);
    let dir = place.open()?;
    target.write(&contents, dir.path())?;
    write_missing(&contents, dir.path())?;
    place::write_json(&dir.path().join(place::CONVERSION), &conversion)?;
    compare(path, &contents, target, dir.path(), &conversion.fingerprint)?;
    place.close(dir)?;
    Ok(conversion)
}

/// `<modality>_missing.json`, which every layout may hold.
fn write_missing(contents: &Contents, dir: &Path) -> Result<(), DataError> {
    for modality in &contents.modalities {
        if let Some(missing) = &modality.missing {
            place::write_json(&dir.join(format!("{}{}", modality.name, MISSING)), &missing.items())?;
        }
    }
    Ok(())
}

/// Reads back what was written: every layout must give the same data.
fn compare(
    path: &Path,
    contents: &Contents,
    target: Target,
    dir: &Path,
    expected: &str,
) -> Result<(), DataError> {
    let unfit = |problem: String| DataError::Unfit { path: path.to_owned(), layout: target.name(), problem };
    let names = contents.modalities.iter().map(|m| m.name.clone()).collect();
    let options = LoadOptions { modalities: Some(names), ..LoadOptions::default() };
    let read = formats::detect(dir).and_then(|format: &dyn Format| format.load(dir, &options));
    let read = read.map_err(|fault| unfit(fault.to_string()))?;
    if read.data.fingerprint() != expected || read.test.open() != &contents.test {
        return Err(unfit(
            "read back, it differs (a raw id with a tab, a line break or blanks at its ends?)".into(),
        ));
    }
    Ok(())
}
