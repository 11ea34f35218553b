//! A backbone with its parameters and inputs: the thing that is trained, saved and asked for tables.

use crate::registry::{BackboneConfig, BackboneEntry, find};
use crate::{Ablation, Backbone, Encoded, Inputs, Mode, Request};
use burn::tensor::Device;
use equipoise_data::{Dataset, Seed};
use equipoise_nn::Parameters;

/// Why a model cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ModelError {
    /// No backbone of that name.
    #[error("unknown backbone `{name}`: choose one of {known}")]
    UnknownBackbone {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A width outside its range.
    #[error("backbone.width = {0}: expected 1 to 4096")]
    Width(usize),
    /// A data set without content, or with too much of it.
    #[error("the data set has {0} modalities: expected 1 to 64")]
    Modalities(usize),
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
    /// If the backbone is unknown, the width is out of range, or the data set has no modality.
    pub fn new(
        config: &BackboneConfig,
        data: &Dataset,
        seed: Seed,
        device: &Device,
    ) -> Result<Model, ModelError> {
        let entry = entry(config)?;
        let inputs = Inputs::new(data);
        if inputs.modalities.is_empty() || inputs.n_modalities() > crate::ablation::MAX_MODALITIES {
            return Err(ModelError::Modalities(inputs.n_modalities()));
        }
        let mut parameters = Parameters::new(device);
        let backbone = (entry.build)(config, &inputs, &mut parameters, &mut seed.stream("init"));
        Ok(Model { backbone, parameters, inputs })
    }

    /// Final tables of every user and item under each ablation, in inference mode.
    pub fn encode_all(&self, ablations: &[Ablation]) -> Encoded {
        let values = self.parameters.values(false);
        self.backbone.encode(&Request {
            values: &values,
            inputs: &self.inputs,
            ablations,
            users: self.inputs.all_users(),
            items: self.inputs.all_items(),
            constants: false,
            mode: Mode::Inference,
            step: 0,
        })
    }
}

fn entry(config: &BackboneConfig) -> Result<&'static BackboneEntry, ModelError> {
    if !(1..=4096).contains(&config.width) {
        return Err(ModelError::Width(config.width));
    }
    find(&config.name).ok_or_else(|| ModelError::UnknownBackbone {
        name: config.name.clone(),
        known: crate::backbones().iter().map(|b| b.name).collect::<Vec<_>>().join(", "),
    })
}
