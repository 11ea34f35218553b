//! Statistics of levels over time, one window after another.

use super::mel::{BANDS, HOP, Mel, Spectrum, WINDOW};
use super::sound::{RATE, SoundFault};

/// Least power that counts, 100 dB below a sine of full scale: below it lies the noise of 16 bits.
const FLOOR: f64 = 1e-10;

/// Mean, standard deviation and mean absolute change of the levels `ln max(P, FLOOR)` of each band.
pub(super) struct Levels<'a> {
    mel: &'a Mel,
    spectrum: Spectrum,
    /// Samples that are still needed.
    waiting: Vec<f32>,
    /// Samples that came in all.
    samples: u64,
    windows: u64,
    mean: [f64; BANDS],
    /// Sums of squared differences from the mean.
    squares: [f64; BANDS],
    /// Sums of absolute differences between a window and the one before.
    changes: [f64; BANDS],
    last: [f64; BANDS],
    /// Whether any band of any window was louder than the floor.
    audible: bool,
}

impl Levels<'_> {
    /// Those of nothing.
    pub(super) fn new(mel: &Mel) -> Levels<'_> {
        Levels {
            mel,
            spectrum: Spectrum::new(),
            waiting: Vec::new(),
            samples: 0,
            windows: 0,
            mean: [0.0; BANDS],
            squares: [0.0; BANDS],
            changes: [0.0; BANDS],
            last: [0.0; BANDS],
            audible: false,
        }
    }

    /// Adds samples.
    pub(super) fn push(&mut self, samples: &[f32]) {
        self.samples += samples.len() as u64;
        self.waiting.extend_from_slice(samples);
        let mut at = 0;
        while at + WINDOW <= self.waiting.len() {
            self.window(at);
            at += HOP;
        }
        self.waiting.drain(..at);
    }

    fn window(&mut self, at: usize) {
        let mut levels = [0.0; BANDS];
        self.mel.powers(&self.waiting[at..at + WINDOW], &mut self.spectrum, &mut levels);
        self.audible |= levels.iter().any(|&power| power > FLOOR);
        self.windows += 1;
        for (band, level) in levels.iter_mut().enumerate() {
            *level = level.max(FLOOR).ln();
            // Welford's sums: levels that are alike keep their small variance.
            let off = *level - self.mean[band];
            self.mean[band] += off / self.windows as f64;
            self.squares[band] += off * (*level - self.mean[band]);
            if self.windows > 1 {
                self.changes[band] += (*level - self.last[band]).abs();
            }
        }
        self.last = levels;
    }

    /// Whether there was anything to hear.
    ///
    /// # Errors
    /// If the sound was shorter than a window, or nowhere louder than the floor.
    pub(super) fn check(&self) -> Result<(), SoundFault> {
        match (self.windows, self.audible) {
            (0, _) => Err(SoundFault::TooShort(self.samples as f64 / f64::from(RATE))),
            (_, false) => Err(SoundFault::Silent),
            (_, true) => Ok(()),
        }
    }

    /// Mean level of each band, in nepers of power: `ln P`.
    pub(super) fn mean(&self) -> [f64; BANDS] {
        self.mean
    }

    /// Standard deviation over all windows, 0 for one.
    pub(super) fn deviation(&self) -> [f64; BANDS] {
        self.squares.map(|sum| (sum / self.windows.max(1) as f64).sqrt())
    }

    /// Mean absolute difference between neighbouring windows, 0 where there is but one.
    pub(super) fn change(&self) -> [f64; BANDS] {
        self.changes.map(|sum| sum / self.windows.saturating_sub(1).max(1) as f64)
    }
}
