//! Checks of a pipeline's configuration that need no file.

use super::config::PipelineConfig;
use super::error::PipelineError;
use super::source::Source;
use equipoise_data::{FieldError, ranges};

impl PipelineConfig {
    /// Checks what belongs together, and every range that can be checked without a file; returns where the data comes from.
    ///
    /// # Errors
    /// The first fault: field, value and what is expected.
    pub fn check(&self) -> Result<Source, PipelineError> {
        let source = Source::of(self)?;
        if let Some(rating) = self.min_rating.filter(|rating| !rating.is_finite()) {
            return Err(FieldError::new("min_rating", rating, "a finite number").into());
        }
        if let Some(expected) = self.lacking_modality(&source) {
            let expected = format!("{expected}, so that items have features");
            return Err(FieldError::missing("no modality", expected).into());
        }
        if self.out.as_os_str().is_empty() {
            return Err(FieldError::missing("out", "the directory where everything goes").into());
        }
        if !(1..=1000).contains(&self.seeds) {
            return Err(FieldError::new("seeds", self.seeds, "1 to 1000").into());
        }
        ranges::at_least_one("epochs", self.epochs)?;
        Ok(source)
    }

    /// What would give items features, if nothing does.
    fn lacking_modality(&self, source: &Source) -> Option<&'static str> {
        let files = source.pictures().is_some() || source.sounds().is_some();
        let encoded = source.has_texts() || files || !self.features.is_empty();
        match source {
            Source::Ready(_) => None,
            Source::Reviews { image_features, .. } => {
                (!encoded && image_features.is_none()).then_some("meta, image_features or features")
            }
            Source::Tables { .. } => (!encoded)
                .then_some("items with text, image or audio, image_folder, audio_folder or features"),
        }
    }
}
