//! Whisper's encoder: a spectrogram, two convolutions and a transformer, and the mean of what comes out.
//!
//! ```text
//! x   = gelu(conv1(S)), x = gelu(conv2(x)) + positions      kernels of 3, the second with a stride of 2
//! x   = blocks with norms first, then a norm                 one row for each 20 ms
//! row = mean over the rows whose 20 ms begin in the sound
//! ```
//!
//! Source: Radford et al., ICML 2023, *Robust Speech Recognition via Large-Scale Weak Supervision*. The model hears a sound in
//! windows of its own length (30 seconds), the last one filled up with silence; the mean is over all windows.

mod config;
mod load;
mod spectrogram;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use candle_core::{Device, Result, Tensor};
use candle_nn::{Conv1d, LayerNorm, Module};
use candle_transformers::models::vit::Encoder as Blocks;
use config::{Spec, check_processor};
use spectrogram::{HOP, Spectrogram};

use super::each::encode_each;
use super::levels::Levels;
use super::mel::Mel;
use super::sound::{SoundFault, listen};
use crate::error::EncodeError;
use crate::job::{Encoder, Remark};
use crate::transformer::{Activation, Weights};

/// Steps of the spectrogram that one row stands for.
const STRIDE: usize = 2;

/// The encoder of a Whisper model.
pub(super) struct Whisper {
    /// What tells whether there is anything to hear.
    mel: Mel,
    spectrogram: Spectrogram,
    tower: Tower,
    /// Seconds of each sound that are read.
    seconds: u32,
    /// Whether rows are given norm 1.
    normalise: bool,
    /// The files that decide the result.
    pub(super) files: Vec<PathBuf>,
}

/// The convolutions and the transformer.
struct Tower {
    bands: usize,
    width: usize,
    /// Rows of a window.
    rows: usize,
    convolutions: [Conv1d; 2],
    activation: Activation,
    /// Positions of the rows of a window.
    positions: Tensor,
    encoder: Blocks,
    norm: LayerNorm,
}

impl Whisper {
    /// The encoder in a folder: `config.json`, weights, and `preprocessor_config.json` where there is one.
    ///
    /// # Errors
    /// If a file is not there, cannot be understood, or does not fit the others.
    pub(super) fn open(
        dir: &Path,
        seconds: u32,
        normalise: bool,
    ) -> std::result::Result<Whisper, EncodeError> {
        let config = dir.join("config.json");
        let spec = Spec::read(&config)?;
        let processor = dir.join("preprocessor_config.json");
        check_processor(&processor, &spec)?;
        let weights = Weights::open(dir)?;
        let tower = Tower::load(&spec, &config, &weights)?;
        let files = [config, processor].into_iter().chain(weights.files()).collect();
        let (mel, spectrogram) = (Mel::new(), Spectrogram::new(spec.bands));
        Ok(Whisper { mel, spectrogram, tower, seconds, normalise, files })
    }

    /// Writes the row of a sound; returns whether the sound goes on after what was read.
    fn row(&self, path: &Path, out: &mut [f32]) -> std::result::Result<bool, SoundFault> {
        let mut heard = Heard::new(self);
        let goes_on = listen(path, self.seconds, &mut |samples| heard.push(samples))?;
        heard.finish(out)?;
        Ok(goes_on)
    }
}

/// A sound that is being encoded.
struct Heard<'a> {
    whisper: &'a Whisper,
    levels: Levels<'a>,
    /// Samples of the window that is not full yet.
    window: Vec<f32>,
    /// Sums of the rows of the windows before.
    sums: Vec<f64>,
    rows: usize,
}

impl Heard<'_> {
    fn new(whisper: &Whisper) -> Heard<'_> {
        Heard {
            whisper,
            levels: Levels::new(&whisper.mel),
            window: Vec::new(),
            sums: vec![0.0; whisper.tower.width],
            rows: 0,
        }
    }

    fn push(&mut self, mut samples: &[f32]) {
        self.levels.push(samples);
        let size = self.whisper.tower.rows * STRIDE * HOP;
        while !samples.is_empty() {
            let (part, rest) = samples.split_at(samples.len().min(size - self.window.len()));
            self.window.extend_from_slice(part);
            samples = rest;
            if self.window.len() == size {
                self.encode(size);
            }
        }
    }

    /// Encodes the window, filled up to `size` samples.
    fn encode(&mut self, size: usize) {
        let covered = self.window.len().div_ceil(STRIDE * HOP);
        self.window.resize(size, 0.0);
        let steps = self.whisper.spectrogram.of(&self.window);
        let rows = self.whisper.tower.forward(steps);
        let rows = rows.expect("a window of the size that the weights were checked for");
        for row in rows.chunks_exact(self.sums.len()).take(covered) {
            self.sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        self.rows += covered;
        self.window.clear();
    }

    fn finish(mut self, out: &mut [f32]) -> std::result::Result<(), SoundFault> {
        self.levels.check()?;
        if !self.window.is_empty() {
            self.encode(self.whisper.tower.rows * STRIDE * HOP);
        }
        let rows = self.rows as f64;
        out.iter_mut().zip(&self.sums).for_each(|(out, sum)| *out = (sum / rows) as f32);
        Ok(())
    }
}

impl Tower {
    /// The rows of a window of `STRIDE * rows` steps, `[steps, bands]`.
    fn forward(&self, steps: Vec<f32>) -> Result<Vec<f32>> {
        let x = Tensor::from_vec(steps, (1, STRIDE * self.rows, self.bands), &Device::Cpu)?;
        let mut x = x.transpose(1, 2)?.contiguous()?;
        for convolution in &self.convolutions {
            x = self.activation.forward(&convolution.forward(&x)?)?;
        }
        let x = x.transpose(1, 2)?.contiguous()?.broadcast_add(&self.positions)?;
        self.norm.forward(&self.encoder.forward(&x)?)?.flatten_all()?.to_vec1()
    }
}

impl Encoder for Whisper {
    type Input = PathBuf;

    fn width(&self) -> usize {
        self.tower.width
    }

    fn encode(&self, batch: &[PathBuf], out: &mut [f32]) -> Vec<Remark> {
        encode_each(batch, out, self.width(), self.normalise, |path, out| self.row(path, out))
    }
}
