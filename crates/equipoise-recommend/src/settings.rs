//! `serving.json`: how a model is served.

use crate::added_items::AddedItems;
use crate::calibration::Calibration;
use crate::error::RecommendError;
use crate::fold_in::{FoldInChoice, LinearMap};
use crate::weighting::ScoreWeights;
use equipoise_data::write_atomic;
use equipoise_train::FinalTables;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

pub use crate::files::SERVING;

/// Version of the file.
const VERSION: u32 = 1;
/// Rows of each table that tell one model from another.
const SAMPLED: usize = 64;

/// How a model is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServingSettings {
    /// Version of the file.
    pub version: u32,
    /// Name of the model; that of the directory if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Weights of modalities by name; 1 where a modality is not named.
    pub weights: BTreeMap<String, f64>,
    /// How the weights were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How strangers are folded in, and how that was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold_in: Option<FoldInChoice>,
    /// Items that were added after the training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<AddedItems>,
}

impl Default for ServingSettings {
    fn default() -> ServingSettings {
        ServingSettings {
            version: VERSION,
            name: None,
            weights: BTreeMap::new(),
            calibration: None,
            fold_in: None,
            added: None,
        }
    }
}

impl ServingSettings {
    /// Reads the file; the defaults if there is none.
    ///
    /// # Errors
    /// If it is damaged or of another version.
    pub fn read(path: &Path) -> Result<ServingSettings, RecommendError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(ServingSettings::default());
            }
            Err(error) => return Err(RecommendError::io(path)(error)),
        };
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let damaged = |e: serde_json::Error| {
            RecommendError::file(path, format!("{e}; make it again with `equipoise calibrate`"))
        };
        let Version { version } = serde_json::from_str(&text).map_err(damaged)?;
        if version != VERSION {
            let reason = format!(
                "version {version}, this program reads version {VERSION}; make it again with `equipoise calibrate`"
            );
            return Err(RecommendError::file(path, reason));
        }
        serde_json::from_str(&text).map_err(damaged)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// File system faults.
    pub fn write(&self, path: &Path) -> Result<(), RecommendError> {
        let text = serde_json::to_string_pretty(self).expect("names and finite numbers are JSON");
        write_atomic(path, |file| writeln!(file, "{text}")).map_err(RecommendError::io(path))
    }

    /// The weighting of a model with these modalities.
    ///
    /// # Errors
    /// A weight that is none, or that of a modality that the model lacks.
    pub(crate) fn weighting(&self, modalities: &[String]) -> Result<ScoreWeights, RecommendError> {
        if let Some(name) = self.weights.keys().find(|name| !modalities.contains(name)) {
            let problem = format!("the model has no such modality, only {}", modalities.join(", "));
            return Err(RecommendError::field(format!("weights.{name}"), problem));
        }
        let weight =
            |name: &String| ScoreWeights::check(name, self.weights.get(name).copied().unwrap_or(1.0));
        Ok(ScoreWeights::Weights(modalities.iter().map(weight).collect::<Result<_, _>>()?))
    }

    /// What tells one version of a served model from another: the data, these settings, and rows of the tables at even
    /// distances, which any other training changes.
    pub(crate) fn key(&self, tables: &FinalTables) -> String {
        let text = serde_json::to_string(self).expect("names and finite numbers are JSON");
        let mut hash = blake3::Hasher::new();
        hash.update(tables.fingerprint().as_bytes()).update(b"\n").update(text.as_bytes());
        for block in tables.blocks() {
            for table in [block.users(), block.items()] {
                let rows = table.chunks_exact(block.width());
                let step = rows.len().div_ceil(SAMPLED).max(1);
                for value in rows.step_by(step).flatten() {
                    hash.update(&value.to_le_bytes());
                }
            }
        }
        hash.finalize().to_hex()[..12].to_owned()
    }
}

/// Writes the linear map of baskets to users.
///
/// # Errors
/// File system faults.
pub(crate) fn write_map(path: &Path, map: &LinearMap) -> Result<(), RecommendError> {
    let d = map.offset.len();
    let bytes = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let (matrix, offset) = (bytes(&map.matrix), bytes(&map.offset));
    let view = |shape: Vec<usize>, bytes| TensorView::new(Dtype::F32, shape, bytes).expect("the shape fits");
    let tensors = [("matrix", view(vec![d, d], &matrix)), ("offset", view(vec![d], &offset))];
    let bytes = safetensors::serialize(tensors, None).map_err(|e| RecommendError::file(path, e))?;
    write_atomic(path, |file| file.write_all(&bytes)).map_err(RecommendError::io(path))
}

/// Reads the linear map; `None` if there is no file.
///
/// # Errors
/// If the file is damaged.
pub(crate) fn read_map(path: &Path) -> Result<Option<LinearMap>, RecommendError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RecommendError::io(path)(error)),
    };
    let wrong = |what: String| {
        RecommendError::file(path, format!("{what}; make it again with `equipoise calibrate`"))
    };
    let file = safetensors::SafeTensors::deserialize(&bytes).map_err(|e| wrong(e.to_string()))?;
    let values = |name: &str| {
        let tensor = file.tensor(name).map_err(|e| wrong(e.to_string()))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(wrong(format!("{name} is {:?}, expected float32", tensor.dtype())));
        }
        let (words, _) = tensor.data().as_chunks::<4>();
        let values: Vec<f32> = words.iter().map(|w| f32::from_le_bytes(*w)).collect();
        if values.iter().all(|v| v.is_finite()) {
            Ok(values)
        } else {
            Err(wrong(format!("{name} holds a value that is not finite")))
        }
    };
    let (matrix, offset) = (values("matrix")?, values("offset")?);
    if matrix.len() != offset.len() * offset.len() {
        return Err(wrong(format!("a matrix of {} values for rows of {}", matrix.len(), offset.len())));
    }
    Ok(Some(LinearMap { matrix, offset }))
}
