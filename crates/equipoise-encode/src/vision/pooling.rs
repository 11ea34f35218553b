//! How a picture becomes one row.

use serde::{Deserialize, Serialize};

/// Which row stands for a picture (`pooling`).
///
/// | name | row | models |
/// |---|---|---|
/// | `model` | what the model's authors use: `cls` for ViT and DINOv2, the projected class token (`image_embeds`) for CLIP, `cls` where its projection is left out, the attention head for SigLIP, the mean over pixels for ResNet and, normalised, for ConvNeXt | all |
/// | `cls` | class token after the final norm | ViT, DINOv2, CLIP |
/// | `mean` | mean of the patches after the final norm | ViT, DINOv2, SigLIP, ResNet |
/// | `pooler` | `tanh(W cls + b)` | ViT with a pooler |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImagePooling {
    /// What the model's authors use.
    #[default]
    Model,
    /// The class token.
    Cls,
    /// The mean of the patches.
    Mean,
    /// The class token through the pooler.
    Pooler,
}

impl ImagePooling {
    /// Name in settings.
    pub fn name(self) -> &'static str {
        match self {
            ImagePooling::Model => "model",
            ImagePooling::Cls => "cls",
            ImagePooling::Mean => "mean",
            ImagePooling::Pooler => "pooler",
        }
    }
}
