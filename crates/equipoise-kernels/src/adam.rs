//! One fused Adam step (Kingma & Ba 2015), constant learning rate, no weight decay.
//!
//! ```text
//! m <- b1 m + (1 - b1) g          v <- b2 v + (1 - b2) g^2
//! p <- p - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
//! ```

use crate::vector::wide;
use rayon::prelude::*;

/// Elements handled by one task: three streams of 64 KiB stay in a core's L2 cache.
const CHUNK: usize = 16 * 1024;

/// Constants of one Adam step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate, > 0.
    pub lr: f32,
    /// Decay of the first moment, 0.9 in the field.
    pub beta1: f32,
    /// Decay of the second moment, 0.999 in the field.
    pub beta2: f32,
    /// Added to the root of the second moment, 1e-8 in the field.
    pub eps: f32,
    /// Number of this step, counted from 1 (bias correction).
    pub t: u64,
}

impl AdamStep {
    /// What a step multiplies by, corrected for the bias of moments that began at zero: the first moment, and the second
    /// moment under the root.
    pub fn corrections(&self) -> (f32, f32) {
        let power = |beta: f32| 1.0 - f64::from(beta).powf(self.t as f64);
        let step = f64::from(self.lr) / power(self.beta1);
        (step as f32, (1.0 / power(self.beta2)) as f32)
    }
}

/// Updates `param`, `m` and `v` in place with gradient `grad`; all four have one length.
///
/// # Panics
/// If the lengths differ.
pub fn adam_step(param: &mut [f32], grad: &[f32], m: &mut [f32], v: &mut [f32], step: AdamStep) {
    assert!(
        grad.len() == param.len() && m.len() == param.len() && v.len() == param.len(),
        "adam: lengths differ"
    );
    let (rate, correct_v) = step.corrections();
    param
        .par_chunks_mut(CHUNK)
        .zip(grad.par_chunks(CHUNK))
        .zip(m.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK)))
        .for_each(|((p, g), (m, v))| update(p, g, m, v, rate, correct_v, step));
}

wide! {
    fn update(
        p: &mut [f32],
        g: &[f32],
        m: &mut [f32],
        v: &mut [f32],
        rate: f32,
        correct_v: f32,
        step: AdamStep,
    ) {
        let (b1, b2, eps) = (step.beta1, step.beta2, step.eps);
        for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m.iter_mut()).zip(v.iter_mut()) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *p -= rate * *m / ((*v * correct_v).sqrt() + eps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_step_moves_by_the_learning_rate_against_the_sign_of_the_gradient() {
        let step = AdamStep { lr: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-8, t: 1 };
        let (mut p, mut m, mut v) = ([1.0, 1.0, 1.0], [0.0; 3], [0.0; 3]);
        adam_step(&mut p, &[3.0, -0.02, 0.0], &mut m, &mut v, step);
        for (p, expected) in p.iter().zip([0.9, 1.1, 1.0]) {
            assert!((p - expected).abs() < 1e-6, "{p} {expected}");
        }
    }
}
