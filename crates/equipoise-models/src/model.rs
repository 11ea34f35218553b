//! A backbone with its parameters and inputs: the thing that is trained, saved and encoded.

use crate::config::BackboneConfig;
use crate::{Ablation, Backbone, Build, Encoded, Inputs, MAX_MODALITIES, Request};
use burn::tensor::Device;
use equipoise_data::{Dataset, FieldError, Seed};
use equipoise_nn::Parameters;

/// Why a model cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ModelError {
    /// An unknown backbone, a setting outside its range, or one that the data set cannot serve.
    #[error(transparent)]
    Setting(#[from] FieldError),
    /// A data set without content, or with too much of it.
    #[error("the data set has {0} modalities: expected 1 to 64")]
    Modalities(usize),
    /// A stop was asked for while it was being built; see [`Inputs::until`].
    #[error("stopped while the model was being built")]
    Stopped,
}

/// A backbone with its parameters and inputs.
pub struct Model {
    /// The network.
    pub backbone: Box<dyn Backbone>,
    /// Its parameters.
    pub parameters: Parameters,
    /// Sizes and features.
    pub inputs: Inputs,
}

impl Model {
    /// Builds a model with fresh parameters drawn from the stream `init` of `seed`.
    ///
    /// # Errors
    /// If the backbone is unknown, a setting is out of range or asks for what the data set does not have, or the
    /// data set has no modality.
    pub fn new(
        config: &BackboneConfig,
        data: &Dataset,
        seed: Seed,
        device: &Device,
    ) -> Result<Model, ModelError> {
        Model::on(config, Inputs::new(data), seed, device)
    }

    /// The same on inputs that other models of the data set use too: graphs are derived once for all.
    ///
    /// # Errors
    /// As [`new`](Model::new); [`ModelError::Stopped`].
    pub fn on(
        config: &BackboneConfig,
        inputs: Inputs,
        seed: Seed,
        device: &Device,
    ) -> Result<Model, ModelError> {
        let entry = config.check()?;
        if inputs.modalities.is_empty() || inputs.n_modalities() > MAX_MODALITIES {
            return Err(ModelError::Modalities(inputs.n_modalities()));
        }
        let mut parameters = Parameters::new(device);
        let mut stream = seed.stream("init");
        let width = config.width;
        let mut build =
            Build { width, inputs: &inputs, parameters: &mut parameters, stream: &mut stream, refusal: None };
        let backbone = entry.build(&config.sections, &mut build);
        if let Some(fault) = build.refusal {
            return Err(ModelError::Setting(fault));
        }
        if inputs.is_stopped() {
            return Err(ModelError::Stopped);
        }
        Ok(Model { backbone, parameters, inputs: inputs.whole() })
    }

    /// Final tables of every user and item under each ablation, in inference mode.
    pub fn encode_all(&self, ablations: &[Ablation]) -> Encoded {
        let values = self.parameters.values(false);
        self.backbone.encode(&Request::inference(&values, &self.inputs, ablations))
    }
}
