//! The architectures of text encoders, by `model_type` of `config.json`.

use std::path::Path;

use equipoise_data::quoted;

use super::architecture::Architecture;
use super::config::{CONFIG, model_type};
use super::{bert, modern_bert, nomic_bert, qwen3};
use crate::error::EncodeError;

/// Reads and checks the `config.json` of a folder.
type Read = fn(&Path) -> Result<Architecture, EncodeError>;

/// Every architecture.
static ALL: [(&str, Read); 9] = [
    ("bert", bert::read),
    ("roberta", bert::read),
    ("xlm-roberta", bert::read),
    ("camembert", bert::read),
    ("distilbert", bert::read),
    ("mpnet", bert::read),
    ("modernbert", modern_bert::read),
    ("nomic_bert", nomic_bert::read),
    ("qwen3", qwen3::read),
];

/// The settings of the model in a folder.
///
/// # Errors
/// If its architecture is not known, or a setting is absent or out of its range.
pub(crate) fn read(dir: &Path) -> Result<Architecture, EncodeError> {
    let found = model_type(dir)?.unwrap_or_default();
    match ALL.iter().find(|(name, _)| *name == found) {
        Some((_, read)) => read(dir),
        None => {
            let known = ALL.map(|(name, _)| name).join(", ");
            let found = quoted(&found);
            let problem =
                format!("model_type is {found}, expected one of {known}, model2vec; choose another model");
            Err(EncodeError::file(&dir.join(CONFIG), problem))
        }
    }
}
