//! Rows against NumPy in float64, and files that do not make an encoder.

use serde_json::{Value, json};

use super::Whisper;
use crate::audio::made_up::{Samples, sines, told, wav};
use crate::audio::sound::{RATE, SoundFault};
use crate::golden::{golden, numbers, write_model};

fn cases() -> Vec<Value> {
    golden("whisper.json")["cases"].as_array().expect("cases").clone()
}

fn row(whisper: &Whisper, bytes: &[u8]) -> Result<Vec<f32>, SoundFault> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("sound");
    std::fs::write(&path, bytes).expect("written");
    let mut out = vec![f32::NAN; whisper.tower.width];
    whisper.row(&path, &mut out).map(|_| out)
}

#[test]
fn rows_are_those_of_the_equations() {
    let sounds = golden("audio.json");
    let sound = |name: &Value| {
        let sounds = sounds["cases"].as_array().expect("cases");
        told(sounds.iter().find(|sound| sound["name"] == *name).expect("a sound of this name"))
    };
    for case in cases() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_model(dir.path(), &case, "");
        let whisper = Whisper::open(dir.path(), 60, false).unwrap_or_else(|fault| panic!("{fault}"));
        for expected in case["rows"].as_array().expect("rows") {
            let bytes = wav(RATE, 1, Samples::Words, &sound(&expected["sound"]));
            let found = row(&whisper, &bytes).expect("whole");
            let wanted = numbers(&expected["row"]);
            assert_eq!(found.len(), wanted.len());
            for (column, (found, wanted)) in found.iter().zip(wanted).enumerate() {
                let off = (f64::from(*found) - wanted).abs();
                let place = (&case["name"], &expected["sound"]);
                assert!(off < 1e-4 * (1.0 + wanted.abs()), "{place:?}, column {column}: {found} {wanted}");
            }
        }
    }
}

#[test]
fn what_is_not_heard_has_no_row_and_silence_after_a_sound_does_not_count() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_model(dir.path(), &cases()[0], "");
    let whisper = Whisper::open(dir.path(), 60, false).expect("a model");
    assert_eq!(row(&whisper, &wav(RATE, 1, Samples::Words, &[0.0; 8_000])), Err(SoundFault::Silent));
    assert!(matches!(
        row(&whisper, &wav(RATE, 1, Samples::Words, &[0.5; 300])),
        Err(SoundFault::TooShort(_))
    ));
    // The windows of this model are a second long: of half a second, half of the rows count.
    let of = |seconds: f64| {
        row(&whisper, &wav(RATE, 1, Samples::Words, &sines(RATE, seconds, &[(500.0, 0.5)]))).expect("whole")
    };
    let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // Every window holds the same sound.
    let (same, other) = (apart(&of(2.0), &of(4.0)), apart(&of(0.5), &of(1.0)));
    assert!(same < 1e-3 && other > 1e-2, "{same} {other}");
}

#[test]
fn what_does_not_make_an_encoder_is_named() {
    let case = cases()[0].clone();
    let message = |case: &Value, leave_out: &str, processor: Option<Value>| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_model(dir.path(), case, leave_out);
        if let Some(processor) = processor {
            std::fs::write(dir.path().join("preprocessor_config.json"), processor.to_string())
                .expect("written");
        }
        Whisper::open(dir.path(), 60, false).map(|_| ()).expect_err("no encoder").to_string()
    };
    let changed = |field: &str, value: Value| {
        let mut changed = case.clone();
        changed["config"][field] = value;
        message(&changed, "", None)
    };
    let other = |field: &str, value: usize| message(&case, "", Some(json!({ field: value })));
    for (found, says) in [
        (message(&case, "model.encoder.conv2.bias", None), "model.encoder.conv2.bias"),
        (
            message(&case, "model.encoder.layers.1.fc1.weight", None),
            "\"model.encoder.layers.1.fc1.weight\": absent",
        ),
        (changed("model_type", json!("wav2vec2")), "\"wav2vec2\": expected whisper"),
        (changed("d_model", json!(64)), "expected [64, 80, 3] as config.json says"),
        (changed("d_model", json!("wide")), "config.json"),
        (changed("encoder_attention_heads", json!(5)), "a divisor of d_model = 32"),
        (changed("encoder_layers", json!(0)), "encoder_layers = 0: expected 1 to"),
        (changed("activation_function", json!("mish")), "mish"),
        (other("n_fft", 512), "n_fft = 512: expected 400"),
        (other("sampling_rate", 8_000), "sampling_rate = 8000: expected 16000"),
        (other("feature_size", 128), "feature_size = 128: expected 80"),
    ] {
        assert!(found.contains(says), "{says}: {found}");
    }
}
