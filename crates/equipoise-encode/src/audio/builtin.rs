//! The encoder of sounds that needs no model: how loud each of 64 mel bands is, how much that varies, and how fast.
//!
//! ```text
//! l_tb = ln max(P_tb, 1e-10)                             level of band b in window t of T
//! mean     a_b = (1/32) (1/T sum_t l_tb + 5 ln 10)                       64 columns
//! spread   s_b = (1/16) sqrt(1/T sum_t (l_tb - 1/T sum_t' l_t'b)^2)      64 columns
//! change   d_b = (1/8)  1/(T-1) sum_{t>1} |l_tb - l_{t-1,b}|             64 columns
//! ```
//!
//! Windows are 25 ms long and start every 10 ms: `T = 1 + floor((n - 400) / 160)` for `n` samples, 16,000 a second. `P` is the
//! power of a band as a share of that of a sine of full scale ([`mel`](super::mel)). Each part has about unit length: levels
//! are counted from 50 dB below full scale, and divided by what music and speech come to.

use std::path::{Path, PathBuf};

use super::each::encode_each;
use super::levels::Levels;
use super::mel::{BANDS, Mel};
use super::sound::{SoundFault, listen};
use crate::job::{Encoder, Remark};

/// Columns of the features.
pub(super) const WIDTH: usize = 3 * BANDS;
/// The level that becomes 0: `ln 1e-5`, 50 dB below full scale.
const ZERO: f64 = -5.0 * std::f64::consts::LN_10;
/// What the three parts are divided by.
const SCALES: [f64; 3] = [32.0, 16.0, 8.0];

/// The encoder.
pub(super) struct Builtin {
    mel: Mel,
    /// Seconds of each sound that are read.
    seconds: u32,
    /// Whether rows are given norm 1.
    normalise: bool,
}

impl Builtin {
    /// Reads so many seconds of each sound, at least 1.
    pub(super) fn new(seconds: u32, normalise: bool) -> Builtin {
        Builtin { mel: Mel::new(), seconds, normalise }
    }

    /// Writes the row of a sound; returns whether the sound goes on after what was read.
    fn row(&self, path: &Path, out: &mut [f32]) -> Result<bool, SoundFault> {
        let mut levels = Levels::new(&self.mel);
        let goes_on = listen(path, self.seconds, &mut |samples| levels.push(samples))?;
        levels.check()?;
        let parts = [levels.mean().map(|mean| mean - ZERO), levels.deviation(), levels.change()];
        for ((out, part), scale) in out.chunks_exact_mut(BANDS).zip(parts).zip(SCALES) {
            out.iter_mut().zip(part).for_each(|(out, value)| *out = (value / scale) as f32);
        }
        Ok(goes_on)
    }
}

impl Encoder for Builtin {
    type Input = PathBuf;

    fn width(&self) -> usize {
        WIDTH
    }

    fn encode(&self, batch: &[PathBuf], out: &mut [f32]) -> Vec<Remark> {
        encode_each(batch, out, WIDTH, self.normalise, |path, out| self.row(path, out))
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{Samples, file, known, sines, told, wav};
    use super::super::sound::RATE;
    use super::*;
    use crate::golden::{golden, made_up, number, numbers};

    fn row(bytes: &[u8]) -> Result<Vec<f32>, SoundFault> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("sound");
        std::fs::write(&path, bytes).expect("written");
        of_file(&path)
    }

    fn of_file(path: &Path) -> Result<Vec<f32>, SoundFault> {
        let mut out = vec![f32::NAN; WIDTH];
        Builtin::new(60, false).row(path, &mut out).map(|_| out)
    }

    fn of_sines(rate: u32, parts: &[(f64, f64)]) -> Vec<f32> {
        row(&wav(rate, 1, Samples::Floats, &sines(rate, 1.0, parts))).expect("whole")
    }

    /// Largest difference of two rows.
    fn apart(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn rows_agree_with_those_of_another_implementation() {
        for case in golden("audio.json")["cases"].as_array().expect("cases") {
            let name = case["name"].as_str().expect("a name");
            let samples = told(case);
            let sum: f64 = samples.iter().map(|sample| (sample * 32767.0).floor().abs()).sum();
            assert_eq!(sum as usize, number(&case["sum"]), "{name}: the sounds differ");
            let found = row(&wav(RATE, 1, Samples::Words, &samples)).expect("whole");
            for (column, (found, wanted)) in found.iter().zip(numbers(&case["row"])).enumerate() {
                let off = (f64::from(*found) - wanted).abs();
                assert!(off < 1e-5, "{name}, column {column}: {found} {wanted}");
            }
        }
    }

    #[test]
    fn twice_the_amplitude_adds_ln_4_to_the_mean_levels_and_changes_nothing_else() {
        let sound = made_up("louder", 16_000, 0.25, 0.0);
        let of = |factor: f64| {
            let samples: Vec<f64> = sound.iter().map(|sample| f64::from(*sample) * factor).collect();
            row(&wav(RATE, 1, Samples::Floats, &samples)).expect("whole")
        };
        let (soft, loud) = (of(1.0), of(2.0));
        let step = 4f32.ln() / 32.0;
        assert!(soft[..BANDS].iter().zip(&loud).all(|(soft, loud)| (loud - soft - step).abs() < 1e-6));
        assert!(apart(&soft[BANDS..], &loud[BANDS..]) < 1e-6);
    }

    #[test]
    fn a_steady_tone_neither_varies_nor_changes_and_is_loudest_in_its_band() {
        // A period of 16 samples is 1000 Hz, and every window starts at the same place of it.
        let found = of_sines(RATE, &[(1000.0, 0.5)]);
        let loudest = (0..BANDS).max_by(|&a, &b| found[a].total_cmp(&found[b])).expect("bands");
        assert!(found[loudest] > 0.2 && found[loudest + 10] < 0.1, "{found:?}");
        assert!(found[BANDS..].iter().all(|value| value.abs() < 1e-3), "{found:?}");
        // A deeper tone is loudest further down.
        let deep = of_sines(RATE, &[(300.0, 0.5)]);
        assert!((0..BANDS).max_by(|&a, &b| deep[a].total_cmp(&deep[b])) < Some(loudest));
    }

    #[test]
    fn a_tone_that_comes_and_goes_varies_and_the_faster_the_more_it_changes() {
        let with = |period: usize| {
            let tone = sines(RATE, 2.0, &[(1000.0, 0.5)]);
            let samples: Vec<f64> = tone
                .iter()
                .enumerate()
                .map(|(n, x)| if (n / period).is_multiple_of(2) { *x } else { 0.0 })
                .collect();
            let found = row(&wav(RATE, 1, Samples::Floats, &samples)).expect("whole");
            let sum = |part: usize| found[part * BANDS..(part + 1) * BANDS].iter().sum::<f32>();
            [sum(1), sum(2)]
        };
        let (slow, fast) = (with(8_000), with(1_600));
        assert!(slow[0] > 5.0 && fast[0] > 5.0, "{slow:?} {fast:?}");
        assert!(fast[1] > 3.0 * slow[1] && slow[1] > 0.0, "{slow:?} {fast:?}");
    }

    #[test]
    fn neither_the_rate_nor_the_number_of_channels_matters() {
        let parts: Vec<(f64, f64)> = (0..60).map(|k| (150.0 + 120.0 * f64::from(k), 0.01)).collect();
        let wanted = of_sines(RATE, &parts);
        for rate in [22_050, 44_100, 48_000, 96_000] {
            let off = apart(&of_sines(rate, &parts), &wanted);
            assert!(off < 0.02, "{rate}: {off}");
        }
        let sound = sines(RATE, 1.0, &parts);
        let of = |channels| row(&wav(RATE, channels, Samples::Floats, &sound)).expect("whole");
        assert!(apart(&of(2), &of(1)) < 1e-5 && apart(&of(5), &of(1)) < 1e-4);
    }

    #[test]
    fn every_format_gives_about_the_same_row() {
        let wanted = row(&wav(32_000, 1, Samples::Words24, &known())).expect("whole");
        assert!(apart(&of_file(&file("sound.flac")).expect("whole"), &wanted) < 1e-5);
        for name in ["sound.mp3", "untold.mp3", "sound.ogg", "sound.m4a", "sound.aac"] {
            let found = of_file(&file(name)).expect("whole");
            let audible = (0..BANDS).filter(|&band| wanted[band] > -0.05);
            let off = audible.map(|band| (found[band] - wanted[band]).abs()).fold(0.0, f32::max);
            assert!(off < 0.1, "{name}: {off}");
        }
    }

    #[test]
    fn each_part_has_about_unit_length() {
        // Four beats a second that fade away, above a chord.
        let (beats, chord) =
            (made_up("beats", 32_000, 0.5, 0.0), [(220.0, 0.05), (277.0, 0.05), (330.0, 0.05)]);
        let fading = |n: usize| (-((n % 4_000) as f64) / 800.0).exp();
        let samples: Vec<f64> = sines(RATE, 2.0, &chord)
            .iter()
            .zip(beats)
            .enumerate()
            .map(|(n, (tone, noise))| tone + f64::from(noise) * fading(n))
            .collect();
        let found = row(&wav(RATE, 1, Samples::Words, &samples)).expect("whole");
        for part in found.chunks_exact(BANDS) {
            let length = part.iter().map(|value| value * value).sum::<f32>().sqrt();
            assert!((0.3..3.0).contains(&length), "{length}");
        }
    }

    #[test]
    fn silence_and_less_than_a_window_have_no_row() {
        let silent =
            |samples: &[f64]| row(&wav(RATE, 1, Samples::Words, samples)).expect_err("nothing to hear");
        assert_eq!(silent(&[0.0; 8_000]), SoundFault::Silent);
        // A constant and the noise of the last bit are silence, too.
        assert_eq!(silent(&[0.25; 8_000]), SoundFault::Silent);
        let noise: Vec<f64> =
            made_up("last bit", 16_000, 1.0, 0.0).iter().map(|x| f64::from(*x) / 32767.0).collect();
        assert_eq!(silent(&noise), SoundFault::Silent);
        let short = row(&wav(RATE, 1, Samples::Words, &[0.5; 399])).expect_err("short").to_string();
        assert!(short.contains("0.0249 seconds of sound, expected at least 0.025"), "{short}");
        assert!(row(&wav(RATE, 1, Samples::Words, &[0.5, -0.5].repeat(200))).is_ok());
    }
}
