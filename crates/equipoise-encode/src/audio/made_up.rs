//! Sounds that tests make: samples from formulas, and files of them.

use std::path::PathBuf;

use serde_json::Value;

use crate::golden::{folder, made_up, number, numbers};

/// Numbers in a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Samples {
    Bytes,
    Words,
    Words24,
    Floats,
}

/// A WAV file of these samples, 1 being full scale, each in so many equal channels.
pub(super) fn wav(rate: u32, channels: u16, kind: Samples, samples: &[f64]) -> Vec<u8> {
    let bits: u16 = match kind {
        Samples::Bytes => 8,
        Samples::Words => 16,
        Samples::Words24 => 24,
        Samples::Floats => 32,
    };
    let one = |sample: f64| match kind {
        Samples::Bytes => vec![(sample * 127.0 + 128.0).round() as u8],
        Samples::Words => ((sample * 32767.0).floor() as i16).to_le_bytes().to_vec(),
        Samples::Words24 => ((sample * 8_388_607.0).floor() as i32).to_le_bytes()[..3].to_vec(),
        Samples::Floats => (sample as f32).to_le_bytes().to_vec(),
    };
    let data: Vec<u8> =
        samples.iter().flat_map(|&sample| one(sample).repeat(usize::from(channels))).collect();
    let block = channels * bits / 8;
    let format = [
        &(if matches!(kind, Samples::Floats) { 3u16 } else { 1 }).to_le_bytes()[..],
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),
        &bits.to_le_bytes(),
    ]
    .concat();
    let size = data.len() as u32;
    [b"RIFF", &(36 + size).to_le_bytes()[..], b"WAVEfmt ", &16u32.to_le_bytes(), &format, b"data"]
        .into_iter()
        .chain([&size.to_le_bytes()[..], &data])
        .collect::<Vec<_>>()
        .concat()
}

/// Samples of a sum of sines, each of a frequency in Hz and an amplitude.
pub(super) fn sines(rate: u32, seconds: f64, parts: &[(f64, f64)]) -> Vec<f64> {
    let step = |hertz: f64| 2.0 * std::f64::consts::PI * hertz / f64::from(rate);
    let sample = |n: usize| parts.iter().map(|(hertz, a)| a * (step(*hertz) * n as f64).sin()).sum();
    (0..(seconds * f64::from(rate)) as usize).map(sample).collect()
}

/// A triangle of a period in samples.
pub(super) fn triangle(n: usize, period: usize, height: f64) -> f64 {
    height * (4.0 * ((n % period) as f64 / period as f64 - 0.5).abs() - 1.0)
}

/// The sound of the files in `reference/golden/sounds`: 32,000 samples a second.
pub(super) fn known() -> Vec<f64> {
    let sample = |n: usize| {
        let late = if n >= 19_200 { triangle(n, 20, 0.125) } else { 0.0 };
        let sum = triangle(n, 320, 0.25) + triangle(n, 64, 0.25) + late;
        256.0 * (sum * 127.0).floor() / 32768.0
    };
    (0..38_400).map(sample).collect()
}

/// A file of `reference/golden/sounds`.
pub(super) fn file(name: &str) -> PathBuf {
    folder().join("sounds").join(name)
}

/// A sound as `reference/golden/audio.json` tells it: noise, and triangles of a period and a height between two samples.
pub(super) fn told(case: &Value) -> Vec<f64> {
    let (name, count) = (case["name"].as_str().expect("a name"), number(&case["samples"]));
    let noise = made_up(name, count, case["noise"].as_f64().expect("a number"), 0.0);
    let parts: Vec<Vec<f64>> = case["triangles"].as_array().expect("triangles").iter().map(numbers).collect();
    let heard = |n: usize, part: &[f64]| {
        let inside = (part[2] as usize..part[3] as usize).contains(&n);
        if inside { triangle(n, part[0] as usize, part[1]) } else { 0.0 }
    };
    (0..count).map(|n| parts.iter().fold(f64::from(noise[n]), |sum, part| sum + heard(n, part))).collect()
}
