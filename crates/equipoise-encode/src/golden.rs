//! What tests need of the reference values: files, bytes, tensors made up from their names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

/// A file of reference values.
pub(crate) fn golden(name: &str) -> Value {
    let text = std::fs::read_to_string(folder().join(name)).expect("reference values are in the repository");
    serde_json::from_str(&text).expect("reference values are JSON")
}

/// The models of a file of reference values.
pub(crate) fn cases(name: &str) -> Vec<Value> {
    golden(name)["cases"].as_array().expect("cases").clone()
}

/// Rows and columns of a case's pictures.
pub(crate) fn size(case: &Value) -> (usize, usize) {
    (number(&case["size"][0]), number(&case["size"][1]))
}

/// Where they lie.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/golden")
}

/// Bytes in base64.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for byte in value.as_str().expect("base64").bytes().filter(|&byte| byte != b'=') {
        let digit = DIGITS.iter().position(|&digit| digit == byte).expect("a digit of base64");
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

/// A whole number.
pub(crate) fn number(value: &Value) -> usize {
    value.as_u64().expect("a whole number") as usize
}

/// Numbers of an array.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// Value `k` of a tensor follows from its name and `k` alone: `shift + scale * (n / 32768 - 1)` with `n` the upper 16
/// bits of splitmix64 of FNV-1a of the name.
pub(crate) fn made_up(name: &str, count: usize, scale: f64, shift: f64) -> Vec<f32> {
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    let start = name.bytes().fold(0xCBF2_9CE4_8422_2325, fnv);
    let value = |k: u64| {
        let state = start.wrapping_add(k.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let state = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let state = (state ^ state >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        let high = (state ^ state >> 31) >> 48;
        (shift + scale * (high as f64 / 32768.0 - 1.0)) as f32
    };
    (1..=count as u64).map(value).collect()
}

/// A model of the reference values as a folder, without the tensor of the name `leave_out`.
pub(crate) fn write_model(dir: &Path, case: &Value, leave_out: &str) {
    std::fs::write(dir.join("config.json"), case["config"].to_string()).expect("written");
    let tensors = case["tensors"].as_array().expect("tensors").iter().map(|tensor| {
        let name = tensor["name"].as_str().expect("a name").to_owned();
        let shape: Vec<usize> = tensor["shape"].as_array().expect("a shape").iter().map(number).collect();
        let of = |field: &str| tensor[field].as_f64().expect("a number");
        let values = made_up(&name, shape.iter().product(), of("scale"), of("shift"));
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        (name, (shape, bytes))
    });
    let tensors: HashMap<String, (Vec<usize>, Vec<u8>)> =
        tensors.filter(|(name, _)| name != leave_out).collect();
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("bytes of that shape"))
    });
    safetensors::serialize_to_file(views, None, &dir.join("model.safetensors")).expect("written");
}
