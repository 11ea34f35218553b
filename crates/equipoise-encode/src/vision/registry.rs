//! The models of pictures, by `model_type` of `config.json`.

use std::path::Path;

use super::convolution::{convnext, resnet};
use super::known::known;
use super::model;
use super::picture_model::PictureModel;
use super::pooling::ImagePooling;
use crate::error::EncodeError;
use crate::json;
use crate::transformer::Weights;

/// Reads and checks a model: from its `config.json` and weights, for prepared pictures of so many rows and columns.
pub(super) type Open =
    fn(&Path, &Weights, (usize, usize), ImagePooling) -> Result<Box<dyn PictureModel>, EncodeError>;

/// Every architecture.
const ALL: [(&str, Open); 10] = [
    ("vit", model::open),
    ("dinov2", model::open),
    ("dinov2_with_registers", model::open),
    ("clip", model::open),
    ("clip_vision_model", model::open),
    ("siglip", model::open),
    ("siglip_vision_model", model::open),
    ("resnet", resnet::open),
    ("convnext", convnext::open),
    ("convnextv2", convnext::open),
];

/// `model_type` of `config.json`, and what opens such a model.
///
/// # Errors
/// If the file cannot be read, or names a model that is not known.
pub(super) fn find(config: &Path) -> Result<(&'static str, Open), EncodeError> {
    known(config, &json::read(config)?, &ALL)
}
