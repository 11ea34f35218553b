//! Weights by name from `.safetensors` files mapped into memory.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use equipoise_data::quoted;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Deserialize;

use crate::error::EncodeError;
use crate::json;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const ENDING: &str = ".safetensors";

/// Bytes before the header.
const LENGTH: usize = 8;

/// The tensors of a model, in one file or several.
pub(crate) struct Weights {
    shards: Vec<Shard>,
    /// Which shard holds a tensor.
    of: HashMap<String, usize>,
}

struct Shard {
    file: PathBuf,
    bytes: Mmap,
    metadata: Metadata,
    /// Where the values start.
    start: usize,
}

/// `model.safetensors.index.json`.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Weights {
    /// `model.safetensors` of the folder, or the files that `model.safetensors.index.json` names.
    ///
    /// # Errors
    /// If neither is there, or a file is damaged.
    pub(crate) fn open(dir: &Path) -> Result<Weights, EncodeError> {
        if dir.join(SINGLE).is_file() {
            return Weights::of_files(&[dir.join(SINGLE)]);
        }
        let Some(index) = json::read_if_there::<Index>(&dir.join(INDEX))? else {
            let other = dir.join("pytorch_model.bin").is_file();
            let found = if other { "pytorch_model.bin, a pickle, which is not run" } else { "neither" };
            let problem = format!(
                "expected {SINGLE} or {INDEX}, found {found}; fetch the model's safetensors, or save it with \
                 save_pretrained(folder, safe_serialization=True)"
            );
            return Err(EncodeError::file(dir, problem));
        };
        let mut names: Vec<&String> = index.weight_map.values().collect();
        names.sort();
        names.dedup();
        if names.is_empty() {
            return Err(EncodeError::file(
                &dir.join(INDEX),
                "names no file of weights; fetch the model again",
            ));
        }
        let inside =
            |name: &str| name.ends_with(ENDING) && !name.contains(['/', '\\']) && !name.starts_with('.');
        if let Some(outside) = names.iter().find(|name| !inside(name)) {
            let problem = format!(
                "names {}, expected {ENDING} files of the same folder; fetch the model again",
                quoted(outside)
            );
            return Err(EncodeError::file(&dir.join(INDEX), problem));
        }
        Weights::of_files(&names.iter().map(|name| dir.join(name)).collect::<Vec<_>>())
    }

    /// The tensors of these files.
    ///
    /// # Errors
    /// If one is not there or damaged.
    pub(crate) fn of_files(files: &[PathBuf]) -> Result<Weights, EncodeError> {
        let shards = files.iter().map(|file| Shard::open(file)).collect::<Result<Vec<_>, _>>()?;
        let names = shards.iter().enumerate().flat_map(|(s, shard)| {
            shard.metadata.tensors().into_keys().map(move |name| (name, s)).collect::<Vec<_>>()
        });
        let of = names.collect();
        Ok(Weights { shards, of })
    }

    /// The files, in order.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.shards.iter().map(|shard| shard.file.clone()).collect()
    }

    /// Whether there is such a tensor.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.of.contains_key(name)
    }

    /// Shape of a tensor.
    ///
    /// # Errors
    /// If there is no such tensor.
    pub(crate) fn shape(&self, name: &str) -> Result<&[usize], EncodeError> {
        self.find(name).map(|(_, info)| &info.shape[..])
    }

    /// The values of a tensor of this shape, as `f32`.
    ///
    /// # Errors
    /// If it is absent, has another shape or no floats, or holds a value that is not finite.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EncodeError> {
        let (shard, info) = self.find(name)?;
        if info.shape != shape {
            let problem = format!(
                "shape {:?}, expected {shape:?} as config.json says; use the config.json of these weights",
                info.shape
            );
            return Err(shard.fault(name, problem));
        }
        let bytes = &shard.bytes[shard.start + info.data_offsets.0..shard.start + info.data_offsets.1];
        let values = floats(info.dtype, bytes).ok_or_else(|| {
            let problem = format!(
                "values are {:?}, expected F32, F16 or BF16; save the model as one of them",
                info.dtype
            );
            shard.fault(name, problem)
        })?;
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(at) => {
                let problem =
                    format!("value {at} is {}, expected finite numbers; fetch the model again", values[at]);
                Err(shard.fault(name, problem))
            }
        }
    }

    /// The values of a tensor of variances of this shape.
    ///
    /// # Errors
    /// As [`tensor`](Weights::tensor), and if one is below 0.
    pub(crate) fn variances(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EncodeError> {
        let values = self.tensor(name, shape)?;
        let Some(at) = values.iter().position(|v| *v < 0.0) else {
            return Ok(values);
        };
        let problem =
            format!("value {at} is {}, expected variances, none below 0; fetch the model again", values[at]);
        Err(self.find(name)?.0.fault(name, problem))
    }

    /// The values of a tensor of whole numbers of this shape, none below 0.
    ///
    /// # Errors
    /// If it is absent, has another shape or type, or holds a negative number.
    pub(crate) fn indices(&self, name: &str, shape: &[usize]) -> Result<Vec<usize>, EncodeError> {
        let (shard, info) = self.find(name)?;
        let bytes = &shard.bytes[shard.start + info.data_offsets.0..shard.start + info.data_offsets.1];
        let values: Option<Vec<usize>> = match info.dtype {
            Dtype::I64 => {
                bytes.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b).try_into().ok()).collect()
            }
            Dtype::I32 => {
                bytes.as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b).try_into().ok()).collect()
            }
            _ => None,
        };
        values.filter(|_| info.shape == shape).ok_or_else(|| {
            let problem = format!(
                "{:?} of shape {:?}, expected I64 or I32 of shape {shape:?}, none below 0; fetch the model again",
                info.dtype, info.shape
            );
            shard.fault(name, problem)
        })
    }

    fn find(&self, name: &str) -> Result<(&Shard, &TensorInfo), EncodeError> {
        let found = self.of.get(name).map(|&s| &self.shards[s]);
        let found = found.and_then(|shard| shard.metadata.info(name).map(|info| (shard, info)));
        found.ok_or_else(|| {
            let problem = format!(
                "absent, expected it for the architecture that config.json names; {} tensors are there; fetch the model \
                 again",
                self.of.len()
            );
            self.shards[0].fault(name, problem)
        })
    }
}

impl Shard {
    fn open(file: &Path) -> Result<Shard, EncodeError> {
        if file.is_dir() {
            return Err(EncodeError::file(
                file,
                "a folder, expected a safetensors file; fetch the model again",
            ));
        }
        let opened = File::open(file).map_err(EncodeError::io(file))?;
        // SAFETY: read only; a file that another program cuts short meanwhile ends the process, as with any mapped file.
        let bytes = unsafe { Mmap::map(&opened) }.map_err(EncodeError::io(file))?;
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| {
            EncodeError::file(file, format!("no whole safetensors file ({error}); fetch it again"))
        })?;
        Ok(Shard { file: file.to_owned(), start: LENGTH + header, bytes, metadata })
    }

    fn fault(&self, tensor: &str, problem: String) -> EncodeError {
        EncodeError::Tensor { file: self.file.clone(), tensor: tensor.to_owned(), problem }
    }
}

/// Little-endian values as `f32`; `None` for a type that is no float of at most 32 bits.
fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    match dtype {
        Dtype::F32 => Some(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        Dtype::F16 => {
            let values: Vec<f16> = bytes.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b)).collect();
            Some(values.to_f32_vec())
        }
        Dtype::BF16 => {
            let values: Vec<bf16> =
                bytes.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b)).collect();
            Some(values.to_f32_vec())
        }
        _ => None,
    }
}
