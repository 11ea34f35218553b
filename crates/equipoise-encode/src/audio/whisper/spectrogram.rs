//! The spectrogram that Whisper hears.
//!
//! ```text
//! w_n  = 1/2 - 1/2 cos(2 pi n / 400)                                    x is continued by reflection at both ends
//! P_tk = |sum_n w_n x_{160 t - 200 + n} e^(-2 pi i k n / 400)|^2        bins of 40 Hz
//! L_tb = log10 max(sum_k h_bk P_tk, 1e-10)                              triangles of area 1 between 0 and 8000 Hz
//! S_tb = (max(L_tb, max L - 8) + 4) / 4
//! ```
//!
//! The triangles are those of Slaney's *Auditory Toolbox* (1998): equally far apart in a mel that is linear below 1000 Hz.

use std::f64::consts::PI;

use crate::audio::sound::RATE;
use crate::transformer::Linear;

/// Samples of a window: 25 ms.
pub(super) const WINDOW: usize = 400;
/// Samples from one step to the next: 10 ms.
pub(super) const HOP: usize = 160;
const BINS: usize = WINDOW / 2 + 1;
/// Highest frequency, in Hz.
const HIGHEST: f64 = 8000.0;

/// Takes samples to steps.
pub(super) struct Spectrogram {
    /// Window and transform in one: the real parts of all bins, then the imaginary ones.
    transform: Linear,
    /// Bins to bands.
    filters: Linear,
}

impl Spectrogram {
    /// One of so many bands.
    pub(super) fn new(bands: usize) -> Spectrogram {
        let cell = |k: usize| {
            let (output, n) = (k / WINDOW, k % WINDOW);
            let window = 0.5 - 0.5 * (2.0 * PI * n as f64 / WINDOW as f64).cos();
            // The product is reduced first: large angles lose digits.
            let angle = 2.0 * PI * (output % BINS * n % WINDOW) as f64 / WINDOW as f64;
            (window * if output < BINS { angle.cos() } else { -angle.sin() }) as f32
        };
        let weight = (0..2 * BINS * WINDOW).map(cell).collect();
        Spectrogram {
            transform: Linear::new(weight, Vec::new(), WINDOW, 2 * BINS),
            filters: Linear::new(filters(bands), Vec::new(), BINS, bands),
        }
    }

    /// The steps `[samples / 160, bands]` of samples that are a whole number of steps, at least three of them.
    pub(super) fn of(&self, samples: &[f32]) -> Vec<f32> {
        let (half, last) = (WINDOW as isize / 2, samples.len() as isize - 1);
        let reflected = |at: isize| samples[(last - (last - at.abs()).abs()) as usize];
        let windows = (0..samples.len() / HOP).flat_map(|step| {
            let start = (step * HOP) as isize - half;
            (start..start + WINDOW as isize).map(reflected)
        });
        let (mut parts, mut levels) = (Vec::new(), Vec::new());
        self.transform.forward(&windows.collect::<Vec<f32>>(), &mut parts);
        let powers = parts.chunks_exact(2 * BINS).flat_map(|parts| {
            let (real, imaginary) = parts.split_at(BINS);
            real.iter().zip(imaginary).map(|(re, im)| re * re + im * im)
        });
        self.filters.forward(&powers.collect::<Vec<f32>>(), &mut levels);
        levels.iter_mut().for_each(|level| *level = level.max(1e-10).log10());
        let floor = levels.iter().fold(f32::NEG_INFINITY, |most, level| most.max(*level)) - 8.0;
        levels.iter_mut().for_each(|level| *level = (level.max(floor) + 4.0) / 4.0);
        levels
    }
}

fn mel(hertz: f64) -> f64 {
    if hertz < 1000.0 { 3.0 * hertz / 200.0 } else { 15.0 + 27.0 * (hertz / 1000.0).ln() / 6.4f64.ln() }
}

fn hertz(mel: f64) -> f64 {
    if mel < 15.0 { 200.0 * mel / 3.0 } else { 1000.0 * (6.4f64.ln() * (mel - 15.0) / 27.0).exp() }
}

/// `[bands, bins]`.
fn filters(bands: usize) -> Vec<f32> {
    let border = |b: usize| hertz(mel(HIGHEST) * b as f64 / (bands + 1) as f64);
    let cell = |k: usize| {
        let (band, bin) = (k / BINS, k % BINS);
        let [low, middle, high] = [band, band + 1, band + 2].map(border);
        let f = bin as f64 * f64::from(RATE) / WINDOW as f64;
        let height = ((f - low) / (middle - low)).min((high - f) / (high - middle)).max(0.0);
        (height * 2.0 / (high - low)) as f32
    };
    (0..bands * BINS).map(cell).collect()
}
