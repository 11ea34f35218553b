//! `new_items.safetensors`: what a model needs to take new items.
//!
//! | tensor | what |
//! |---|---|
//! | `fill.<m>` | float32: what stands for a missing row of modality `m`, before it is scaled |
//! | `scale.<m>.mean`, `scale.<m>.factor`, `scale.<m>.components` | float64: statistics of its scale, those that it has |
//! | `matrix.<b>`, `offset.<b>`, `by_category.<b>` | float32: the map of block `b`; what it does not have is left out |
//!
//! The metadata holds one entry, `equipoise`: a JSON object with `version`, the hash of the `tables` that the maps belong to, the
//! `modalities`, the `blocks` with what they read, the paths of `categories` and the `report`.

use super::maps::{BlockMap, BlockMapKind, ModalityInput, NewItemMaps, NewItemsReport};
use crate::error::RecommendError;
use equipoise_data::{FrozenScale, MissingFill, write_atomic};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Version of the file.
const VERSION: u32 = 1;
/// The key of the metadata's one entry.
const KEY: &str = "equipoise";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    tables: String,
    modalities: Vec<HeaderModality>,
    blocks: Vec<HeaderBlock>,
    categories: Vec<Vec<String>>,
    report: NewItemsReport,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderModality {
    name: String,
    scale: ScaleKind,
    missing: MissingFill,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoder: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ScaleKind {
    None,
    L2,
    Standard,
    Pca,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderBlock {
    kind: BlockMapKind,
    inputs: Vec<usize>,
}

/// Writes the maps of tables with this hash.
///
/// # Errors
/// File system faults.
pub(crate) fn write(path: &Path, maps: &NewItemMaps, tables: &str) -> Result<(), RecommendError> {
    let mut tensors: Vec<(String, Dtype, usize, Vec<u8>)> = Vec::new();
    let mut single = |name: String, values: &[f32]| {
        if !values.is_empty() {
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((name, Dtype::F32, values.len(), bytes));
        }
    };
    for (m, modality) in maps.modalities.iter().enumerate() {
        single(format!("fill.{m}"), &modality.fill);
    }
    for (b, block) in maps.blocks.iter().enumerate() {
        single(format!("matrix.{b}"), &block.matrix);
        single(format!("offset.{b}"), &block.offset);
        single(format!("by_category.{b}"), &block.by_category);
    }
    for (m, modality) in maps.modalities.iter().enumerate() {
        for (what, values) in statistics(&modality.scale) {
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((format!("scale.{m}.{what}"), Dtype::F64, values.len(), bytes));
        }
    }
    let views = tensors.iter().map(|(name, dtype, len, bytes)| {
        (name, TensorView::new(*dtype, vec![*len], bytes).expect("as many bytes as values"))
    });
    let metadata = HashMap::from([(KEY.to_owned(), header(maps, tables))]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| RecommendError::file(path, e))?;
    write_atomic(path, |file| file.write_all(&bytes)).map_err(RecommendError::io(path))
}

fn header(maps: &NewItemMaps, tables: &str) -> String {
    let modality = |m: &ModalityInput| HeaderModality {
        name: m.name.clone(),
        scale: kind(&m.scale),
        missing: m.missing,
        encoder: m.encoder.clone(),
    };
    let mut categories: Vec<(usize, Vec<String>)> =
        maps.categories.iter().map(|(path, &place)| (place, path.clone())).collect();
    categories.sort();
    let header = Header {
        version: VERSION,
        tables: tables.to_owned(),
        modalities: maps.modalities.iter().map(modality).collect(),
        blocks: maps.blocks.iter().map(|b| HeaderBlock { kind: b.kind, inputs: b.inputs.clone() }).collect(),
        categories: categories.into_iter().map(|(_, path)| path).collect(),
        report: maps.report.clone(),
    };
    serde_json::to_string(&header).expect("names and numbers are JSON")
}

fn kind(scale: &FrozenScale) -> ScaleKind {
    match scale {
        FrozenScale::None(_) => ScaleKind::None,
        FrozenScale::L2(_) => ScaleKind::L2,
        FrozenScale::Standard { .. } => ScaleKind::Standard,
        FrozenScale::Pca { .. } => ScaleKind::Pca,
    }
}

fn statistics(scale: &FrozenScale) -> Vec<(&'static str, &Vec<f64>)> {
    match scale {
        FrozenScale::None(_) | FrozenScale::L2(_) => Vec::new(),
        FrozenScale::Standard { mean, factor } => vec![("mean", mean), ("factor", factor)],
        FrozenScale::Pca { mean, components } => vec![("mean", mean), ("components", components)],
    }
}

/// Reads the maps and the hash of the tables that they belong to; `None` if there is no file.
///
/// # Errors
/// If the file is damaged or of another version.
pub(crate) fn read(path: &Path) -> Result<Option<(NewItemMaps, String)>, RecommendError> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(RecommendError::io(path))?,
    };
    let stored = Stored::new(path, &bytes)?;
    let header = stored.header(&bytes)?;
    let modalities = header.modalities.iter().enumerate().map(|(m, of)| stored.modality(m, of));
    let modalities = modalities.collect::<Result<Vec<_>, _>>()?;
    let categories = header.categories.len();
    let blocks = header.blocks.into_iter().enumerate();
    let blocks =
        blocks.map(|(b, of)| stored.block(b, of, &modalities, categories)).collect::<Result<_, _>>()?;
    let categories = header.categories.into_iter().zip(0..).collect();
    Ok(Some((NewItemMaps { modalities, blocks, categories, report: header.report }, header.tables)))
}

struct Stored<'a> {
    path: &'a Path,
    file: SafeTensors<'a>,
}

impl<'a> Stored<'a> {
    fn new(path: &'a Path, bytes: &'a [u8]) -> Result<Stored<'a>, RecommendError> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| wrong(path, e))?;
        Ok(Stored { path, file })
    }

    fn wrong(&self, what: impl std::fmt::Display) -> RecommendError {
        wrong(self.path, what)
    }

    fn header(&self, bytes: &[u8]) -> Result<Header, RecommendError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| self.wrong(e))?;
        let text = metadata.metadata().as_ref().and_then(|m| m.get(KEY));
        let text = text.ok_or_else(|| self.wrong("its metadata has no `equipoise`"))?;
        let Version { version } = serde_json::from_str(text).map_err(|e| self.wrong(e))?;
        if version != VERSION {
            return Err(self.wrong(format!("version {version}, this program reads version {VERSION}")));
        }
        serde_json::from_str(text).map_err(|e| self.wrong(e))
    }

    /// The values of a tensor, none if it is not there.
    fn single(&self, name: &str) -> Result<Vec<f32>, RecommendError> {
        let Ok(tensor) = self.file.tensor(name) else { return Ok(Vec::new()) };
        if tensor.dtype() != Dtype::F32 {
            return Err(self.wrong(format!("{name} is {:?}, expected float32", tensor.dtype())));
        }
        let values: Vec<f32> =
            tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if values.iter().all(|v| v.is_finite()) {
            Ok(values)
        } else {
            Err(self.wrong(format!("{name} holds a value that is not finite")))
        }
    }

    fn double(&self, name: &str) -> Result<Vec<f64>, RecommendError> {
        let tensor = self.file.tensor(name).map_err(|e| self.wrong(e))?;
        if tensor.dtype() != Dtype::F64 {
            return Err(self.wrong(format!("{name} is {:?}, expected float64", tensor.dtype())));
        }
        let values: Vec<f64> =
            tensor.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        if values.iter().all(|v| v.is_finite()) {
            Ok(values)
        } else {
            Err(self.wrong(format!("{name} holds a value that is not finite")))
        }
    }

    fn modality(&self, m: usize, of: &HeaderModality) -> Result<ModalityInput, RecommendError> {
        let fill = self.single(&format!("fill.{m}"))?;
        let statistic = |what: &str| self.double(&format!("scale.{m}.{what}"));
        let scale = match of.scale {
            ScaleKind::None => FrozenScale::None(fill.len()),
            ScaleKind::L2 => FrozenScale::L2(fill.len()),
            ScaleKind::Standard => {
                FrozenScale::Standard { mean: statistic("mean")?, factor: statistic("factor")? }
            }
            ScaleKind::Pca => {
                FrozenScale::Pca { mean: statistic("mean")?, components: statistic("components")? }
            }
        };
        let whole = match &scale {
            FrozenScale::Standard { mean, factor } => mean.len() == factor.len(),
            FrozenScale::Pca { mean, components } => {
                !mean.is_empty() && components.len().is_multiple_of(mean.len())
            }
            _ => true,
        };
        if fill.is_empty() || scale.width() != fill.len() || !whole {
            return Err(self.wrong(format!("the statistics of {} have other lengths than its rows", of.name)));
        }
        let (name, encoder) = (of.name.clone(), of.encoder.clone());
        Ok(ModalityInput { name, scale, missing: of.missing, fill, encoder })
    }

    fn block(
        &self,
        b: usize,
        of: HeaderBlock,
        modalities: &[ModalityInput],
        categories: usize,
    ) -> Result<BlockMap, RecommendError> {
        let part = |what: &str| self.single(&format!("{what}.{b}"));
        let (matrix, offset, by_category) = (part("matrix")?, part("offset")?, part("by_category")?);
        let mut columns = 0;
        for &m in &of.inputs {
            let modality =
                modalities.get(m).ok_or_else(|| self.wrong(format!("block {b} reads modality {m}")))?;
            columns += modality.scale.scaled_width();
        }
        let fits = !offset.is_empty()
            && matrix.len() == columns * offset.len()
            && (by_category.is_empty() || by_category.len() == categories * offset.len());
        if fits {
            Ok(BlockMap { kind: of.kind, inputs: of.inputs, matrix, offset, by_category })
        } else {
            Err(self.wrong(format!("the map of block {b} has other lengths than its rows")))
        }
    }
}

fn wrong(path: &Path, what: impl std::fmt::Display) -> RecommendError {
    let reason = format!("{what}; make it again with `equipoise calibrate` where the data set is");
    RecommendError::file(path, reason)
}
