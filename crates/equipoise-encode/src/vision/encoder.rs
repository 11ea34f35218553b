//! Pictures to rows: decoding, preprocessing and the model, on the thread that has the batch.

use std::path::{Path, PathBuf};

use super::picture::open;
use super::picture_model::PictureModel;
use super::pooling::ImagePooling;
use super::preprocess::{Preprocessing, parse};
use super::registry;
use crate::error::EncodeError;
use crate::job::{Encoder, Remark};
use crate::transformer::{Weights, unit_rows};
use equipoise_data::short;

/// A model of pictures with its preprocessing.
pub(super) struct ImageEncoder {
    preprocessing: Preprocessing,
    model: Box<dyn PictureModel>,
    normalise: bool,
    /// `model_type` of its configuration.
    pub architecture: String,
    /// The files that decide the result.
    pub files: Vec<PathBuf>,
}

impl ImageEncoder {
    /// The encoder in a folder: `config.json`, `preprocessor_config.json` and weights.
    ///
    /// # Errors
    /// If a file is not there, cannot be understood, or does not fit the others.
    pub fn open(dir: &Path, pooling: ImagePooling, normalise: bool) -> Result<ImageEncoder, EncodeError> {
        let config = dir.join("config.json");
        let (architecture, open) = registry::find(&config)?;
        let processor = processor_file(dir)?;
        let text = std::fs::read_to_string(&processor).map_err(EncodeError::io(&processor))?;
        let preprocessing = parse(&text, architecture).map_err(|problem| {
            let problem = short(&problem);
            EncodeError::file(&processor, format!("{problem}; correct the file or choose another model"))
        })?;
        let size =
            preprocessing.output_size().expect("settings without a size are refused when they are read");
        let weights = Weights::open(dir)?;
        let model = open(&config, &weights, size, pooling)?;
        let files = [config, processor].into_iter().chain(weights.files()).collect();
        Ok(ImageEncoder { preprocessing, model, normalise, architecture: architecture.to_owned(), files })
    }

    /// What a picture counts as when batches are formed.
    pub fn tokens(&self) -> usize {
        self.model.tokens()
    }

    /// What row stands for a picture.
    pub fn pooling(&self) -> &'static str {
        self.model.pooling()
    }
}

fn processor_file(dir: &Path) -> Result<PathBuf, EncodeError> {
    let files = ["preprocessor_config.json", "processor_config.json"].map(|name| dir.join(name));
    files.into_iter().find(|file| file.is_file()).ok_or_else(|| {
        let problem = "no preprocessor_config.json, which says how pictures are resized and scaled; fetch it with \
                       the model";
        EncodeError::file(dir, problem)
    })
}

impl Encoder for ImageEncoder {
    type Input = PathBuf;

    fn width(&self) -> usize {
        self.model.outputs()
    }

    /// One picture is held decoded at a time, and the patches of the batch.
    fn encode(&self, batch: &[PathBuf], out: &mut [f32]) -> Vec<Remark> {
        let (mut patches, mut places, mut broken) = (Vec::new(), Vec::new(), Vec::new());
        for (place, path) in batch.iter().enumerate() {
            match open(path) {
                Ok(picture) => {
                    self.model.append(&self.preprocessing.apply(&picture).0, &mut patches);
                    places.push(place);
                }
                Err(fault) => {
                    broken.push(Remark::broken_file(place, path, fault));
                }
            }
        }
        if !places.is_empty() {
            let width = self.width();
            let mut rows = self.model.forward(&patches);
            if self.normalise {
                unit_rows(&mut rows, width);
            }
            for (place, row) in places.into_iter().zip(rows.chunks_exact(width)) {
                out[place * width..][..width].copy_from_slice(row);
            }
        }
        broken
    }
}
