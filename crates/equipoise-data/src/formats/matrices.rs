//! The layout of DiffMM and its relatives: one sparse users x items matrix per split.
//!
//! ```text
//! <dir>/trnMat.npz, valMat.npz, tstMat.npz    scipy.sparse.save_npz (or train.npz, val.npz, test.npz)
//! <dir>/<modality>_feat.npy                   one row per item
//! ```
//!
//! A positive is an entry of more than 0, or of at least `min_rating` where that is given: 0, -1 and NaN are none.
//! Published as pickles, which are programs rather than data and are not read.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::entry::{Format, ReadRequest};
use super::files::directory_name;
use super::gathered::{Gathered, GatheredSplit};
use super::{category_file, id_list, modality_files, sparse};
use crate::error::DataError;
use crate::faults::Faults;

/// `trnMat.npz`, `valMat.npz`, `tstMat.npz` (or `train`, `val`, `test`) as SciPy writes them, and
/// `<modality>_feat.npy`; raw ids from `user_list.txt` and `item_list.txt` if there.
#[derive(Debug)]
pub struct Matrices;

/// What matrices leave open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatrixOptions {
    /// Least value of a positive; more than 0 if `None`.
    pub min_rating: Option<f64>,
}

const NAMES: [[&str; 3]; 2] = [["trnMat", "valMat", "tstMat"], ["train", "val", "test"]];

/// How far the shape of a matrix may exceed its entries before it is taken for a mistake.
const SLACK: u64 = 1_000_000;

impl Matrices {
    /// The names in use: those of which at least one file is there, as `.npz` or as a pickle.
    fn names(path: &Path) -> Option<&'static [&'static str; 3]> {
        let there = |name: &&str| {
            path.join(format!("{name}.npz")).is_file() || path.join(format!("{name}.pkl")).is_file()
        };
        NAMES.iter().find(|names| names.iter().any(there))
    }
}

impl Format for Matrices {
    type Options = MatrixOptions;

    fn name(&self) -> &'static str {
        "matrices"
    }

    fn describe(&self) -> &'static str {
        "{trnMat,valMat,tstMat}.npz (scipy.sparse.save_npz, users x items) and <modality>_feat.npy"
    }

    fn detect(&self, path: &Path) -> bool {
        Self::names(path).is_some()
    }

    fn gather(
        &self,
        request: &ReadRequest<'_>,
        options: &MatrixOptions,
        faults: &mut Faults,
    ) -> Result<Gathered, DataError> {
        let path = request.path;
        let names = Self::names(path).unwrap_or(&NAMES[0]);
        let mut found = Gathered {
            name: directory_name(path),
            format: Format::name(self).into(),
            users: id_list::read(&path.join("user_list.txt"), faults)?,
            items: id_list::read(&path.join("item_list.txt"), faults)?,
            categories: category_file::read(path, faults)?,
            ..Gathered::default()
        };
        let mut first = None;
        for (place, name) in names.iter().enumerate() {
            let file = path.join(format!("{name}.npz"));
            let matrix = faults.keep(read(&file, path, name, options, &mut found))?;
            let matrix = matrix.map(|m| agree(m, &file, &mut first));
            if let Some(split) = matrix.map(|m| faults.keep(m)).transpose()?.flatten() {
                found.splits[place] = Some(split);
            }
        }
        if let Some((file, rows, columns)) = first {
            let decimals = |n: u32| (0..n).map(|k| k.to_string()).collect();
            found.users.get_or_insert_with(|| (file.clone(), decimals(rows)));
            found.items.get_or_insert_with(|| (file, decimals(columns)));
        }
        let items = found.items.as_ref().map(|(_, ids)| &ids[..]);
        found.modalities = modality_files::read(path, request, items, faults, &mut found.notes)?;
        Ok(found)
    }
}

fn read(
    file: &Path,
    dir: &Path,
    name: &str,
    options: &MatrixOptions,
    found: &mut Gathered,
) -> Result<sparse::Sparse, DataError> {
    if !file.is_file() {
        let pickle = dir.join(format!("{name}.pkl"));
        if pickle.is_file() {
            return Err(DataError::Pickle { file: pickle, name: name.to_owned() });
        }
        let expected = "a sparse users x items matrix written by scipy.sparse.save_npz";
        return Err(DataError::MissingFile { file: file.to_owned(), expected });
    }
    let matrix = sparse::read(file, options.min_rating)?;
    let left = matrix.left_out;
    found.counts.read += matrix.pairs.len();
    let least = options.min_rating.unwrap_or_default();
    for (count, what) in [
        (left.zeros, "entries of 0".to_owned()),
        (left.negative, "entries below 0".to_owned()),
        (left.nan, "entries of NaN".to_owned()),
        (left.below, format!("entries below {least}")),
    ] {
        if count > 0 {
            found.counts.leave_out(what.clone(), count);
            found.notes.push(format!("{}: left {count} {what} out: no positives.", file.display()));
        }
    }
    Ok(matrix)
}

/// The first matrix sets the shape, the others must have it.
fn agree(
    matrix: sparse::Sparse,
    file: &Path,
    first: &mut Option<(PathBuf, u32, u32)>,
) -> Result<GatheredSplit, DataError> {
    let shape = (matrix.rows, matrix.columns);
    let fault = |problem: String| DataError::Entry {
        file: file.to_owned(),
        place: "array \"shape\"".into(),
        problem,
    };
    let limit = 16 * matrix.pairs.len() as u64 + SLACK;
    if first.is_none() && u64::from(shape.0.max(shape.1)) > limit {
        let entries = matrix.pairs.len();
        let problem = format!("{} x {} for {entries} entries; cut the empty rows off", shape.0, shape.1);
        return Err(fault(problem));
    }
    let (of, rows, columns) = first.get_or_insert_with(|| (file.to_owned(), shape.0, shape.1));
    if shape != (*rows, *columns) {
        let problem = format!(
            "{} x {}, expected {rows} x {columns} as {} has; give all three one shape",
            shape.0,
            shape.1,
            of.display()
        );
        return Err(fault(problem));
    }
    Ok(GatheredSplit::new(file.display().to_string(), matrix.pairs, Vec::new()))
}
