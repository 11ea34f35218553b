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

use config::{Spec, check_processor};
use spectrogram::{HOP, Spectrogram};

use super::each::encode_each;
use super::levels::Levels;
use super::mel::Mel;
use super::sound::{SoundFault, listen};
use crate::error::EncodeError;
use crate::job::{Encoder, Remark};
use crate::transformer::{Activation, Block, LayerNorm, Linear, Scratch, Weights};

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
    /// Kernels as maps of three rows one behind the other.
    convolutions: [Linear; 2],
    activation: Activation,
    /// Positions of the rows of a window.
    positions: Vec<f32>,
    blocks: Vec<Block>,
    norm: LayerNorm,
}

impl Whisper {
    /// The encoder in a folder: `config.json`, weights, and `preprocessor_config.json` where there is one.
    ///
    /// # Errors
    /// If a file is not there, cannot be understood, or does not fit the others.
    pub(super) fn open(dir: &Path, seconds: u32, normalise: bool) -> Result<Whisper, EncodeError> {
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
    fn row(&self, path: &Path, out: &mut [f32]) -> Result<bool, SoundFault> {
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
    scratch: Scratch,
}

impl Heard<'_> {
    fn new(whisper: &Whisper) -> Heard<'_> {
        Heard {
            whisper,
            levels: Levels::new(&whisper.mel),
            window: Vec::new(),
            sums: vec![0.0; whisper.tower.width],
            rows: 0,
            scratch: Scratch::default(),
        }
    }

    fn push(&mut self, mut samples: &[f32]) {
        self.levels.push(samples);
        let size = self.whisper.tower.rows() * STRIDE * HOP;
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
        let rows = self.whisper.tower.forward(&steps, &mut self.scratch);
        for row in rows.chunks_exact(self.sums.len()).take(covered) {
            self.sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        self.rows += covered;
        self.window.clear();
    }

    fn finish(mut self, out: &mut [f32]) -> Result<(), SoundFault> {
        self.levels.check()?;
        if !self.window.is_empty() {
            self.encode(self.whisper.tower.rows() * STRIDE * HOP);
        }
        let rows = self.rows as f64;
        out.iter_mut().zip(&self.sums).for_each(|(out, sum)| *out = (sum / rows) as f32);
        Ok(())
    }
}

impl Tower {
    /// Rows of a window.
    fn rows(&self) -> usize {
        self.positions.len() / self.width
    }

    /// The rows of a window of `STRIDE * rows()` steps, `[steps, bands]`.
    fn forward(&self, steps: &[f32], scratch: &mut Scratch) -> Vec<f32> {
        let [first, second] = &self.convolutions;
        let x = self.convolved(first, steps, self.bands, 1);
        let mut x = self.convolved(second, &x, self.width, STRIDE);
        x.iter_mut().zip(&self.positions).for_each(|(x, position)| *x += position);
        for block in &self.blocks {
            block.forward(&mut x, &[0, self.rows()], None, scratch);
        }
        self.norm.forward(&mut x);
        x
    }

    /// Every `stride`-th row with its neighbours through the map; before the first and after the last row there are zeros.
    fn convolved(&self, map: &Linear, rows: &[f32], width: usize, stride: usize) -> Vec<f32> {
        let zeros = vec![0.0; width];
        let padded = [&zeros, rows, &zeros].concat();
        let count = rows.len() / width;
        let three = (0..count).step_by(stride).flat_map(|row| &padded[row * width..(row + 3) * width]);
        let three: Vec<f32> = three.copied().collect();
        let mut out = Vec::new();
        map.forward(&three, &mut out);
        self.activation.apply(&mut out);
        out
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
