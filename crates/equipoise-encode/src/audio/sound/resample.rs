//! From one rate of samples to another, piece by piece.
//!
//! ```text
//! y_k = sum_n x_n h(k from / to - n)
//! h(t) = sinc(c t) I_0(9 sqrt(1 - (c t / 48)^2)) / I_0(9)      |c t| < 48, else 0;  c = min(1, to / from)
//! ```
//!
//! A sinc in a window of Kaiser (1974), scaled so that a constant stays what it is: what lies 6 % below half of the lower rate passes,
//! what lies 6 % above it is weaker by 90 dB. Before and after the sound there is silence.

/// Zeros of the sinc on either side.
const ZEROS: f64 = 48.0;
/// Shape of the window.
const SHAPE: f64 = 9.0;

/// Changes the rate of one sound. Output sample `k` is of the time of input sample `k from / to`; there are as many as the sound is
/// long.
pub(super) struct Resampler {
    /// Both rates, without common divisors.
    from: u64,
    to: u64,
    /// Input samples on either side that an output sample follows from.
    half: usize,
    /// Weights of the input samples, by `k from mod to`; empty until they are needed.
    phases: Vec<Vec<f32>>,
    /// Input that is still needed, after `half` samples of silence.
    waiting: Vec<f32>,
    /// Samples before those that are waiting, silence included.
    passed: u64,
    taken: u64,
    given: u64,
    out: Vec<f32>,
}

impl Resampler {
    /// From so many samples a second to so many, both at least 1.
    pub(super) fn new(from: u32, to: u32) -> Resampler {
        let common = u64::from(divisor(from, to));
        let (from, to) = (u64::from(from) / common, u64::from(to) / common);
        let half = (ZEROS * (from as f64 / to as f64).max(1.0)).ceil() as usize;
        Resampler {
            from,
            to,
            half,
            phases: vec![Vec::new(); to as usize],
            waiting: vec![0.0; half],
            passed: 0,
            taken: 0,
            given: 0,
            out: Vec::new(),
        }
    }

    /// Takes samples and gives those of the other rate that follow from them.
    pub(super) fn push(&mut self, samples: &[f32], each: &mut dyn FnMut(&[f32])) {
        if self.from == self.to {
            return each(samples);
        }
        self.taken += samples.len() as u64;
        self.waiting.extend_from_slice(samples);
        self.give(u64::MAX, each);
    }

    /// Gives the samples that are left.
    pub(super) fn finish(mut self, each: &mut dyn FnMut(&[f32])) {
        let owed = (self.taken * self.to).div_ceil(self.from);
        self.waiting.resize(self.waiting.len() + 2 * self.half, 0.0);
        self.give(owed, each);
    }

    /// Gives what follows from the samples that are there, up to so many in all.
    fn give(&mut self, most: u64, each: &mut dyn FnMut(&[f32])) {
        self.out.clear();
        while self.given < most {
            let (at, phase) = (self.given * self.from / self.to, self.given * self.from % self.to);
            let first = (at + 1 - self.passed) as usize;
            let Some(samples) = self.waiting.get(first..first + 2 * self.half) else { break };
            let phase = phase as usize;
            if self.phases[phase].is_empty() {
                self.phases[phase] = self.weights(phase);
            }
            self.out.push(samples.iter().zip(&self.phases[phase]).map(|(x, h)| x * h).sum());
            self.given += 1;
        }
        let used = (self.given * self.from / self.to + 1 - self.passed) as usize;
        self.waiting.drain(..used.min(self.waiting.len()));
        self.passed += used as u64;
        each(&self.out);
    }

    /// Weights of the input samples around a time of `phase / to` after one of them.
    fn weights(&self, phase: usize) -> Vec<f32> {
        let cut = (self.to as f64 / self.from as f64).min(1.0);
        let late = phase as f64 / self.to as f64;
        let weight = |n: usize| {
            let zeros = cut * (late + (self.half - 1) as f64 - n as f64);
            let inside = (1.0 - (zeros / ZEROS).powi(2)).max(0.0);
            if inside == 0.0 { 0.0 } else { sinc(zeros) * bessel(SHAPE * inside.sqrt()) }
        };
        let weights: Vec<f64> = (0..2 * self.half).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| (weight / sum) as f32).collect()
    }
}

fn divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { divisor(b, a % b) }
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// The modified Bessel function of order 0, by its series: `sum_k ((x/2)^k / k!)^2`.
fn bessel(x: f64) -> f64 {
    let next = |(sum, term, k): (f64, f64, f64)| {
        let term = term * (x / (2.0 * k)).powi(2);
        (sum + term, term, k + 1.0)
    };
    let mut state = (1.0, 1.0, 1.0);
    while state.1 > 1e-17 * state.0 {
        state = next(state);
    }
    state.0
}
