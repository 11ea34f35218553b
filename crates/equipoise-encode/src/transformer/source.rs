//! Weights of a folder under the names by which candle's models ask for them.

use std::sync::Mutex;

use candle_core::{DType, Device, Error, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};

use super::weights::Weights;
use crate::error::EncodeError;

/// How the tensors that a model asks for are found in a file.
pub(crate) trait Naming: Send + Sync {
    /// What the file calls the tensor that the model calls `asked`.
    fn name(&self, asked: &str) -> String;

    /// The shape that the file has where the model asks for `shape`.
    fn shape(&self, _asked: &str, shape: &[usize]) -> Vec<usize> {
        shape.to_vec()
    }

    /// Makes of the file's values those that the model takes.
    ///
    /// # Errors
    /// If it needs another tensor, which does not fit.
    fn adapt(&self, _asked: &str, _values: &mut [f32], _weights: &Weights) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// What `make` builds of the weights. A linear map, or the convolution of patches, without a bias in the file gets one of zeros.
///
/// # Errors
/// The tensor that is absent or does not fit.
pub(crate) fn load<T>(
    weights: &Weights,
    naming: &dyn Naming,
    make: impl FnOnce(VarBuilder) -> candle_core::Result<T>,
) -> Result<T, EncodeError> {
    let fault = Mutex::new(None);
    let source = Source { weights, naming, fault: &fault };
    let made = make(VarBuilder::from_backend(Box::new(source), DType::F32, Device::Cpu));
    made.map_err(|error| {
        // A model may go on without a tensor that it can do without: the last fault is the one that it could not.
        let fault = fault.into_inner().unwrap_or_default();
        fault.unwrap_or_else(|| {
            let problem = format!("the model cannot be built ({error:.200}); fetch the model again");
            EncodeError::file(&weights.files()[0], problem)
        })
    })
}

struct Source<'a> {
    weights: &'a Weights,
    naming: &'a dyn Naming,
    fault: &'a Mutex<Option<EncodeError>>,
}

impl Source<'_> {
    fn tensor(&self, asked: &str, shape: &[usize]) -> Result<(Vec<f32>, Vec<usize>), EncodeError> {
        let (name, shape) = (self.naming.name(asked), self.naming.shape(asked, shape));
        let mut values = match self.without_bias(&name) {
            true => vec![0.0; shape.iter().product()],
            false => self.weights.tensor(&name, &shape)?,
        };
        self.naming.adapt(asked, &mut values, self.weights)?;
        Ok((values, shape))
    }

    /// Whether this is the bias, which is absent, of a linear map or of the convolution of patches.
    fn without_bias(&self, name: &str) -> bool {
        let weight = name.strip_suffix(".bias").map(|map| format!("{map}.weight"));
        let dimensions = weight.and_then(|weight| self.weights.shape(&weight).ok()).map_or(0, <[_]>::len);
        matches!(dimensions, 2 | 4) && !self.weights.has(name)
    }
}

impl SimpleBackend for Source<'_> {
    fn get(
        &self,
        shape: Shape,
        asked: &str,
        _: Init,
        _: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let found = self.tensor(asked, shape.dims());
        let (values, shape) = found.map_err(|error| {
            let message = error.to_string();
            if let Ok(mut fault) = self.fault.lock() {
                *fault = Some(error);
            }
            Error::Msg(message)
        })?;
        Tensor::from_vec(values, shape, device)
    }

    fn get_unchecked(&self, asked: &str, kind: DType, device: &Device) -> candle_core::Result<Tensor> {
        let shape = self.weights.shape(&self.naming.name(asked)).map(Shape::from);
        self.get(shape.unwrap_or_else(|_| Shape::from(())), asked, Init::Const(0.0), kind, device)
    }

    fn contains_tensor(&self, asked: &str) -> bool {
        self.weights.has(&self.naming.name(asked))
    }
}

/// Names that start with the same words in the file, and are those that the model asks for otherwise.
pub(crate) struct Prefixed<'a>(pub(crate) &'a str);

impl Naming for Prefixed<'_> {
    fn name(&self, asked: &str) -> String {
        format!("{}{asked}", self.0)
    }
}

/// Tensors that are asked for by the names that they have.
pub(crate) struct AsTheyAre;

impl Naming for AsTheyAre {
    fn name(&self, asked: &str) -> String {
        asked.to_owned()
    }
}
