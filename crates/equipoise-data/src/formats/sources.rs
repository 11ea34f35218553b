//! Where features may come from, and the raw ids that their rows belong to.
//!
//! | source | rows |
//! |---|---|
//! | `.npy` | in the order of the items |
//! | `.npz` | one matrix, with an array `ids` or in the order of the items; or one array per raw item id |
//! | `.safetensors` | one matrix, with a JSON list `ids` in its metadata or in the order of the items; or one tensor per raw item id |
//! | `.parquet` | a column of item ids, and a column of lists or a column for each value |
//! | `.csv`, `.tsv`, also with `.gz` | the same as text; see `text_features` |
//! | another file with a column `<modality>:float_seq` | as RecBole writes them; see `atomic_features` |
//! | a folder of Parquet files | the parts of one such table |
//! | another folder | `<raw item id>.npy`, one file per item |

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use super::feature_rows::{Collector, FeatureRows};
use super::files::files_ending;
use super::npy::{new_features, npy_error, read_npy};
use super::npy_array::NpyArray;
use super::npy_header::Fault;
use super::npz::Npz;
#[cfg(feature = "parquet")]
use super::parquet_features::read as parquet;
#[cfg(not(feature = "parquet"))]
use super::without_parquet::refused;
use super::{atomic_features, table_parts, text_features};
use crate::error::DataError;
use crate::features::Features;
use crate::quoted::quoted;

/// Endings of the files of features.
const ENDINGS: [&str; 6] = ["npy", "npz", "safetensors", "parquet", "csv", "tsv"];

/// Endings of those that may be compressed.
const PACKED: [&str; 2] = ["csv.gz", "tsv.gz"];

/// The name of a folder, or that of a file without the ending by which it may hold features; `None` for other files.
pub fn stem(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    if path.is_dir() {
        return Some(name.strip_suffix(".parquet").unwrap_or(name)).filter(|name| !name.contains('.'));
    }
    let without = |ending: &&str| {
        let (stem, found) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        stem.strip_suffix('.').filter(|_| found.eq_ignore_ascii_case(ending))
    };
    ENDINGS.iter().chain(&PACKED).find_map(without)
}

/// Names of the array of ids in an archive.
const IDS: [&str; 5] = ["ids", "item_ids", "item_id", "items", "asin"];

/// Reads the features of the modality called `name`.
///
/// # Errors
/// The first fault with its file and place.
pub(crate) fn read(name: &str, path: &Path) -> Result<FeatureRows, DataError> {
    if table_parts::is_folder(path) {
        return parquet(name, path);
    }
    if path.is_dir() {
        return folder(path);
    }
    let ending = path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
    match ending.as_deref() {
        Some("npy") => read_npy(path).map(|(features, dtype)| FeatureRows::new(None, features, dtype)),
        Some("npz") => npz(path),
        Some("safetensors") => safetensors(path),
        Some("parquet") => parquet(name, path),
        _ if stem(path).is_some() => text_features::read(name, path),
        _ if atomic_features::has_vectors(path) => atomic_features::read(name, path),
        _ => Err(DataError::Entry {
            file: path.to_owned(),
            place: format!("features of {name:?}"),
            problem: format!(
                "expected a folder, a file ending in {}, or a file of RecBole with a column {name}:float_seq; convert it",
                ENDINGS.join(", ")
            ),
        }),
    }
}

fn folder(path: &Path) -> Result<FeatureRows, DataError> {
    let mut files: Vec<PathBuf> = files_ending(path, "npy")?;
    files.sort();
    let mut rows = Collector::new(path);
    for file in files {
        let id = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).map_err(DataError::io(&file))?;
        let (row, dtype) = vector(&bytes).map_err(|fault| npy_error(&file, fault))?;
        rows.dtype = dtype;
        rows.push(id, &row)?;
    }
    rows.finish()
}

/// The floats of an array that is one row, in one dimension or in several of which the others are 1.
fn vector(bytes: &[u8]) -> Result<(Vec<f32>, &'static str), Fault> {
    let array = NpyArray::parse(bytes)?;
    one_row(&array)?;
    Ok((array.floats()?, array.dtype().unwrap_or("float32")))
}

fn one_row(array: &NpyArray<'_>) -> Result<(), Fault> {
    let longest = array.shape().iter().max().copied().unwrap_or(1);
    if longest == array.len() as u64 && longest > 0 {
        Ok(())
    } else {
        let problem = format!("shape {:?}, expected one row of values", array.shape());
        Err((0, problem, "pool the values of each item into one vector"))
    }
}

fn npz(path: &Path) -> Result<FeatureRows, DataError> {
    let archive = Npz::open(path)?;
    let mut names = archive.names();
    let listed = IDS.iter().find(|ids| names.iter().any(|n| n == *ids));
    let ids = match listed {
        Some(name) => Some(archive.read(name, |array| array.vector().and_then(|_| array.texts()))?),
        None => None,
    };
    names.retain(|name| Some(&name.as_str()) != listed);
    if let [name] = &names[..] {
        let (features, dtype) = archive.features(name)?;
        return with_ids(path, ids, features, dtype);
    }
    let mut rows = Collector::new(path);
    for name in names {
        let bytes = archive.bytes(&name)?;
        let (row, dtype) = vector(&bytes).map_err(|fault| archive.fault(&name, fault))?;
        rows.dtype = dtype;
        rows.push(name, &row)?;
    }
    rows.finish()
}

/// A matrix whose ids, where there are any, must be as many as its rows and distinct.
fn with_ids(
    path: &Path,
    ids: Option<Vec<String>>,
    features: Features,
    dtype: &'static str,
) -> Result<FeatureRows, DataError> {
    if let Some(ids) = &ids {
        let fault = |problem: String| {
            Err(DataError::Entry { file: path.to_owned(), place: "the ids".into(), problem })
        };
        if ids.len() != features.rows() {
            return fault(format!("{} ids for {} rows; give each row one", ids.len(), features.rows()));
        }
        let mut seen = HashSet::with_capacity(ids.len());
        if let Some(twice) = ids.iter().find(|id| !seen.insert(id.as_str())) {
            return fault(format!("{} occurs twice; remove one of its rows", quoted(twice)));
        }
    }
    Ok(FeatureRows::new(ids, features, dtype))
}

/// A safetensors file mapped into memory.
fn map(path: &Path) -> Result<Mmap, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    // SAFETY: read only, and copied before this function's caller returns; a file that another program cuts
    // short meanwhile ends the process, as with any mapped file.
    unsafe { Mmap::map(&file) }.map_err(DataError::io(path))
}

fn damaged(path: &Path, problem: String) -> DataError {
    npy_error(path, (0, problem, "write it again with safetensors"))
}

fn safetensors(path: &Path) -> Result<FeatureRows, DataError> {
    let bytes = map(path)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| damaged(path, e.to_string()))?;
    let mut named = tensors.tensors();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    if let [(name, tensor)] = &named[..]
        && let &[rows, width] = tensor.shape()
    {
        let (values, dtype) = tensor_values(path, name, tensor)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(path, e.to_string()))?;
        let ids = metadata.metadata().as_ref().and_then(|m| m.get("ids"));
        let ids = ids.map(|text| serde_json::from_str::<Vec<String>>(text)).transpose();
        let ids =
            ids.map_err(|e| damaged(path, format!("metadata \"ids\" is no JSON list of texts: {e}")))?;
        return with_ids(path, ids, new_features(path, rows, width, values)?, dtype);
    }
    let mut rows = Collector::new(path);
    for (name, tensor) in &named {
        let (row, dtype) = tensor_values(path, name, tensor)?;
        if tensor.shape().iter().max().copied().unwrap_or(1) != row.len() {
            let found = tensor.shape();
            return Err(damaged(
                path,
                format!("tensor {} has shape {found:?}, expected one row of values", quoted(name)),
            ));
        }
        rows.dtype = dtype;
        rows.push(name.clone(), &row)?;
    }
    rows.finish()
}

fn tensor_values(
    path: &Path,
    name: &str,
    tensor: &TensorView<'_>,
) -> Result<(Vec<f32>, &'static str), DataError> {
    let data = tensor.data();
    Ok(match tensor.dtype() {
        Dtype::F16 => {
            (data.as_chunks().0.iter().map(|&b| f16::from_le_bytes(b).to_f32()).collect(), "float16")
        }
        Dtype::BF16 => {
            (data.as_chunks().0.iter().map(|&b| bf16::from_le_bytes(b).to_f32()).collect(), "bfloat16")
        }
        Dtype::F32 => (data.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(), "float32"),
        Dtype::F64 => (data.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect(), "float64"),
        other => return Err(damaged(path, format!("tensor {} is {other:?}, expected floats", quoted(name)))),
    })
}

#[cfg(not(feature = "parquet"))]
fn parquet(_name: &str, path: &Path) -> Result<FeatureRows, DataError> {
    Err(refused(path))
}

/// Maps the one matrix of a safetensors file; reads it where it is not float32.
///
/// # Errors
/// As [`read`]; also if the rows are not in the order of the items.
pub(crate) fn map_safetensors(path: &Path) -> Result<(Features, &'static str), DataError> {
    let bytes = map(path)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| damaged(path, e.to_string()))?;
    if let [(_, tensor)] = &tensors.tensors()[..]
        && let (&[rows, width], Dtype::F32) = (tensor.shape(), tensor.dtype())
    {
        let start = tensor.data().as_ptr() as usize - bytes.as_ptr() as usize;
        let file = File::open(path).map_err(DataError::io(path))?;
        let mapped = Features::map(&file, start as u64, rows, width, false).map_err(DataError::io(path))?;
        if let Some(features) = mapped.filter(|_| rows > 0 && width > 0) {
            return Ok((features, "float32"));
        }
    }
    let found = safetensors(path)?;
    match found.ids {
        None => Ok((found.features, found.dtype)),
        Some(_) => Err(damaged(path, "rows with ids, expected one matrix in the order of the items".into())),
    }
}
