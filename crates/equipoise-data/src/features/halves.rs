//! Values stored as float16.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// The values as `f32`, exactly.
pub(super) fn converted(values: &[f16]) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    values.convert_to_f32_slice(&mut out);
    out
}
