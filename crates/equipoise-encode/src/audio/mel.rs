//! Mel bands: the power of a window of sound in bands that are spaced as people hear pitch.
//!
//! ```text
//! m(f)   = 2595 log10(1 + f / 700)                                    mel of a frequency in Hz
//! c_0 .. c_{B+1}                                                      B + 2 frequencies equally far apart in mel, from 125 to 7500 Hz
//! w_n    = 1/2 - 1/2 cos(2 pi n / N)                                  N = 400 samples, 25 ms
//! y_n    = x_n - sum_n x_n / N                                        a constant is no sound
//! p_k    = |sum_n w_n y_n e^(-2 pi i k n / K)|^2 / (sum_n w_n / 2)^2  K = 1024: bins 15.625 Hz apart
//! h_bk   = max(0, min((f_k - c_{b-1}) / (c_b - c_{b-1}), (c_{b+1} - f_k) / (c_{b+1} - c_b)))
//! P_b    = sum_k h_bk p_k / sum_k h_bk                                power of band b = 1 .. B
//! ```
//!
//! A sine of full scale has `p_k = 1` at its own bin: `10 log10 P` is in decibels relative to it. The mel scale is that of
//! O'Shaughnessy (Speech Communication, 1987), bands and windows those of Hershey et al. (ICASSP 2017).

use std::f64::consts::PI;

use symphonia::core::dsp::complex::Complex;
use symphonia::core::dsp::fft::Fft;

use super::sound::RATE;

/// Samples of a window: 25 ms.
pub(super) const WINDOW: usize = 400;
/// Samples from one window to the next: 10 ms.
pub(super) const HOP: usize = 160;
/// Number of bands.
pub(super) const BANDS: usize = 64;
/// Length of the Fourier transform.
const LENGTH: usize = 1024;
/// Lowest and highest frequency, in Hz.
const RANGE: [f64; 2] = [125.0, 7500.0];

/// A band: its first bin, and the weights of that and the following ones, which sum to 1.
struct Band {
    first: usize,
    weights: Vec<f64>,
}

/// Takes windows to bands.
pub(super) struct Mel {
    window: Vec<f64>,
    bands: Vec<Band>,
}

/// The transform and its memory, one for each thread.
pub(super) struct Spectrum {
    fft: Fft,
    values: Vec<Complex<f32>>,
}

impl Spectrum {
    /// A transform of the windows' length.
    pub(super) fn new() -> Spectrum {
        Spectrum { fft: Fft::new(LENGTH), values: vec![Complex::default(); LENGTH] }
    }
}

impl Mel {
    /// The bands of the table above.
    pub(super) fn new() -> Mel {
        let window = (0..WINDOW).map(|n| 0.5 - 0.5 * (2.0 * PI * n as f64 / WINDOW as f64).cos()).collect();
        Mel { window, bands: bands() }
    }

    /// The power of each band, at least 0, in [`WINDOW`] samples.
    pub(super) fn powers(&self, samples: &[f32], spectrum: &mut Spectrum, powers: &mut [f64; BANDS]) {
        let mean = samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / WINDOW as f64;
        spectrum.values.fill(Complex::default());
        for ((to, sample), weight) in spectrum.values.iter_mut().zip(samples).zip(&self.window) {
            to.re = ((f64::from(*sample) - mean) * weight) as f32;
        }
        spectrum.fft.fft_inplace(&mut spectrum.values);
        // Half of the sum of the window is what a sine of full scale comes to.
        let scale = (WINDOW as f64 / 4.0).powi(-2);
        for (power, band) in powers.iter_mut().zip(&self.bands) {
            let bins = spectrum.values[band.first..].iter().zip(&band.weights);
            *power = bins.map(|(bin, weight)| squared(*bin) * weight).sum::<f64>() * scale;
        }
    }
}

fn squared(bin: Complex<f32>) -> f64 {
    f64::from(bin.re).powi(2) + f64::from(bin.im).powi(2)
}

fn mel(hertz: f64) -> f64 {
    2595.0 * (1.0 + hertz / 700.0).log10()
}

fn hertz(mel: f64) -> f64 {
    700.0 * (10f64.powf(mel / 2595.0) - 1.0)
}

/// The frequency in the middle of band `b`, and the borders: those of `b - 1` and `b + 1`, all counted from 1.
fn centre(band: usize) -> f64 {
    let [low, high] = RANGE.map(mel);
    hertz(low + (high - low) * band as f64 / (BANDS + 1) as f64)
}

fn bands() -> Vec<Band> {
    let frequency = |bin: usize| bin as f64 * f64::from(RATE) / LENGTH as f64;
    let band = |b: usize| {
        let [low, middle, high] = [b - 1, b, b + 1].map(centre);
        let height = |bin: usize| {
            let f = frequency(bin);
            ((f - low) / (middle - low)).min((high - f) / (high - middle)).max(0.0)
        };
        let first = (0..LENGTH / 2).find(|&bin| height(bin) > 0.0).expect("a band is wider than a bin");
        let weights: Vec<f64> = (first..LENGTH / 2).map(height).take_while(|&height| height > 0.0).collect();
        let sum: f64 = weights.iter().sum();
        Band { first, weights: weights.iter().map(|weight| weight / sum).collect() }
    };
    (1..=BANDS).map(band).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, amplitude: f64) -> [f64; BANDS] {
        let step = 2.0 * PI * hertz / f64::from(RATE);
        let samples: Vec<f32> = (0..WINDOW).map(|n| (amplitude * (step * n as f64).sin()) as f32).collect();
        let (mel, mut powers) = (Mel::new(), [f64::NAN; BANDS]);
        mel.powers(&samples, &mut Spectrum::new(), &mut powers);
        powers
    }

    fn loudest(powers: &[f64; BANDS]) -> usize {
        (0..BANDS).max_by(|&a, &b| powers[a].total_cmp(&powers[b])).expect("there are bands")
    }

    #[test]
    fn a_tone_in_the_middle_of_a_band_is_loudest_there_and_never_above_full_scale() {
        for band in 1..=BANDS {
            let powers = tone(centre(band), 1.0);
            assert_eq!(loudest(&powers) + 1, band);
            assert!(powers.iter().all(|&power| (0.0..=1.0).contains(&power)), "{band}");
        }
    }

    #[test]
    fn power_grows_with_the_square_of_the_amplitude_and_falls_off_away_from_the_tone() {
        let (loud, soft) = (tone(1000.0, 0.5), tone(1000.0, 0.25));
        let band = loudest(&loud);
        assert!((loud[band] / soft[band] - 4.0).abs() < 1e-5);
        assert!(loud[band] > 0.05 && loud[band] < 0.25, "{}", loud[band]);
        assert!(loud[BANDS - 1] < 1e-9 * loud[band], "{}", loud[BANDS - 1]);
    }

    #[test]
    fn bands_are_equally_far_apart_in_mel_and_their_weights_sum_to_1() {
        let steps: Vec<f64> = (0..=BANDS).map(|b| mel(centre(b + 1)) - mel(centre(b))).collect();
        assert!(steps.iter().all(|step| (step - steps[0]).abs() < 1e-9));
        assert!((centre(0) - 125.0).abs() < 1e-9 && (centre(BANDS + 1) - 7500.0).abs() < 1e-9);
        assert!(bands().iter().all(|band| (band.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12));
    }
}
