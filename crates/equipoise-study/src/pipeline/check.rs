//! Checks of a pipeline's configuration that need no file.

use super::config::PipelineConfig;
use super::error::PipelineError;
use super::source::Source;

impl PipelineConfig {
    /// Checks what belongs together, and every range that can be checked without a file; returns where the data comes from.
    ///
    /// # Errors
    /// The first fault: field, value and what is expected.
    pub fn check(&self) -> Result<Source, PipelineError> {
        let fault = |text: String| Err(PipelineError::Setting(text));
        let source = Source::of(self)?;
        if self.min_rating.is_some_and(|rating| !rating.is_finite()) {
            return fault(format!("min_rating = {:?}: expected a finite number", self.min_rating));
        }
        if let Some(expected) = self.lacking_modality(&source) {
            return fault(format!("no modality: expected {expected}, so that items have features"));
        }
        if self.out.as_os_str().is_empty() {
            return fault("out: expected the directory where everything goes".into());
        }
        if !(1..=1000).contains(&self.seeds) {
            return fault(format!("seeds = {}: expected 1 to 1000", self.seeds));
        }
        Ok(source)
    }

    /// What would give items features, if nothing does.
    fn lacking_modality(&self, source: &Source) -> Option<&'static str> {
        let encoded = source.has_texts() || source.pictures().is_some() || !self.features.is_empty();
        match source {
            Source::Ready(_) => None,
            Source::Reviews { image_features, .. } => {
                (!encoded && image_features.is_none()).then_some("meta, image_features or features")
            }
            Source::Tables { .. } => (!encoded).then_some("items with text or image, or features"),
        }
    }
}
