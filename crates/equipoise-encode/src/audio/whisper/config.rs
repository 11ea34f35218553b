//! `config.json` and `preprocessor_config.json` of Whisper models.

use std::path::Path;

use serde::Deserialize;

use super::spectrogram::{HOP, WINDOW};
use crate::audio::sound::RATE;
use crate::error::EncodeError;
use crate::json;
use equipoise_data::quoted;

/// Sizes of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spec {
    /// Bands of the spectrogram.
    pub(super) bands: usize,
    /// Width of a row.
    pub(super) width: usize,
    /// Number of blocks.
    pub(super) layers: usize,
    /// Heads of attention.
    pub(super) heads: usize,
    /// Width within the second part of a block.
    pub(super) hidden: usize,
    /// Rows of a window.
    pub(super) positions: usize,
    /// Name of the activation.
    pub(super) activation: String,
}

/// The fields of `config.json`, with the defaults of the library that writes it.
#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(default)]
    model_type: String,
    num_mel_bins: Option<usize>,
    d_model: Option<usize>,
    encoder_layers: Option<usize>,
    encoder_attention_heads: Option<usize>,
    encoder_ffn_dim: Option<usize>,
    max_source_positions: Option<usize>,
    activation_function: Option<String>,
}

/// The fields of `preprocessor_config.json` that could say something else than this encoder does.
#[derive(Debug, Deserialize)]
struct Processor {
    sampling_rate: Option<usize>,
    n_fft: Option<usize>,
    hop_length: Option<usize>,
    feature_size: Option<usize>,
}

impl Spec {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// If the file cannot be read, is of another architecture, or a size is out of its range.
    pub(super) fn read(file: &Path) -> Result<Spec, EncodeError> {
        let fields: Fields = json::read(file)?;
        if fields.model_type != "whisper" {
            let found = quoted(&fields.model_type);
            let problem = format!("model_type = {found}: expected whisper; choose another model, or builtin");
            return Err(EncodeError::file(file, problem));
        }
        let spec = Spec {
            bands: fields.num_mel_bins.unwrap_or(80),
            width: fields.d_model.unwrap_or(384),
            layers: fields.encoder_layers.unwrap_or(4),
            heads: fields.encoder_attention_heads.unwrap_or(6),
            hidden: fields.encoder_ffn_dim.unwrap_or(1536),
            positions: fields.max_source_positions.unwrap_or(1500),
            activation: fields.activation_function.unwrap_or_else(|| "gelu".to_owned()),
        };
        spec.checked().map_err(|problem| {
            EncodeError::file(file, format!("{problem}; correct the file or fetch the model again"))
        })
    }

    /// Sizes that no model has would otherwise be asked of the memory.
    fn checked(self) -> Result<Spec, String> {
        let sizes = [
            ("num_mel_bins", self.bands, 1_024),
            ("d_model", self.width, 16_384),
            ("encoder_layers", self.layers, 1_024),
            ("encoder_attention_heads", self.heads, self.width),
            ("encoder_ffn_dim", self.hidden, 131_072),
            ("max_source_positions", self.positions, 16_384),
        ];
        for (field, value, most) in sizes {
            if value == 0 || value > most {
                return Err(format!("{field} = {value}: expected 1 to {most}"));
            }
        }
        if self.width.is_multiple_of(self.heads) {
            Ok(self)
        } else {
            let (width, heads) = (self.width, self.heads);
            Err(format!("encoder_attention_heads = {heads}: expected a divisor of d_model = {width}"))
        }
    }
}

/// Refuses sounds that are prepared in another way than Whisper's; a file that is not there says nothing else.
///
/// # Errors
/// The field, its value and what is expected.
pub(super) fn check_processor(file: &Path, spec: &Spec) -> Result<(), EncodeError> {
    let Some(found) = json::read_if_there::<Processor>(file)? else { return Ok(()) };
    for (field, found, expected) in [
        ("sampling_rate", found.sampling_rate, RATE as usize),
        ("n_fft", found.n_fft, WINDOW),
        ("hop_length", found.hop_length, HOP),
        ("feature_size", found.feature_size, spec.bands),
    ] {
        if let Some(found) = found.filter(|found| *found != expected) {
            let problem = format!("{field} = {found}: expected {expected}; use the two files of one model");
            return Err(EncodeError::file(file, problem));
        }
    }
    Ok(())
}
