//! Features.
use super::super::config::PipelineConfig;
use super::super::stage::Stage;
pub(super) fn all(_config: &PipelineConfig) -> Vec<Box<dyn Stage>> {
    Vec::new()
}
