//! Where features may come from, and the raw ids that their rows belong to.
//!
//! | source | rows |
//! |---|---|
//! | `.npy` | in the order of the items |
//! | `.npz` | one matrix, with an array `ids` or in the order of the items; or one array per raw item id |
//! | `.safetensors` | one matrix, with a JSON list `ids` in its metadata or in the order of the items; or one tensor per raw item id |
//! | `.parquet` | a column of item ids and a column of lists |
//! | a folder | `<raw item id>.npy`, one file per item |

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

#[cfg(feature = "parquet")]
use super::columns;
use super::files::files_ending;
use super::npy::{new_features, npy_error, read_npy};
use super::npy_array::NpyArray;
use super::npy_header::Fault;
use super::npz::Npz;
#[cfg(feature = "parquet")]
use super::parquet_cells::{Texts, Unfit, lists};
#[cfg(feature = "parquet")]
use super::parquet_file::{ParquetFile, broken};
#[cfg(not(feature = "parquet"))]
use super::without_parquet::refused;
use crate::error::DataError;
use crate::features::Features;
use crate::quoted::quoted;

/// Features as they were found.
#[derive(Debug)]
pub(crate) struct FeatureRows {
    /// The raw id of each row; `None` for the order of the items.
    pub(crate) ids: Option<Vec<String>>,
    pub(crate) features: Features,
    /// Type in the file.
    pub(crate) dtype: &'static str,
}

/// Endings of the files of features.
pub(crate) const ENDINGS: [&str; 4] = ["npy", "npz", "safetensors", "parquet"];

/// Names of the array of ids in an archive.
const IDS: [&str; 5] = ["ids", "item_ids", "item_id", "items", "asin"];

/// Reads the features of the modality called `name`.
///
/// # Errors
/// The first fault with its file and place.
pub(crate) fn read(name: &str, path: &Path) -> Result<FeatureRows, DataError> {
    if path.is_dir() {
        return folder(path);
    }
    let ending = path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
    match ending.as_deref() {
        Some("npy") => read_npy(path).map(|(features, dtype)| FeatureRows { ids: None, features, dtype }),
        Some("npz") => npz(path),
        Some("safetensors") => safetensors(path),
        Some("parquet") => parquet(name, path),
        _ => Err(DataError::Entry {
            file: path.to_owned(),
            place: format!("features of {name:?}"),
            problem: format!("expected a folder or a file ending in {}; convert it", ENDINGS.join(", ")),
        }),
    }
}

/// Rows of one width, each with its id.
struct Collector<'a> {
    path: &'a Path,
    ids: Vec<String>,
    seen: HashSet<String>,
    width: usize,
    values: Vec<f32>,
    dtype: &'static str,
}

impl<'a> Collector<'a> {
    fn new(path: &'a Path) -> Self {
        Collector {
            path,
            ids: Vec::new(),
            seen: HashSet::new(),
            width: 0,
            values: Vec::new(),
            dtype: "float32",
        }
    }

    fn push(&mut self, id: String, row: &[f32]) -> Result<(), DataError> {
        if self.ids.is_empty() {
            self.width = row.len();
        }
        let problem = match (row.len() == self.width, self.seen.insert(id.clone())) {
            (true, true) => {
                self.ids.push(id);
                self.values.extend(row);
                return Ok(());
            }
            (false, _) => {
                format!("{} values, expected {} as the others have; encode it again", row.len(), self.width)
            }
            (_, false) => "the id occurs twice; remove one of them".into(),
        };
        Err(DataError::Entry { file: self.path.to_owned(), place: format!("item {}", quoted(&id)), problem })
    }

    fn finish(self) -> Result<FeatureRows, DataError> {
        let features = new_features(self.path, self.ids.len(), self.width, self.values)?;
        Ok(FeatureRows { ids: Some(self.ids), features, dtype: self.dtype })
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
    Ok(FeatureRows { ids, features, dtype })
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

#[cfg(feature = "parquet")]
fn parquet(name: &str, path: &Path) -> Result<FeatureRows, DataError> {
    let table = ParquetFile::open(path)?;
    let names = table.names();
    let id = columns::item_place(&names).map_err(|problem| broken(path, problem))?;
    let own = names.iter().position(|n| n == name);
    let values = own.or_else(|| (names.len() == 2).then_some(1 - id)).filter(|&place| place != id);
    let values = values.ok_or_else(|| {
        broken(
            path,
            format!(
                "no column {} of lists, found {}; name the column so",
                quoted(name),
                columns::list(&names)
            ),
        )
    })?;
    let order = if id < values { [id, values] } else { [values, id] };
    let at = |place: usize| usize::from(place == order[1]);
    let mut rows = Collector::new(path);
    table.read(&order, |first, batch| {
        let wrong = |place: usize, unfit: &Unfit, expected: &str| {
            broken(path, unfit.words(&names[place], batch.column(at(place)), first, expected))
        };
        let ids =
            Texts::of(batch.column(at(id))).map_err(|unfit| wrong(id, &unfit, "texts or whole numbers"))?;
        let (ends, cells) =
            lists(batch.column(at(values))).ok_or_else(|| wrong(values, &Unfit::Type, "lists of numbers"))?;
        let mut start = 0;
        for (row, &end) in ends.iter().enumerate() {
            let id = ids.with(row, |id| id.map(str::to_owned));
            let id = id.ok_or_else(|| broken(path, format!("row {} has no id; fill it in", first + row)))?;
            // An item without a list is an item without this modality.
            if end > start {
                rows.push(id, &cells[start..end])?;
            }
            start = end;
        }
        Ok(())
    })?;
    rows.finish()
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
