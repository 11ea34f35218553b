//! Adam over a model's parameters, in place on the CPU.

use crate::ops::step::StepOps;
use crate::parameters::Parameters;
use burn::backend::Dispatch;
use burn::tensor::{Device, Tensor, TensorData};
use equipoise_kernels::adam::AdamStep;
use serde::{Deserialize, Serialize};

/// Adam's constants.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `lr` | 1e-3 | learning rate | > 0 |
/// | `beta1` | 0.9 | decay of the first moment | \[0, 1) |
/// | `beta2` | 0.999 | decay of the second moment | \[0, 1) |
/// | `eps` | 1e-8 | added to the root of the second moment | > 0 |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        AdamConfig { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8 }
    }
}

/// Adam with bias correction, constant learning rate and no weight decay. A table that the loss does not reach
/// in a step keeps its values and moments.
pub struct Adam {
    config: AdamConfig,
    t: u64,
    moments: Vec<Option<(Tensor<2>, Tensor<2>)>>,
}

impl Adam {
    /// A fresh optimiser: no step taken, no moments.
    pub fn new(config: AdamConfig) -> Adam {
        Adam { config, t: 0, moments: Vec::new() }
    }

    /// An optimiser that goes on after `steps` steps with these moments, in the order of the parameters: first and second
    /// moment of each table that was reached, row-major, of the table's shape.
    ///
    /// # Panics
    /// If moments do not fill the shape of their table.
    pub fn resumed(
        config: AdamConfig,
        steps: u64,
        moments: Vec<Option<(Vec<f32>, Vec<f32>)>>,
        parameters: &Parameters,
    ) -> Adam {
        let device = parameters.device();
        let table = |values: Vec<f32>, shape| Tensor::from_data(TensorData::new(values, shape), device);
        let shapes = parameters.iter().map(|(_, _, shape)| shape);
        let tables = moments.into_iter().zip(shapes).map(|(moments, shape)| {
            moments.map(|(first, second)| (table(first, shape), table(second, shape)))
        });
        Adam { config, t: steps, moments: tables.collect() }
    }

    /// First and second moment of the `k`-th table; `None` while no gradient has reached it. They must be dropped before the
    /// next step, which is in place where there is no other reference.
    pub fn moments(&self, k: usize) -> Option<(Tensor<2>, Tensor<2>)> {
        self.moments.get(k).cloned().flatten()
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.t
    }

    /// One step on every table with a gradient, `gradients` in the order of `parameters`.
    pub fn step(&mut self, parameters: &mut Parameters, gradients: Vec<Option<Tensor<2>>>) {
        let rates = vec![1.0; gradients.len()];
        self.step_at(parameters, gradients, &rates);
    }

    /// [`step`](Self::step) with a factor for each table's step; the moments are those of the gradients as given.
    pub fn step_at(
        &mut self,
        parameters: &mut Parameters,
        mut gradients: Vec<Option<Tensor<2>>>,
        rates: &[f64],
    ) {
        self.t += 1;
        self.moments.resize_with(parameters.len(), || None);
        let device = parameters.device().clone();
        parameters.update(|k, value| match gradients[k].take() {
            Some(grad) => {
                let step = self.constants(rates[k]);
                let (m, v) = self.moments[k].take().unwrap_or_else(|| zeros(value.dims(), &device));
                let (value, m, v) = apply(value, grad, m, v, step);
                self.moments[k] = Some((m, v));
                value
            }
            None => value,
        });
    }

    fn constants(&self, rate: f64) -> AdamStep {
        let c = self.config;
        AdamStep {
            lr: (c.lr * rate) as f32,
            beta1: c.beta1 as f32,
            beta2: c.beta2 as f32,
            eps: c.eps as f32,
            t: self.t,
        }
    }
}

fn zeros(shape: [usize; 2], device: &Device) -> (Tensor<2>, Tensor<2>) {
    (Tensor::zeros(shape, device), Tensor::zeros(shape, device))
}

fn apply(
    value: Tensor<2>,
    grad: Tensor<2>,
    m: Tensor<2>,
    v: Tensor<2>,
    step: AdamStep,
) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
    let (value, m, v) = Dispatch::adam_step(
        value.into_dispatch(),
        grad.into_dispatch(),
        m.into_dispatch(),
        v.into_dispatch(),
        step,
    );
    (Tensor::from_dispatch(value), Tensor::from_dispatch(m), Tensor::from_dispatch(v))
}
