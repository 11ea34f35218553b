//! The checkpoint of a training: everything that the rest of it depends on, beside the data and the configuration.
//!
//! It is one file, `checkpoint.safetensors`, replaced whole each time and removed when the training is over.
//!
//! | tensor | what |
//! |---|---|
//! | `parameter/<name>` | the parameters, float32 |
//! | `first/<name>`, `second/<name>` | Adam's moments, of parameters that a gradient has reached |
//! | `best/<name>` | the parameters of the best evaluation, where they are not those above |
//! | `balancer/<name>` | the balancer's numbers, float64 |
//! | `seal` | the BLAKE3 hash of the file with zeros in the place of the seal |
//!
//! The metadata holds one entry, `equipoise`: as TOML, which keeps every digit of a number, the version of the file, what it
//! is a checkpoint of (program, role, settings, data, what the balancer started from), the position in the training, patience, the
//! positions of the random streams, and how far the log of events had come.

use crate::course::{BegunEpoch, Course};
use crate::events::{EpochRecord, LogMark};
use crate::processor;
use crate::role::Role;
use crate::step::{Stepper, Streams};
use crate::stopping::{Counted, EarlyStopping};
use burn::tensor::Tensor;
use equipoise_balance::BalancerState;
use equipoise_data::{StreamState, write_atomic};
use equipoise_nn::{Adam, AdamConfig, Snapshot};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, View};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

/// Name of the file in a run directory.
pub(crate) const FILE: &str = "checkpoint.safetensors";
/// Version of the file.
const VERSION: u32 = 1;
/// The key of the metadata's one entry.
const KEY: &str = "equipoise";
const SEAL: &str = "seal";

/// Which training a checkpoint is of. No other may go on from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Version of the program: another may compute otherwise.
    pub(crate) program: String,
    /// Which model of a run.
    pub(crate) role: Role,
    /// Hash of every setting that decides what it becomes.
    pub(crate) settings: String,
    /// Fingerprint of the data.
    pub(crate) data: String,
    /// Hash of the teachers and losses that its balancer was built from.
    pub(crate) start: String,
}

impl Identity {
    /// How it differs from that of a training, in words.
    fn difference(&self, wanted: &Identity) -> Option<String> {
        let parts = [
            (self.role != wanted.role, format!("is of another model, {}", self.role)),
            (self.data != wanted.data, "is of other data".to_owned()),
            (self.settings != wanted.settings, "is of other settings".to_owned()),
            (self.start != wanted.start, "began with other teachers".to_owned()),
            (
                self.program != wanted.program,
                format!("was written by version {} of the program, this is {}", self.program, wanted.program),
            ),
        ];
        parts.into_iter().find(|(differs, _)| *differs).map(|(_, reason)| reason)
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    processor: String,
    seconds: f64,
    done: usize,
    /// Steps taken by the optimiser.
    steps: u64,
    best: Best,
    identity: Identity,
    begun: Option<Begun>,
    /// Whether the model as it was drawn is still to be evaluated.
    #[serde(default)]
    unmeasured: bool,
    stopping: Counted,
    streams: Streams,
    balancer: BTreeMap<String, StreamState>,
    log: Option<LogMark>,
}

/// Where the parameters of the best evaluation are.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Best {
    None,
    Current,
    Apart,
}

#[derive(Serialize, Deserialize)]
struct Begun {
    steps: usize,
    record: EpochRecord,
}

/// What a checkpoint is made of.
pub(crate) struct Standing<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) stepper: &'a Stepper,
    /// The balancer's state, which in the middle of its own work is that before it.
    pub(crate) balancer: &'a BalancerState,
    pub(crate) course: &'a Course,
    /// Seconds of training so far.
    pub(crate) seconds: f64,
    pub(crate) log: Option<LogMark>,
}

impl Standing<'_> {
    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// File system faults.
    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        let header = toml::to_string(&self.header()).expect("numbers and names are valid TOML");
        let metadata = HashMap::from([(KEY.to_owned(), header)]);
        let file = safetensors::serialize(self.entries(), Some(metadata)).map_err(std::io::Error::other)?;
        let file = sealed(file).ok_or_else(|| std::io::Error::other("a file without a seal"))?;
        write_atomic(path, |out| out.write_all(&file))
    }

    fn header(&self) -> Header {
        let Standing { stepper, course, .. } = self;
        let begun = |begun: &BegunEpoch| Begun { steps: begun.steps, record: begun.record.clone() };
        Header {
            version: VERSION,
            processor: processor::kind(),
            seconds: self.seconds,
            done: course.done,
            steps: stepper.optimiser().steps(),
            best: match &course.best {
                None => Best::None,
                Some(_) if course.best_is_current() => Best::Current,
                Some(_) => Best::Apart,
            },
            identity: self.identity.clone(),
            begun: course.begun.as_ref().map(begun),
            unmeasured: course.unmeasured,
            stopping: course.stopping.counted(),
            streams: stepper.streams(),
            balancer: self.balancer.parts().1.clone(),
            log: self.log.clone(),
        }
    }

    fn entries(&self) -> Vec<(String, Entry<'_>)> {
        let Standing { stepper, course, .. } = self;
        let mut entries = vec![(SEAL.to_owned(), Entry::new(Dtype::U8, vec![32], Content::Seal))];
        let table =
            |table: Tensor<2>| Entry::new(Dtype::F32, table.dims().into(), Content::Table(Box::new(table)));
        for (k, (name, parameter)) in stepper.model.parameters.tables().enumerate() {
            if let Some((first, second)) = stepper.optimiser().moments(k) {
                entries.push((format!("first/{name}"), table(first)));
                entries.push((format!("second/{name}"), table(second)));
            }
            entries.push((format!("parameter/{name}"), table(parameter)));
        }
        let apart = course.best.as_ref().filter(|_| !course.best_is_current());
        for (name, values) in apart.iter().flat_map(|best| best.tables()) {
            let entry = Entry::new(Dtype::F32, vec![values.len()], Content::Values(values));
            entries.push((format!("best/{name}"), entry));
        }
        for (name, numbers) in self.balancer.parts().0 {
            let entry = Entry::new(Dtype::F64, vec![numbers.len()], Content::Numbers(numbers));
            entries.push((format!("balancer/{name}"), entry));
        }
        entries
    }
}

/// One tensor of the file, made into bytes when it is written.
struct Entry<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    content: Content<'a>,
}

enum Content<'a> {
    Table(Box<Tensor<2>>),
    Values(&'a [f32]),
    Numbers(&'a [f64]),
    /// Zeros, in whose place the seal comes.
    Seal,
}

impl<'a> Entry<'a> {
    fn new(dtype: Dtype, shape: Vec<usize>, content: Content<'a>) -> Entry<'a> {
        Entry { dtype, shape, content }
    }
}

impl View for Entry<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let single = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Cow::Owned(match &self.content {
            Content::Table(table) => {
                let data = table.clone().into_data();
                if cfg!(target_endian = "little") {
                    data.as_bytes().to_vec()
                } else {
                    single(&data.try_into_vec::<f32>().expect("tables and moments are float32"))
                }
            }
            Content::Values(values) => single(values),
            Content::Numbers(numbers) => numbers.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Content::Seal => vec![0; 32],
        })
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// Where the seal of a file stands in it.
fn seal(file: &[u8]) -> Option<std::ops::Range<usize>> {
    let (length, metadata) = SafeTensors::read_metadata(file).ok()?;
    let (start, end) = metadata.info(SEAL).filter(|info| info.shape == [32])?.data_offsets;
    let first = 8 + length;
    (end - start == 32 && first + end <= file.len()).then_some(first + start..first + end)
}

/// The file with its seal; `None` if it has no place for one.
fn sealed(mut file: Vec<u8>) -> Option<Vec<u8>> {
    let place = seal(&file)?;
    let hash = blake3::hash(&file);
    file[place].copy_from_slice(hash.as_bytes());
    Some(file)
}

/// Whether the seal of a file is that of its content. The seal is zero afterwards.
fn is_whole(file: &mut [u8]) -> bool {
    let Some(place) = seal(file) else { return false };
    let found = file[place.clone()].to_vec();
    file[place].fill(0);
    blake3::hash(file).as_bytes()[..] == found
}

/// A checkpoint that was read.
pub(crate) struct Checkpoint {
    header: Header,
    tables: HashMap<String, Vec<f32>>,
    balancer: BalancerState,
}

impl Checkpoint {
    /// The checkpoint at `path` of that training; `None` if there is no file.
    ///
    /// # Errors
    /// Why the file cannot be used, as the rest of a sentence that begins with its name.
    pub(crate) fn open(path: &Path, identity: &Identity) -> Result<Option<Checkpoint>, String> {
        let mut file = match std::fs::read(path) {
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(format!("cannot be read ({fault})")),
            Ok(file) => file,
        };
        if !is_whole(&mut file) {
            return Err("is damaged".into());
        }
        let found = Checkpoint::parsed(&file)?;
        match found.header.identity.difference(identity) {
            Some(reason) => Err(reason),
            None => Ok(Some(found)),
        }
    }

    fn parsed(file: &[u8]) -> Result<Checkpoint, String> {
        let damaged = |what: &dyn std::fmt::Display| format!("cannot be read ({what})");
        let (_, metadata) = SafeTensors::read_metadata(file).map_err(|e| damaged(&e))?;
        let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let entry: toml::Table =
            entry.map_or("", String::as_str).parse().map_err(|e: toml::de::Error| damaged(&e.message()))?;
        let version = entry.get("version").and_then(toml::Value::as_integer);
        if version != Some(i64::from(VERSION)) {
            let version = version.map_or("unknown".into(), |v| v.to_string());
            return Err(format!("has version {version}, this program reads version {VERSION}"));
        }
        let header: Header = entry.try_into().map_err(|e: toml::de::Error| damaged(&e.message()))?;
        let tensors = SafeTensors::deserialize(file).map_err(|e| damaged(&e))?;
        let (mut tables, mut numbers) = (HashMap::new(), BTreeMap::new());
        for (name, tensor) in tensors.iter() {
            match (tensor.dtype(), name.strip_prefix("balancer/")) {
                (Dtype::F64, Some(name)) => {
                    let (words, _) = tensor.data().as_chunks::<8>();
                    let values: Vec<f64> = words.iter().map(|w| f64::from_le_bytes(*w)).collect();
                    numbers.insert(name.to_owned(), values);
                }
                (Dtype::F32, _) => {
                    let (words, _) = tensor.data().as_chunks::<4>();
                    let values: Vec<f32> = words.iter().map(|w| f32::from_le_bytes(*w)).collect();
                    tables.insert(name.to_owned(), values);
                }
                _ => {}
            }
        }
        let balancer = BalancerState::from_parts(numbers, header.balancer.clone());
        Ok(Checkpoint { header, tables, balancer })
    }

    /// How far the log of events had come, where there was one.
    pub(crate) fn log(&self) -> Option<&LogMark> {
        self.header.log.as_ref()
    }

    /// Puts a stepper that has taken no step where the training stood, and returns how far that had come.
    ///
    /// # Errors
    /// Why it does not fit, as for [`open`](Self::open). The stepper may not be used then.
    pub(crate) fn restore(
        mut self,
        stepper: &mut Stepper,
        adam: AdamConfig,
        stopping: EarlyStopping,
    ) -> Result<Course, String> {
        let parameters = self.snapshot("parameter", stepper)?;
        let best = match self.header.best {
            Best::None => None,
            Best::Current => Some(parameters.clone()),
            Best::Apart => Some(self.snapshot("best", stepper)?),
        };
        let names: Vec<String> =
            stepper.model.parameters.iter().map(|(name, _, _)| name.to_owned()).collect();
        let reached = |name: &String| {
            let has = |part| self.tables.contains_key(&format!("{part}/{name}"));
            has("first") && has("second")
        };
        let reached: Vec<bool> = names.iter().map(reached).collect();
        let mut moments = Vec::new();
        for ((name, _, shape), reached) in stepper.model.parameters.iter().zip(reached) {
            let mut table = |part| taken(&mut self.tables, part, name, shape);
            moments.push(if reached { Some((table("first")?, table("second")?)) } else { None });
        }
        let optimiser = Adam::resumed(adam, self.header.steps, moments, &stepper.model.parameters);
        let taken = stepper.go_on(&parameters, optimiser, &self.header.streams, &self.balancer);
        taken.map_err(|fault| format!("does not fit the balancer ({fault})"))?;
        let Header { done, begun, unmeasured, stopping: counted, seconds, processor: kind, .. } = self.header;
        let began_on = Some(kind).filter(|kind| *kind != processor::kind());
        let begun = begun.map(|Begun { steps, record }| BegunEpoch { steps, record });
        Ok(Course {
            announced: true,
            unmeasured,
            began_on,
            done,
            begun,
            stopping: stopping.going_on(counted),
            best,
            seconds,
        })
    }

    fn snapshot(&mut self, part: &str, stepper: &Stepper) -> Result<Snapshot, String> {
        let parameters = stepper.model.parameters.iter();
        let tables = parameters
            .map(|(name, _, shape)| Ok((name.to_owned(), taken(&mut self.tables, part, name, shape)?)));
        Ok(Snapshot::new(tables.collect::<Result<_, String>>()?))
    }
}

/// The table of a part, of that many values.
fn taken(
    tables: &mut HashMap<String, Vec<f32>>,
    part: &str,
    name: &str,
    [rows, columns]: [usize; 2],
) -> Result<Vec<f32>, String> {
    let key = format!("{part}/{name}");
    let table = tables.remove(&key).filter(|table| table.len() == rows * columns);
    table.ok_or_else(|| format!("does not fit the model (table {key})"))
}
