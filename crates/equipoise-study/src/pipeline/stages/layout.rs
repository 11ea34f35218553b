//! Names of the stages, which are their directories too, and where they leave what other stages read.

use super::super::config::PipelineConfig;
use super::super::settings::Method;
use std::path::PathBuf;

/// The import of raw files.
pub(in super::super) const IMPORT: &str = "import";
/// The features of texts.
pub(in super::super) const TEXT: &str = "features/text";
/// The features of pictures.
pub(in super::super) const IMAGE: &str = "features/image";
/// The features of sounds.
pub(in super::super) const AUDIO: &str = "features/audio";
/// The data set and its check.
pub(in super::super) const DATA: &str = "data";
/// The data set in the directory of the import.
pub(in super::super) const IMPORTED: &str = "data";
/// The data set in the directory of `data`.
pub(in super::super) const SET: &str = "set";
/// The model to be served.
pub(in super::super) const SERVED: &str = "served";
/// The report.
pub(in super::super) const REPORT: &str = "report";

/// The search for a method's settings.
pub(in super::super) fn tune(method: Method) -> String {
    format!("tune/{}", method.name())
}

/// The run of a method and a seed.
pub(in super::super) fn train(method: Method, seed: u64) -> String {
    format!("{}/seed{seed}", method.name())
}

/// The teachers of a seed.
pub(in super::super) fn teachers(seed: u64) -> String {
    format!("teachers/seed{seed}")
}

/// The raw files as a data set that lacks features.
pub(in super::super) fn imported(config: &PipelineConfig) -> PathBuf {
    config.out.join(IMPORT).join(IMPORTED)
}

/// The data set that everything after the stage `data` reads.
pub(in super::super) fn data_set(config: &PipelineConfig) -> PathBuf {
    config.data.clone().unwrap_or_else(|| config.out.join(DATA).join(SET))
}

/// The settings that were chosen for a method.
pub(in super::super) fn chosen(config: &PipelineConfig, method: Method) -> PathBuf {
    config.out.join(tune(method)).join("chosen.toml")
}
