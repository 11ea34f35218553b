use std::path::Path;

use super::super::made_up::{Samples, file, known, sines, wav};
use super::{RATE, SoundFault, listen};

/// The samples of a file, and whether it goes on after that many seconds.
fn heard(path: &Path, seconds: u32) -> Result<(Vec<f32>, bool), SoundFault> {
    let mut samples = Vec::new();
    let goes_on = listen(path, seconds, &mut |part| samples.extend_from_slice(part))?;
    Ok((samples, goes_on))
}

fn of_bytes(bytes: &[u8]) -> Result<(Vec<f32>, bool), SoundFault> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("sound");
    std::fs::write(&path, bytes).expect("written");
    heard(&path, 60)
}

fn message(bytes: &[u8]) -> String {
    of_bytes(bytes).expect_err("refused").to_string()
}

/// Largest difference of two sounds within both, the ends left out.
fn apart(found: &[f32], wanted: &[f64]) -> f64 {
    let both = found.len().min(wanted.len()) - 800;
    (800..both).map(|n| (f64::from(found[n]) - wanted[n]).abs()).fold(0.0, f64::max)
}

#[test]
fn samples_of_every_size_and_of_several_channels_are_one_sound() {
    let sound = sines(RATE, 0.3, &[(440.0, 0.5), (1234.0, 0.25)]);
    for (kind, channels, most) in [
        (Samples::Bytes, 1, 0.01),
        (Samples::Words, 1, 1e-4),
        (Samples::Words, 2, 1e-4),
        (Samples::Words24, 3, 1e-6),
        (Samples::Floats, 6, 1e-7),
    ] {
        let (found, goes_on) = of_bytes(&wav(RATE, channels, kind, &sound)).expect("whole");
        assert_eq!((found.len(), goes_on), (sound.len(), false), "{kind:?}");
        let off = apart(&found, &sound);
        assert!(off < most, "{kind:?}: {off}");
    }
}

/// An AIFF file of 16 bits and one channel: lengths and samples are big-endian, the rate is a float of 80 bits.
fn aiff(samples: &[f64]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|s| ((s * 32767.0).floor() as i16).to_be_bytes()).collect();
    let size = |bytes: usize| (bytes as u32).to_be_bytes();
    let rate = [&[0x40, 0x0C][..], &(u64::from(RATE) << 50).to_be_bytes()].concat();
    let common = [&1u16.to_be_bytes()[..], &size(samples.len()), &16u16.to_be_bytes(), &rate].concat();
    let sound = [&[0; 8][..], &data].concat();
    let chunks =
        [b"AIFFCOMM", &size(common.len())[..], &common, b"SSND", &size(sound.len()), &sound].concat();
    [b"FORM", &size(chunks.len())[..], &chunks].concat()
}

#[test]
fn aiff_is_read_and_told_from_a_part_of_it() {
    let sound = sines(RATE, 0.2, &[(440.0, 0.5)]);
    let bytes = aiff(&sound);
    let (found, _) = of_bytes(&bytes).expect("whole");
    assert_eq!(found, of_bytes(&wav(RATE, 1, Samples::Words, &sound)).expect("whole").0);
    let text = message(&bytes[..bytes.len() - 100]);
    assert!(text.contains("AIFF cut off; download"), "{text}");
}

#[test]
fn channels_are_averaged() {
    let sound = [0.5, -0.5, 0.25].repeat(1000);
    let mut bytes = wav(RATE, 2, Samples::Floats, &sound);
    // The right channel is silent.
    for frame in bytes[44..].as_chunks_mut::<8>().0 {
        frame[4..].fill(0);
    }
    let (found, _) = of_bytes(&bytes).expect("whole");
    assert_eq!(found[..3], [0.25, -0.25, 0.125]);
}

#[test]
fn every_rate_becomes_one_without_shifting_the_sound() {
    let parts = [(300.0, 0.3), (1000.0, 0.3), (2900.0, 0.2)];
    let wanted = sines(RATE, 1.0, &parts);
    for rate in [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000, 12_347] {
        let (found, _) = of_bytes(&wav(rate, 1, Samples::Floats, &sines(rate, 1.0, &parts))).expect("whole");
        assert_eq!(found.len(), wanted.len(), "{rate}");
        let off = apart(&found, &wanted);
        assert!(off < 2e-3, "{rate}: {off}");
    }
}

#[test]
fn what_a_lower_rate_cannot_hold_is_left_out() {
    let (found, _) =
        of_bytes(&wav(48_000, 1, Samples::Floats, &sines(48_000, 1.0, &[(9_000.0, 0.5)]))).expect("whole");
    let loudest = found[800..found.len() - 800].iter().fold(0.0f32, |most, sample| most.max(sample.abs()));
    assert!(loudest < 1e-3, "{loudest}");
}

#[test]
fn every_format_holds_the_sound() {
    let rate = 32_000;
    let (wanted, _) = of_bytes(&wav(rate, 1, Samples::Floats, &known())).expect("whole");
    let energy = |sound: &[f32]| sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    let whole = energy(&wanted);
    for (name, most) in [
        ("sound.flac", 1e-9),
        ("sound.mp3", 0.02),
        ("untold.mp3", 0.02),
        ("sound.ogg", 0.02),
        ("sound.m4a", 0.02),
        ("sound.aac", 0.02),
    ] {
        let (found, _) = heard(&file(name), 60).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        // Encoders put up to 3000 samples of silence before the sound, which not every format tells.
        let best = (0..3_000).map(|late| {
            let both = wanted.len().min(found.len() - late.min(found.len()));
            let off = |n: usize| f64::from(found[late + n] - wanted[n]).powi(2);
            (0..both).step_by(7).map(off).sum::<f64>() * 7.0 / whole + if both < 18_000 { 1.0 } else { 0.0 }
        });
        let best = best.fold(f64::INFINITY, f64::min);
        assert!(best < most, "{name}: {best}");
    }
}

#[test]
fn a_long_sound_is_read_up_to_the_seconds_asked_for() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("long.wav");
    for rate in [16_000, 44_100] {
        std::fs::write(&path, wav(rate, 1, Samples::Words, &sines(rate, 3.0, &[(500.0, 0.5)])))
            .expect("written");
        for (seconds, samples, more) in [(1, 16_000, true), (2, 32_000, true), (3, 48_000, false)] {
            let (found, goes_on) = heard(&path, seconds).expect("whole");
            assert_eq!((found.len(), goes_on), (samples, more), "{rate}, {seconds}");
        }
    }
    // What lies beyond is not looked at.
    let whole = std::fs::read(&path).expect("read");
    std::fs::write(&path, &whole[..whole.len() - 9_000]).expect("written");
    assert!(heard(&path, 2).expect("enough").1);
    assert!(heard(&path, 3).is_err());
}

#[test]
fn files_that_are_cut_off_are_refused_in_every_format_that_tells() {
    let bytes = wav(32_000, 1, Samples::Words, &known());
    let text = message(&bytes[..bytes.len() - 2]);
    assert!(text.contains("WAV cut off: 1.20 of 1.20 seconds") && text.contains("download"), "{text}");
    let text = message(&bytes[..bytes.len() / 2]);
    assert!(text.contains("0.60 of 1.20 seconds"), "{text}");
    for name in ["sound.flac", "sound.mp3", "sound.ogg", "sound.m4a", "sound.aac"] {
        let whole = std::fs::read(file(name)).expect("read");
        for kept in [whole.len() / 2, whole.len() * 4 / 5] {
            let text = message(&whole[..kept]);
            assert!(
                text.contains("cut off") || (name == "sound.m4a" && text.contains("broken MP4")),
                "{name}: {text}"
            );
        }
    }
    // Without a length, what is there is all.
    let whole = std::fs::read(file("untold.mp3")).expect("read");
    let (found, _) = of_bytes(&whole[..whole.len() / 2]).expect("an MP3 of no length");
    assert!((6_000..14_000).contains(&found.len()), "{}", found.len());
}

#[test]
fn a_stream_that_was_written_before_its_length_was_known_ends_with_the_file() {
    let mut bytes = wav(16_000, 1, Samples::Words, &sines(16_000, 0.5, &[(500.0, 0.5)]));
    for at in [4, 40] {
        bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    }
    assert_eq!(of_bytes(&bytes).expect("open").0.len(), 8_000);
}

#[test]
fn what_is_no_sound_is_refused_with_its_reason() {
    assert_eq!(heard(Path::new("nowhere.wav"), 1).expect_err("none").to_string(), "no file");
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert!(heard(dir.path(), 1).expect_err("a folder").to_string().contains("not a file"));
    assert_eq!(message(b""), "empty file");
    let text = message(b"Dear diary, today was a day like any other. Nothing happened, and at length.");
    assert!(text.contains("neither WAV, AIFF, FLAC") && text.contains("\"Dear dia\""), "{text}");
    let text = message(b"RIFF, said the diary, and nothing came of it");
    assert_eq!(text, "broken WAV: nothing readable follows its first bytes");
    let text = message(&std::fs::read(file("opus.ogg")).expect("read"));
    assert!(text.contains("Ogg with a codec") && text.contains("(Opus)"), "{text}");
    assert_eq!(message(&wav(16_000, 1, Samples::Words, &[])), "WAV without sound");
    let text = message(&wav(900, 1, Samples::Words, &[0.5; 900]));
    assert!(text.contains("900 samples a second, expected 1000 to 384000"), "{text}");
    let text = message(&wav(16_000, 1, Samples::Floats, &[0.5, f64::NAN, 0.5].repeat(500)));
    assert!(text.contains("samples that are not numbers"), "{text}");
    let text = message(&wav(16_000, 1, Samples::Words, &[0.5; 100])[..30]);
    assert!(text.contains("WAV") && !text.contains("without"), "{text}");
}

#[test]
fn noise_in_the_middle_of_a_file_is_no_panic_and_a_few_lost_packets_no_fault() {
    for name in ["sound.flac", "sound.mp3", "sound.ogg", "sound.m4a", "sound.aac"] {
        let whole = std::fs::read(file(name)).expect("read");
        for seed in 0..40usize {
            let mut bytes = whole.clone();
            for k in 0..60 {
                let at = 200 + (seed * 7919 + k * 104_729) % (bytes.len() - 200);
                bytes[at] ^= (seed * 31 + k * 17 + 1) as u8;
            }
            if let Err(fault) = of_bytes(&bytes) {
                let text = fault.to_string();
                assert!(!text.is_empty() && text.len() < 300, "{name}: {text}");
            }
        }
    }
}
