//! The final tables of a run's model, kept beside it in `tables.safetensors`: whoever recommends needs neither the data set
//! nor the backbone.
//!
//! ```text
//! score_S(u, i) = sum over the blocks b of view S of <users_b[u], items_b[i]>
//! ```
//!
//! There is one view for each ablation that the run measures: the whole model, each channel, the model without each modality,
//! and ids only. Views share blocks where the backbone's scores add up. Blocks that are constant over users and items are
//! left out, as they change no ranking.
//!
//! | tensor | shape | what |
//! |---|---|---|
//! | `users.<b>`, `items.<b>` | `[users, d_b]`, `[items, d_b]` float32; float16 where asked for | block `b`, from 0 |
//! | `train.indptr`, `train.indices` | `[users + 1]` uint64, `[interactions]` uint32 | items of each user in train, ascending: user `u` has `indices[indptr[u]..indptr[u + 1]]` |
//! | `validation.indptr`, `validation.indices` | the same | items of each user in validation |
//!
//! The metadata holds one entry, `equipoise`: a JSON object with `version`, the `fingerprint` of the data, `modalities` by
//! name, and `views`, each with the positions of its `silenced` modalities and of its `blocks`. Evaluation on validation
//! excludes the train items of a user; evaluation on test those, and the validation items where
//! `eval.exclude_validation_at_test` is set.

use crate::error::TrainError;
use crate::run::Run;
use equipoise_data::{Dataset, Interactions, Vocabulary, f16, told_apart, write_atomic};
use equipoise_models::{Ablation, Encoded};
use memmap2::Mmap;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata, TensorView};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Version of the file.
const VERSION: u32 = 1;
/// The key of the metadata's one entry: several would be written in any order.
const KEY: &str = "equipoise";

/// The final tables of a model under every ablation that its run measures, and what each user has seen.
///
/// Cloning is cheap: the tables are shared. Tables that were read lie in the file, mapped into memory.
#[derive(Clone)]
pub struct FinalTables {
    fingerprint: String,
    modalities: Vec<String>,
    blocks: Vec<FinalBlock>,
    views: Vec<FinalView>,
    train: Interactions,
    validation: Interactions,
}

/// How the values of tables are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TablePrecision {
    /// 32 bits, as they were trained.
    Float32,
    /// 16 bits: half the file. In memory they become float32 when they are first read.
    Float16,
}

/// A pair of tables that adds `<users[u], items[i]>` to the score.
#[derive(Clone)]
pub struct FinalBlock {
    width: usize,
    users: Floats,
    items: Floats,
}

/// Which blocks make up the score under one ablation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalView {
    /// The ablation.
    pub ablation: Ablation,
    /// Positions in [`FinalTables::blocks`].
    pub blocks: Vec<usize>,
}

/// What the metadata says.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    fingerprint: String,
    modalities: Vec<String>,
    views: Vec<HeaderView>,
}

#[derive(Serialize, Deserialize)]
struct HeaderView {
    silenced: Vec<usize>,
    blocks: Vec<usize>,
}

impl FinalBlock {
    /// Values per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The user table, `users x width`, row after row.
    pub fn users(&self) -> &[f32] {
        self.users.as_slice()
    }

    /// The item table, `items x width`, row after row.
    pub fn items(&self) -> &[f32] {
        self.items.as_slice()
    }
}

impl FinalTables {
    /// The tables of an encoded model, under each ablation that it was encoded for.
    pub fn new(encoded: &Encoded, data: &Dataset, fingerprint: &str) -> FinalTables {
        let varying = |b: &usize| !encoded.blocks[*b].constant;
        let kept: Vec<usize> = (0..encoded.blocks.len()).filter(varying).collect();
        let view = |view: &equipoise_models::View| FinalView {
            ablation: view.ablation,
            blocks: view.blocks.iter().filter_map(|b| kept.binary_search(b).ok()).collect(),
        };
        FinalTables {
            fingerprint: fingerprint.to_owned(),
            modalities: data.modalities.iter().map(|m| m.name.clone()).collect(),
            blocks: kept.iter().map(|&b| block(&encoded.blocks[b])).collect(),
            views: encoded.views.iter().map(view).collect(),
            train: data.train.clone(),
            validation: data.validation.clone(),
        }
    }

    /// Fingerprint of the data that the model was trained on.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Names of the modalities, in the order of the positions that ablations count.
    pub fn modalities(&self) -> &[String] {
        &self.modalities
    }

    /// Number of users.
    pub fn n_users(&self) -> usize {
        self.train.n_users()
    }

    /// Number of items.
    pub fn n_items(&self) -> usize {
        self.train.n_items()
    }

    /// The distinct blocks.
    pub fn blocks(&self) -> &[FinalBlock] {
        &self.blocks
    }

    /// One view for each ablation.
    pub fn views(&self) -> &[FinalView] {
        &self.views
    }

    /// Items of each user in train.
    pub fn train(&self) -> &Interactions {
        &self.train
    }

    /// Items of each user in validation.
    pub fn validation(&self) -> &Interactions {
        &self.validation
    }

    /// The blocks of one ablation; `None` if the run does not measure it.
    pub fn view(&self, ablation: Ablation) -> Option<impl Iterator<Item = &FinalBlock>> {
        let view = self.views.iter().find(|v| v.ablation == ablation)?;
        Some(view.blocks.iter().map(|&b| &self.blocks[b]))
    }

    /// How they are stored in the file that they were read from; float32 if they were made here.
    pub fn precision(&self) -> TablePrecision {
        let half = |floats: &Floats| matches!(floats, Floats::Half(_));
        if self.blocks.iter().any(|block| half(&block.users) || half(&block.items)) {
            TablePrecision::Float16
        } else {
            TablePrecision::Float32
        }
    }

    /// The same tables with more items behind the others: `rows[b]` has their rows in block `b`, one after another. Nobody has
    /// met them.
    ///
    /// # Panics
    /// If the blocks are given another number of items, or rows of another width.
    #[must_use]
    pub fn with_items(&self, rows: &[Vec<f32>]) -> FinalTables {
        assert_eq!(rows.len(), self.blocks.len(), "rows of every block");
        let more = rows.first().map_or(0, |rows| rows.len() / self.blocks[0].width);
        let items = self.n_items() + more;
        let block = |(block, rows): (&FinalBlock, &Vec<f32>)| {
            assert_eq!(rows.len(), more * block.width, "rows of the block's width");
            let items = Floats::Owned(Arc::new([block.items(), rows].concat()));
            FinalBlock { width: block.width, users: block.users.clone(), items }
        };
        let widened = |of: &Interactions| {
            let pairs: Vec<(u32, u32)> = of.pairs().collect();
            Interactions::from_pairs(of.n_users(), items, &pairs).0
        };
        FinalTables {
            blocks: self.blocks.iter().zip(rows).map(block).collect(),
            train: widened(&self.train),
            validation: widened(&self.validation),
            ..self.clone()
        }
    }

    /// Gives back the memory in which tables of a file lie; what is read again comes from the file again. Tables that were made
    /// here, and float16 tables that became float32, stay as they are.
    pub fn release(&self) {
        for block in &self.blocks {
            for floats in [&block.users, &block.items] {
                floats.release();
            }
        }
    }

    /// Writes the file, whole or not at all. Equal tables give equal bytes.
    ///
    /// # Errors
    /// File system faults.
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        self.write_as(path, TablePrecision::Float32)
    }

    /// The same with values stored in this way; float16 rounds to the nearest.
    ///
    /// # Errors
    /// A value that float16 cannot hold; file system faults.
    pub fn write_as(&self, path: &Path, precision: TablePrecision) -> Result<(), TrainError> {
        let failed = |e: safetensors::SafeTensorError| TrainError::format(path, e);
        let dtype = match precision {
            TablePrecision::Float32 => Dtype::F32,
            TablePrecision::Float16 => Dtype::F16,
        };
        let stored = match precision {
            TablePrecision::Float32 => bytes_of,
            TablePrecision::Float16 => half_bytes_of,
        };
        if precision == TablePrecision::Float16 {
            self.check_half(path)?;
        }
        let seen = [("train", &self.train), ("validation", &self.validation)].map(Rows::of);
        let mut tensors: Vec<(String, TensorView)> = Vec::new();
        let mut add = |name: String, dtype, shape: Vec<usize>, bytes| {
            tensors.push((name, TensorView::new(dtype, shape, bytes).map_err(failed)?));
            Ok::<(), TrainError>(())
        };
        let tables: Vec<[Cow<[u8]>; 2]> =
            self.blocks.iter().map(|b| [stored(b.users()), stored(b.items())]).collect();
        for (b, (block, [users, items])) in self.blocks.iter().zip(&tables).enumerate() {
            add(format!("users.{b}"), dtype, vec![self.n_users(), block.width], users)?;
            add(format!("items.{b}"), dtype, vec![self.n_items(), block.width], items)?;
        }
        for rows in &seen {
            let Rows { name, indptr, indices } = rows;
            add(format!("{name}.indptr"), Dtype::U64, vec![indptr.len() / 8], indptr)?;
            add(format!("{name}.indices"), Dtype::U32, vec![indices.len() / 4], indices)?;
        }
        let metadata = HashMap::from([(KEY.to_owned(), self.header())]);
        let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(failed)?;
        write_atomic(path, |file| file.write_all(&bytes)).map_err(|e| TrainError::io(path, e))
    }

    /// Refuses values beyond the range of float16.
    fn check_half(&self, path: &Path) -> Result<(), TrainError> {
        let tables = self.blocks.iter().flat_map(|block| [block.users(), block.items()]);
        match tables.flatten().find(|value| !f16::from_f32(**value).is_finite()) {
            Some(value) => {
                let reason = format!("a value of {value} is beyond the range of float16; write float32");
                Err(TrainError::format(path, reason))
            }
            None => Ok(()),
        }
    }

    fn header(&self) -> String {
        let silenced = |a: Ablation| (0..self.modalities.len()).filter(|&m| a.silences(m)).collect();
        let view = |v: &FinalView| HeaderView { silenced: silenced(v.ablation), blocks: v.blocks.clone() };
        let header = Header {
            version: VERSION,
            fingerprint: self.fingerprint.clone(),
            modalities: self.modalities.clone(),
            views: self.views.iter().map(view).collect(),
        };
        serde_json::to_string(&header).expect("names and numbers are JSON")
    }

    /// Reads what [`write`](Self::write) wrote. The tables stay in the file, which must be replaced by renaming and never
    /// written in place for as long as they are used.
    ///
    /// # Errors
    /// If the file is missing, of another version, damaged, or holds a value that is not finite.
    pub fn read(path: &Path) -> Result<FinalTables, TrainError> {
        Opened::new(path)?.tables()
    }
}

impl Run {
    /// The final tables of its model, for users and items of this vocabulary, which is the run's.
    ///
    /// # Errors
    /// As [`FinalTables::read`]; if the tables do not fit the vocabulary or `metrics.json`.
    pub fn tables(&self, vocabulary: &Vocabulary) -> Result<FinalTables, TrainError> {
        let (path, report) = (self.tables_path(), self.report()?);
        let opened = Opened::new(&path)?;
        self.check_bytes(&path, &opened.map)?;
        let tables = opened.tables()?;
        let sides = [
            ("users", tables.n_users(), vocabulary.users().len()),
            ("items", tables.n_items(), vocabulary.items().len()),
        ];
        for (side, found, expected) in sides {
            if found != expected {
                let reason = format!(
                    "tables of {found} {side}, but vocabulary.json names {expected}; copy both files from the same run"
                );
                return Err(TrainError::format(&path, reason));
            }
        }
        if tables.fingerprint != report.fingerprint {
            let (found, expected) = told_apart(&tables.fingerprint, &report.fingerprint);
            let reason = format!(
                "tables of other data (fingerprint {found}) than metrics.json ({expected}); copy both files from the same run"
            );
            return Err(TrainError::format(&path, reason));
        }
        Ok(tables)
    }
}

fn block(block: &equipoise_models::Block) -> FinalBlock {
    let values = |table: &burn::tensor::Tensor<2>| {
        let values = table.clone().inner().into_data().try_into_vec();
        Floats::Owned(Arc::new(values.expect("tables are float32")))
    };
    FinalBlock { width: block.users.dims()[1], users: values(&block.users), items: values(&block.items) }
}

/// Interactions as the bytes of two tensors.
struct Rows {
    name: &'static str,
    indptr: Vec<u8>,
    indices: Vec<u8>,
}

impl Rows {
    fn of((name, of): (&'static str, &Interactions)) -> Rows {
        let indptr = of.indptr().iter().flat_map(|&bound| (bound as u64).to_le_bytes()).collect();
        let indices = of.indices().iter().flat_map(|item| item.to_le_bytes()).collect();
        Rows { name, indptr, indices }
    }
}

/// A file under inspection.
struct Opened {
    path: PathBuf,
    map: Arc<Mmap>,
    metadata: Metadata,
    /// Where the tensors begin.
    start: usize,
}

impl Opened {
    fn new(path: &Path) -> Result<Opened, TrainError> {
        let file = File::open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => TrainError::format(path, MISSING),
            _ => TrainError::io(path, e),
        })?;
        // SAFETY: the map is private to this process and only read. Another program could cut the file short, which the
        // documentation of `FinalTables::read` forbids: every writer here makes a new file and renames it.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| TrainError::io(path, e))?;
        let (header, metadata) = SafeTensors::read_metadata(&map)
            .map_err(|e| TrainError::format(path, format!("damaged ({e}); {AGAIN}")))?;
        Ok(Opened { path: path.to_owned(), start: 8 + header, metadata, map: Arc::new(map) })
    }

    fn fault(&self, reason: impl std::fmt::Display) -> TrainError {
        TrainError::format(&self.path, format!("{reason}; {AGAIN}"))
    }

    fn tables(&self) -> Result<FinalTables, TrainError> {
        let header = self.header()?;
        let users = self.shape("train.indptr", Dtype::U64, 1)?[0].saturating_sub(1);
        let count =
            header.views.iter().flat_map(|v| &v.blocks).max().map_or(0, |&last| last.saturating_add(1));
        let blocks = (0..count).map(|b| self.block(b, users)).collect::<Result<Vec<_>, _>>()?;
        let first = blocks.first().ok_or_else(|| self.fault("no view with a block"))?;
        let items = first.items().len() / first.width;
        if let Some(b) = blocks.iter().position(|b| b.items().len() != items * b.width) {
            return Err(self.fault(format!("items.{b}: expected {items} rows, as items.0 has")));
        }
        Ok(FinalTables {
            train: self.interactions("train", users, items)?,
            validation: self.interactions("validation", users, items)?,
            views: self.views(&header)?,
            fingerprint: header.fingerprint,
            modalities: header.modalities,
            blocks,
        })
    }

    fn header(&self) -> Result<Header, TrainError> {
        let entries = self.metadata.metadata().as_ref();
        let text = entries.and_then(|entries| entries.get(KEY));
        let text =
            text.ok_or_else(|| self.fault("not the tables of a run: its metadata has no `equipoise`"))?;
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let damaged = |e: serde_json::Error| self.fault(format!("metadata `{KEY}`: {e}"));
        let Version { version } = serde_json::from_str(text).map_err(damaged)?;
        if version != VERSION {
            let reason = format!(
                "version {version} of a run's tables, this program reads version {VERSION}; read them with the program \
                 that wrote them, or train again"
            );
            return Err(TrainError::format(&self.path, reason));
        }
        serde_json::from_str(text).map_err(damaged)
    }

    fn views(&self, header: &Header) -> Result<Vec<FinalView>, TrainError> {
        let n = header.modalities.len();
        let mut views: Vec<FinalView> = Vec::new();
        for HeaderView { silenced, blocks } in &header.views {
            if n > equipoise_models::MAX_MODALITIES || silenced.iter().any(|&m| m >= n) {
                return Err(self.fault(format!("a view silences modalities {silenced:?} of {n}")));
            }
            let ablation = Ablation::silencing(silenced.iter().copied());
            if blocks.is_empty() || views.iter().any(|v| v.ablation == ablation) {
                return Err(
                    self.fault(format!("the view that silences {silenced:?} is empty or occurs twice"))
                );
            }
            views.push(FinalView { ablation, blocks: blocks.clone() });
        }
        Ok(views)
    }

    fn block(&self, b: usize, users: usize) -> Result<FinalBlock, TrainError> {
        let (of_users, of_items) = (format!("users.{b}"), format!("items.{b}"));
        let dtype = self.precision(&of_users);
        let (u, i) = (self.shape(&of_users, dtype, 2)?, self.shape(&of_items, dtype, 2)?);
        if u[0] != users || u[1] != i[1] || u[1] == 0 {
            let reason =
                format!("{of_users} is {u:?} and {of_items} {i:?}: expected {users} users and equal widths");
            return Err(self.fault(reason));
        }
        Ok(FinalBlock { width: u[1], users: self.floats(&of_users)?, items: self.floats(&of_items)? })
    }

    /// float16 if the tensor is, else float32, which is then asked of it.
    fn precision(&self, name: &str) -> Dtype {
        let half = self.metadata.info(name).is_some_and(|info| info.dtype == Dtype::F16);
        if half { Dtype::F16 } else { Dtype::F32 }
    }

    /// The shape of a tensor of this type and number of dimensions.
    fn shape(&self, name: &str, dtype: Dtype, dimensions: usize) -> Result<&[usize], TrainError> {
        let info = self.metadata.info(name).ok_or_else(|| self.fault(format!("no tensor {name}")))?;
        if info.dtype == dtype && info.shape.len() == dimensions {
            return Ok(&info.shape);
        }
        let expected = format!("{name}: expected {dimensions} dimensions of {dtype:?}");
        Err(self.fault(format!("{expected}, found {:?} of {:?}", info.shape, info.dtype)))
    }

    /// Where the bytes of a tensor lie; the format's reader has seen to it that they are within the file.
    fn range(&self, name: &str) -> Range<usize> {
        let (from, to) = self.metadata.info(name).expect("its shape was asked for").data_offsets;
        self.start + from..self.start + to
    }

    fn floats(&self, name: &str) -> Result<Floats, TrainError> {
        let (values, fault) = match self.precision(name) {
            Dtype::F16 => {
                let half = HalfTable::new(self.map.clone(), self.range(name));
                let fault = half.values().find(|v| !v.is_finite()).map(f16::to_f32);
                (Floats::Half(Arc::new(half)), fault)
            }
            _ => {
                let values = Floats::mapped(&self.map, self.range(name));
                let fault = values.as_slice().iter().copied().find(|v| !v.is_finite());
                (values, fault)
            }
        };
        match fault {
            Some(value) => Err(self.fault(format!("{name} holds {value}: expected finite values"))),
            None => Ok(values),
        }
    }

    fn interactions(&self, name: &str, users: usize, items: usize) -> Result<Interactions, TrainError> {
        let (bounds, indices) = (format!("{name}.indptr"), format!("{name}.indices"));
        self.shape(&bounds, Dtype::U64, 1)?;
        self.shape(&indices, Dtype::U32, 1)?;
        let (words, _) = self.map[self.range(&bounds)].as_chunks::<8>();
        let bounds: Vec<u64> = words.iter().map(|w| u64::from_le_bytes(*w)).collect();
        let (words, _) = self.map[self.range(&indices)].as_chunks::<4>();
        let rows_fit = bounds.len() == users + 1 && bounds[0] == 0 && bounds[users] == words.len() as u64;
        if !rows_fit || !bounds.is_sorted() {
            return Err(
                self.fault(format!("{name}.indptr: expected {users} rows over {} interactions", words.len()))
            );
        }
        let mut pairs = Vec::with_capacity(words.len());
        for (user, bound) in bounds.windows(2).enumerate() {
            let row = words[bound[0] as usize..bound[1] as usize].iter().map(|w| u32::from_le_bytes(*w));
            pairs.extend(row.map(|item| (user as u32, item)));
        }
        let ascending = pairs.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || pairs.iter().any(|&(_, item)| item as usize >= items) {
            return Err(
                self.fault(format!("{name}.indices: expected ascending items below {items} for each user"))
            );
        }
        Ok(Interactions::from_pairs(users, items, &pairs).0)
    }
}

/// What to do about a file that cannot be used.
const AGAIN: &str = "copy the file from the run again, or train again with --overwrite";
/// What to say of a run without the file.
const MISSING: &str = "this run keeps no final tables: it is a teacher's, or an earlier version made it; train again with \
     --overwrite, or load its model together with its data set";

/// float32 values in memory, or where they lie in a mapped file; float16 in a mapped file.
#[derive(Clone)]
enum Floats {
    Owned(Arc<Vec<f32>>),
    Mapped(Arc<Mmap>, Range<usize>),
    Half(Arc<HalfTable>),
}

/// float16 values in a mapped file, converted when they are first read.
struct HalfTable {
    map: Arc<Mmap>,
    range: Range<usize>,
    single: OnceLock<Vec<f32>>,
}

impl HalfTable {
    fn new(map: Arc<Mmap>, range: Range<usize>) -> HalfTable {
        HalfTable { map, range, single: OnceLock::new() }
    }

    fn values(&self) -> impl Iterator<Item = f16> {
        self.map[self.range.clone()].as_chunks::<2>().0.iter().map(|bytes| f16::from_le_bytes(*bytes))
    }

    fn single(&self) -> &[f32] {
        self.single.get_or_init(|| self.values().map(f16::to_f32).collect())
    }
}

impl Floats {
    /// The little-endian values in these bytes of a file; a copy where this machine cannot use them in place.
    fn mapped(map: &Arc<Mmap>, range: Range<usize>) -> Floats {
        let bytes = &map[range.clone()];
        if cfg!(target_endian = "little") && bytes.as_ptr().cast::<f32>().is_aligned() {
            return Floats::Mapped(map.clone(), range);
        }
        let (words, _) = bytes.as_chunks::<4>();
        Floats::Owned(Arc::new(words.iter().map(|w| f32::from_le_bytes(*w)).collect()))
    }

    fn release(&self) {
        let map = match self {
            Floats::Mapped(map, _) => map,
            Floats::Half(half) => &half.map,
            Floats::Owned(_) => return,
        };
        // It is advice: where the system does not take it, the memory stays in use.
        #[cfg(unix)]
        // SAFETY: the map is of a file and was never written to, so that its pages are read again as they were.
        let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        #[cfg(not(unix))]
        let _ = map;
    }

    fn as_slice(&self) -> &[f32] {
        match self {
            Floats::Owned(values) => values,
            Floats::Half(half) => half.single(),
            Floats::Mapped(map, range) => {
                // SAFETY: every bit pattern is an `f32`; `mapped` saw to it that the bytes are aligned, and the shape of
                // the tensor that they are whole values, so that nothing is left over before or behind.
                let (before, values, behind) = unsafe { map[range.clone()].align_to::<f32>() };
                debug_assert!(before.is_empty() && behind.is_empty());
                values
            }
        }
    }
}

/// Values as little-endian bytes: where they lie, if this machine keeps them so.
fn bytes_of(values: &[f32]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        // SAFETY: every `f32` is four bytes, and every byte a `u8`, which may lie anywhere.
        let (_, bytes, _) = unsafe { values.align_to::<u8>() };
        return Cow::Borrowed(bytes);
    }
    Cow::Owned(values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// The nearest float16 values as little-endian bytes.
fn half_bytes_of(values: &[f32]) -> Cow<'_, [u8]> {
    Cow::Owned(values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect())
}
