//! The parameters of a run's model by name, read without its backbone or its data set.

use crate::error::TrainError;
use crate::run::Run;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use std::collections::HashMap;

/// The parameters of a trained model: float32 tables by name.
#[derive(Clone, Debug)]
pub struct StoredParameters(HashMap<String, StoredTable>);

#[derive(Clone, Debug)]
struct StoredTable {
    width: usize,
    values: Vec<f32>,
}

impl StoredParameters {
    /// A table, row after row, and the values per row; `None` if the model has no such parameter.
    pub fn get(&self, name: &str) -> Option<(&[f32], usize)> {
        self.0.get(name).map(|table| (&table.values[..], table.width))
    }
}

impl Run {
    /// The parameters of its model as `model.safetensors` stores them.
    ///
    /// # Errors
    /// If the file is missing, damaged, or not that of this run.
    pub fn parameters(&self) -> Result<StoredParameters, TrainError> {
        let path = self.model_path();
        let bytes = std::fs::read(&path).map_err(|e| TrainError::io(&path, e))?;
        self.check_bytes(&path, &bytes)?;
        let damaged = |e: safetensors::SafeTensorError| TrainError::format(&path, e);
        let file = SafeTensors::deserialize(&bytes).map_err(damaged)?;
        let two = file.tensors().into_iter().filter_map(|(name, tensor)| match tensor.shape() {
            &[_, width] if tensor.dtype() == Dtype::F32 => {
                let values =
                    tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
                Some((name, StoredTable { width, values }))
            }
            _ => None,
        });
        Ok(StoredParameters(two.collect()))
    }
}
