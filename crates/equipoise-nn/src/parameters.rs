//! Named parameter tables: what a backbone owns, an optimiser updates and a file stores.

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::path::Path;

/// Which part of the model a parameter belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Used for every modality: shared layers.
    Shared,
    /// Embeddings of users and items.
    Ids,
    /// Used by one modality only, by name.
    Modality(String),
}

/// What can be wrong with a file of parameters.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// The system refused to read the file.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not safetensors.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A tensor is missing or has another shape.
    #[error(
        "{path}: tensor `{name}`: expected shape {expected:?}, found {found}; the file belongs to another model or data set"
    )]
    Shape {
        /// The file.
        path: String,
        /// The tensor's name.
        name: String,
        /// Shape of this model's parameter.
        expected: [usize; 2],
        /// What the file holds.
        found: String,
    },
}

impl ParameterError {
    /// Whether the cause is what the user gave (exit code 2) rather than the machine (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            ParameterError::Io { source, .. } => equipoise_data::is_input_fault(source),
            ParameterError::File { .. } | ParameterError::Shape { .. } => true,
        }
    }
}

struct Parameter {
    name: String,
    group: Group,
    /// Kept as it was drawn: no gradient is recorded for it.
    frozen: bool,
    /// `None` only during an update, so that the optimiser holds the only reference.
    value: Option<Tensor<2>>,
}

/// The parameters of one model, in order of registration. Every one is a table `[rows, columns]` (a bias is
/// `[1, d]`) and belongs to exactly one [`Group`].
pub struct Parameters {
    list: Vec<Parameter>,
    index: HashMap<String, usize>,
    device: Device,
}

const HELD: &str = "a parameter is away only during its own update";

impl Parameters {
    /// An empty set whose tables will live on `device`.
    pub fn new(device: &Device) -> Parameters {
        Parameters { list: Vec::new(), index: HashMap::new(), device: device.clone() }
    }

    /// Adds a table.
    ///
    /// # Panics
    /// If the name is taken or `values` does not have `rows * columns` entries: a fault of the backbone's code.
    pub fn add(&mut self, name: &str, group: Group, [rows, columns]: [usize; 2], values: Vec<f32>) {
        assert_eq!(values.len(), rows * columns, "parameter `{name}`: values do not fill its shape");
        let value = Tensor::from_data(TensorData::new(values, [rows, columns]), &self.device);
        let taken = self.index.insert(name.to_owned(), self.list.len());
        assert!(taken.is_none(), "parameter `{name}` is registered twice");
        self.list.push(Parameter { name: name.to_owned(), group, frozen: false, value: Some(value) });
    }

    /// Keeps a table as it is: it is read and saved like any other, and never trained.
    ///
    /// # Panics
    /// If there is no such parameter.
    pub fn freeze(&mut self, name: &str) {
        let position = self.position(name);
        self.list[position].frozen = true;
    }

    /// Whether a table is kept as it is.
    ///
    /// # Panics
    /// If there is no such parameter.
    pub fn is_frozen(&self, name: &str) -> bool {
        self.list[self.position(name)].frozen
    }

    /// Number of tables.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no table.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Number of values, frozen ones among them.
    pub fn count(&self) -> usize {
        self.list.iter().map(|p| p.value.as_ref().expect(HELD).shape().num_elements()).sum()
    }

    /// Where the tables live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Names with their group and shape, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Group, [usize; 2])> {
        let shape = |p: &Parameter| p.value.as_ref().expect(HELD).dims();
        self.list.iter().map(move |p| (p.name.as_str(), &p.group, shape(p)))
    }

    /// Tables to compute with: recorded for gradients when `training`, plain otherwise.
    pub fn values(&self, training: bool) -> Values<'_> {
        let leaf = |p: &Parameter| {
            let value = p.value.clone().expect(HELD);
            if !training {
                value
            } else if p.frozen {
                value.autodiff()
            } else {
                value.autodiff().require_grad()
            }
        };
        Values { tensors: self.list.iter().map(leaf).collect(), index: &self.index }
    }

    /// A copy of one table's values, row-major.
    ///
    /// # Panics
    /// If there is no such parameter.
    pub fn read(&self, name: &str) -> Vec<f32> {
        let value = self.list[self.position(name)].value.clone().expect(HELD);
        value.into_data().try_into_vec().expect("parameters are float32")
    }

    /// Names and tables, in order. A table must be dropped before the next update, which is in place where there is no other
    /// reference.
    pub fn tables(&self) -> impl Iterator<Item = (&str, Tensor<2>)> {
        self.list.iter().map(|p| (p.name.as_str(), p.value.clone().expect(HELD)))
    }

    /// Replaces one table's values.
    ///
    /// # Panics
    /// If there is no such parameter, or the values do not fill its shape.
    pub fn write(&mut self, name: &str, values: Vec<f32>) {
        let position = self.position(name);
        let shape = self.list[position].value.as_ref().expect(HELD).dims();
        let data = TensorData::new(values, shape);
        self.list[position].value = Some(Tensor::from_data(data, &self.device));
    }

    fn position(&self, name: &str) -> usize {
        *self.index.get(name).unwrap_or_else(|| panic!("no parameter `{name}`"))
    }

    /// Applies `update(position, value) -> value` to each table, which is then the only reference to it.
    pub(crate) fn update(&mut self, mut update: impl FnMut(usize, Tensor<2>) -> Tensor<2>) {
        for (k, p) in self.list.iter_mut().enumerate() {
            p.value = p.value.take().map(|value| update(k, value));
        }
    }

    /// A copy of every table (the best model so far).
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { tables: self.list.iter().map(|p| (p.name.clone(), self.read(&p.name))).collect() }
    }

    /// Restores a snapshot of the same model.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        for (name, values) in &snapshot.tables {
            self.write(name, values.clone());
        }
    }

    /// The tables as one safetensors file in memory, float32, with the given metadata. Equal tables and metadata give
    /// equal bytes.
    ///
    /// # Errors
    /// If the format refuses (it does not for float32 tables).
    pub fn to_safetensors(&self, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, ParameterError> {
        self.snapshot_to_safetensors(&self.snapshot(), metadata)
    }

    /// The same of a snapshot of this model.
    ///
    /// # Errors
    /// As [`to_safetensors`](Self::to_safetensors).
    pub fn snapshot_to_safetensors(
        &self,
        snapshot: &Snapshot,
        metadata: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, ParameterError> {
        let tables = self.iter().zip(snapshot.tables());
        let tables: Vec<(&str, [usize; 2], Vec<u8>)> =
            tables.map(|((name, _, shape), (_, values))| (name, shape, bytes(values))).collect();
        let failed = |e: safetensors::SafeTensorError| ParameterError::File {
            path: "model.safetensors".into(),
            reason: e.to_string(),
        };
        let mut views = BTreeMap::new();
        for (name, shape, data) in &tables {
            views.insert(
                (*name).to_owned(),
                TensorView::new(Dtype::F32, shape.to_vec(), data).map_err(failed)?,
            );
        }
        // Empty metadata and no table would make a header that is not JSON.
        let entries = metadata.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let entries = Some(entries).filter(|_| !metadata.is_empty());
        safetensors::serialize(views, entries).map(in_order).map_err(failed)
    }

    /// Reads every table of this model from a safetensors file.
    ///
    /// # Errors
    /// If the file cannot be read, a table is missing, or a shape differs; nothing is changed then.
    pub fn load_safetensors(&mut self, path: &Path) -> Result<(), ParameterError> {
        let name = || path.display().to_string();
        let buffer = std::fs::read(path).map_err(|source| ParameterError::Io { path: name(), source })?;
        let damaged =
            |e: safetensors::SafeTensorError| ParameterError::File { path: name(), reason: e.to_string() };
        let tensors = SafeTensors::deserialize(&buffer).map_err(damaged)?;
        let mut tables = Vec::new();
        for (name, _, expected) in self.iter() {
            let found = tensors.tensor(name).ok();
            match found.filter(|t| t.shape() == expected && t.dtype() == Dtype::F32) {
                Some(t) => tables.push((name.to_owned(), floats(t.data()))),
                None => return Err(shape_error(path, name, expected, tensors.tensor(name).ok())),
            }
        }
        self.restore(&Snapshot { tables });
        Ok(())
    }
}

/// Sorts the metadata in the header of a file in place: the format's writer leaves it in any order.
fn in_order(mut file: Vec<u8>) -> Vec<u8> {
    type Header = BTreeMap<String, BTreeMap<String, serde_json::Value>>;
    if let Some((length, rest)) = file.split_first_chunk_mut::<8>()
        && let Some(header) = rest.get_mut(..u64::from_le_bytes(*length) as usize)
        && let Ok(entries) = serde_json::from_slice::<Header>(header)
        && let Ok(text) = serde_json::to_string(&entries)
        && text.len() <= header.len()
    {
        header.fill(b' ');
        header[..text.len()].copy_from_slice(text.as_bytes());
    }
    file
}

fn shape_error(path: &Path, name: &str, expected: [usize; 2], found: Option<TensorView>) -> ParameterError {
    let found = found.map_or("no such tensor".into(), |t| format!("{:?} of {:?}", t.shape(), t.dtype()));
    ParameterError::Shape { path: path.display().to_string(), name: name.to_owned(), expected, found }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|w| f32::from_le_bytes(*w)).collect()
}

/// A copy of every table of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    tables: Vec<(String, Vec<f32>)>,
}

impl Snapshot {
    /// Tables by name, row-major, as a file keeps them.
    pub fn new(tables: Vec<(String, Vec<f32>)>) -> Snapshot {
        Snapshot { tables }
    }

    /// Names and values, in the order of the model's parameters.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &[f32])> {
        self.tables.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }
}

/// The tables of one step.
pub struct Values<'a> {
    tensors: Vec<Tensor<2>>,
    index: &'a HashMap<String, usize>,
}

impl<'a> Values<'a> {
    /// The same tables, on the same tape, where `kept` says so; the others held constant. `kept[k]` is about the
    /// `k`-th parameter. Gradients of losses of both add up.
    pub fn keeping(&self, kept: &[bool]) -> Values<'a> {
        let held = |(tensor, &kept): (&Tensor<2>, &bool)| {
            if kept { tensor.clone() } else { tensor.clone().detach() }
        };
        Values { tensors: self.tensors.iter().zip(kept).map(held).collect(), index: self.index }
    }

    /// The same tables, on the same tape, with what a loss of them gives the `k`-th parameter as a gradient multiplied by `scales[k]`.
    pub fn scaled(&self, scales: &[f64]) -> Values<'a> {
        let scaled = |(tensor, &scale): (&Tensor<2>, &f64)| {
            let constant = tensor.clone().detach();
            match scale {
                1.0 => tensor.clone(),
                0.0 => constant,
                // The difference is 0 in every place: the value stays as it is to the last bit.
                _ => constant.clone() + (tensor.clone() - constant) * scale,
            }
        };
        Values { tensors: self.tensors.iter().zip(scales).map(scaled).collect(), index: self.index }
    }

    /// The table of that name.
    ///
    /// # Panics
    /// If the backbone did not register it.
    pub fn get(&self, name: &str) -> Tensor<2> {
        let position = self.index.get(name).unwrap_or_else(|| panic!("no parameter `{name}`"));
        self.tensors[*position].clone()
    }

    /// The gradients of all tables, in order of registration; `None` where the loss does not reach.
    pub fn gradients(&self, gradients: &mut Gradients) -> Vec<Option<Tensor<2>>> {
        self.tensors.iter().map(|t| t.grad_remove(gradients)).collect()
    }
}
