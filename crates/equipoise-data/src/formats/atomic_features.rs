//! Features in the atomic files of RecBole: `<modality>:float_seq` is a column of vectors beside the item ids.
//!
//! ```text
//! <name>.item                                      <name>.itememb, or any other ending
//! item_id:token  title:token_seq  image:float_seq  iid:token  text:float_seq
//! a              a red shoe       0.1 0.2 0.3      a          0.1 0.2
//! ```

use std::path::Path;

use super::feature_rows::FeatureRows;
use super::files::listed;
use super::text_features;
use crate::error::DataError;
use crate::faults::Faults;
use crate::options::FeatureSource;
use crate::quoted::{quoted, quoted_names};
use crate::text::{Lines, TextOptions, TextRows};

/// What stands behind the name of a column of vectors.
pub(super) const VECTOR: &str = ":float_seq";

/// Names of the column of item ids.
const ITEM: [&str; 4] = ["item_id:token", "iid:token", "itemid:token", "item:token"];

/// Files of a data set that are no atomic files, or none of items.
const OTHERS: [&str; 12] =
    ["inter", "user", "link", "kg", "net", "npy", "npz", "safetensors", "parquet", "csv", "tsv", "json"];

/// The columns of vectors in the files of the data set called `dataset`. A file of vectors without item ids is named in a note.
///
/// # Errors
/// When loading, a file that cannot be read.
pub(super) fn found(
    dir: &Path,
    dataset: &str,
    faults: &mut Faults,
    notes: &mut Vec<String>,
) -> Result<Vec<FeatureSource>, DataError> {
    let mut found = Vec::new();
    for file in listed(dir, faults)?.unwrap_or_default() {
        if !is_of(&file, dataset) || !has_vectors(&file) {
            continue;
        }
        let Some(names) = faults.keep(header(&file))? else { continue };
        let vectors: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(VECTOR)).collect();
        if item_place(&names).is_some() {
            let source = |name: &&str| FeatureSource { name: (*name).to_owned(), path: file.clone() };
            found.extend(vectors.iter().map(source));
        } else {
            notes.push(format!(
                "{}: not read: vectors {} beside no column of item ids ({}).",
                file.display(),
                quoted_names(vectors),
                ITEM[..2].join(" or ")
            ));
        }
    }
    Ok(found)
}

/// Whether a file belongs to the data set and may have features of items.
fn is_of(file: &Path, dataset: &str) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).map(str::to_lowercase).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = name.strip_prefix(dataset).and_then(|rest| rest.strip_prefix('.'));
    ending.is_some_and(|ending| !OTHERS.iter().any(|other| ending.rsplit('.').next() == Some(other)))
        && file.is_file()
}

/// Whether the first line names a column of vectors.
pub(super) fn has_vectors(file: &Path) -> bool {
    first_line(file).is_ok_and(|line| line.contains(VECTOR))
}

/// The first line that is not blank, which names the columns of an atomic file.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn first_line(file: &Path) -> Result<String, DataError> {
    let mut lines = Lines::open(file)?;
    while lines.advance()? && lines.is_blank() {}
    Ok(String::from_utf8_lossy(lines.text()).into_owned())
}

fn header(file: &Path) -> Result<Vec<String>, DataError> {
    let mut rows = TextRows::open(file, &TextOptions::default(), &|names| item_place(names).is_some())?;
    Ok(rows.header()?.unwrap_or_default())
}

fn item_place(names: &[String]) -> Option<usize> {
    ITEM.iter().find_map(|item| names.iter().position(|name| name == item))
}

/// Where the item ids and the vectors of a modality stand.
fn places(names: &[String], modality: &str) -> Result<(usize, usize), String> {
    let all = || quoted_names(names.iter().map(String::as_str));
    let id = item_place(names);
    let id = id.ok_or_else(|| format!("no column of item ids among {}; call it {}", all(), ITEM[0]))?;
    let own = names.iter().position(|name| name.strip_suffix(VECTOR) == Some(modality));
    let vectors: Vec<usize> = (0..names.len()).filter(|&place| names[place].ends_with(VECTOR)).collect();
    match (own, &vectors[..]) {
        (Some(place), _) | (None, &[place]) => Ok((id, place)),
        _ => Err(format!("no column {} among {}; call it so", quoted(&format!("{modality}{VECTOR}")), all())),
    }
}

/// Reads the features of the modality called `name`: its own column, or the only one of vectors.
///
/// # Errors
/// A file that cannot be read, a column that is missing, a cell that is no number, rows that are not alike.
pub(super) fn read(name: &str, path: &Path) -> Result<FeatureRows, DataError> {
    let mut text = TextRows::open(path, &TextOptions::default(), &|names| places(names, name).is_ok())?;
    let names = text.header()?.unwrap_or_default();
    let (id, place) = places(&names, name).map_err(|problem| text.line_error(text.line(), problem))?;
    let mut rows = text_features::collect(&mut text, path, &names, id, &[place])?;
    let (ids, vectors) = (quoted(&names[id]), quoted(&names[place]));
    rows.notes.push(format!("{}: features of {name} from {vectors}, item ids from {ids}.", path.display()));
    rows.notes.extend(text.notes());
    Ok(rows)
}
