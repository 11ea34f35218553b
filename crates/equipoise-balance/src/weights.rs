//! Counterfactual weights: how much each modality is taught in a step (Eq. 15-18, generalised).
//!
//! With the student's margins `Ds` (full), `Ds^m` (only `m`), `Ds^-m` (without `m`) and the teacher's `Dt^m`:
//! ```text
//! delta^m  = Ds - Ds^-m                  individual treatment effect, per triple          (15)
//! gamma^m  = mean delta^m                average treatment effect                          (16)
//! rho^m    = clamp( gamma^m / max(T_m, 1e-6), 1e-8, 10 ),   T_m = mean Dt^m                (17), guarded
//! share^m  = rho^m / sum_k rho^k
//! lambda_m = (1 - share^m) / (n - 1)     for n >= 2 modalities;  1 for n = 1               (18), sum 1
//! lambda_m = 0                           where T_m <= 0: m is left out of n and of every sum
//! ```
//! Everything here is detached: plain numbers, no gradient.
//!
//! Low `rho^m` means that the student extracts little of what the teacher shows is there: it is taught more.
//! All `gamma^m <= 0` gives equal weights; a dead modality among living ones gets the largest. A teacher whose margin is not
//! positive ranks no better than chance and teaches nothing. Its ratio would be at a bound, so that a modality that does harm
//! would be taught most by the worst teacher.
//!
//! The weights are those of (18) as printed for two modalities with positive effects and ratios of at most 10. With more
//! modalities (18) sums to `n - 1`, which [`Sum::Printed`] restores.

use crate::losses::mean;
use serde::{Deserialize, Serialize};

/// A named combination of the switches below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightMode {
    /// As printed (Eq. 15-18) and guarded: batch level, teacher denominator, floored, sum 1.
    #[default]
    Paper,
    /// As the released code computes them: per triple, student denominator, raw ratio clamped, sum n.
    Released,
    /// Equal weights with the active sum ("without re-weighting" in the ablation study).
    Uniform,
    /// No weights of channels: the whole and the ids are taught by a sum of all teachers, see [`robust`](crate::robust).
    Robust,
}

/// Where the ratio is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Of batch averages: one weight per modality and step.
    Batch,
    /// On every triple.
    Triple,
}

/// What the treatment effect is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denominator {
    /// The teacher's margin (the paper).
    Teacher,
    /// The student's own margin with that modality alone (the released code).
    Student,
}

/// What keeps the ratio sane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Denominator at least 1e-6, then the ratio clamped to \[1e-8, 10\]: safe for every sign. A teacher whose margin, as
    /// denominator, is not positive teaches nothing.
    Floored,
    /// The ratio clamped to \[1e-8, 10\] as it is: two negatives make a "well used" modality.
    Raw,
}

/// What the weights of a step sum to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sum {
    /// 1, Eq. (18) for two modalities.
    One,
    /// The number of modalities, the released scale.
    Modalities,
    /// One less than the number of modalities, Eq. (18) as printed: no distillation at all for a single modality.
    Printed,
}

/// How weights follow from ratios.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `(1 - share) / (n - 1)`: Eq. (18) rescaled; flattens as n grows.
    #[default]
    Complement,
    /// `(1 / rho) / sum (1 / rho)`: equal to the other for n = 2, concentrates on the weakest for n > 2.
    Inverse,
}

/// The switches as a user writes them: a mode, and each part on its own where wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WeightSwitches {
    /// The combination to start from.
    pub mode: WeightMode,
    /// Overrides the mode's sum.
    pub sum: Option<Sum>,
    /// Overrides the mode's level.
    pub level: Option<Level>,
    /// Overrides the mode's denominator.
    pub denominator: Option<Denominator>,
    /// Overrides the mode's guard.
    pub guard: Option<Guard>,
    /// Shape, the same in every mode.
    pub shape: Shape,
    /// Exponential averaging of batch ratios across steps: 0 for none.
    pub smooth: f64,
}

/// The switches as they apply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighting {
    /// Equal weights.
    pub uniform: bool,
    /// Sum of the weights.
    pub sum: Sum,
    /// Where the ratio is taken.
    pub level: Level,
    /// What the effect is compared with.
    pub denominator: Denominator,
    /// What keeps the ratio sane.
    pub guard: Guard,
    /// How weights follow from ratios.
    pub shape: Shape,
    /// Decay of the averages across steps.
    pub smooth: f64,
}

impl WeightSwitches {
    /// Fills what is not overridden from the mode.
    pub fn resolve(self) -> Weighting {
        let released = self.mode == WeightMode::Released;
        let pick = |released_value, paper_value| if released { released_value } else { paper_value };
        Weighting {
            uniform: self.mode == WeightMode::Uniform,
            sum: self.sum.unwrap_or(if released { Sum::Modalities } else { Sum::One }),
            level: self.level.unwrap_or(pick(Level::Triple, Level::Batch)),
            denominator: self.denominator.unwrap_or(if released {
                Denominator::Student
            } else {
                Denominator::Teacher
            }),
            guard: self.guard.unwrap_or(if released { Guard::Raw } else { Guard::Floored }),
            shape: self.shape,
            smooth: self.smooth,
        }
    }
}

/// Least ratio after clamping.
pub const R_MIN: f64 = 1e-8;
/// Largest ratio after clamping.
pub const R_MAX: f64 = 10.0;
/// Least denominator under [`Guard::Floored`].
pub const EPS: f64 = 1e-6;

/// Margins of one modality on the BPR triples of a step.
#[derive(Clone, Debug)]
pub struct ModalityMargins {
    /// Student with only this modality, `Ds^m`.
    pub only: Vec<f32>,
    /// Student without this modality, `Ds^-m`.
    pub without: Vec<f32>,
    /// This modality's teacher, `Dt^m`.
    pub teacher: Vec<f32>,
}

/// The weights of one step, one entry per modality.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepWeights {
    /// `lambda_m`, or the mean of the per-triple weights.
    pub mean: Vec<f64>,
    /// Per-triple weights `w^m_b`, at [`Level::Triple`] only.
    pub per_triple: Option<Vec<Vec<f32>>>,
    /// Guarded ratio, or its mean over triples.
    pub rho: Vec<f64>,
    /// `gamma^m`.
    pub effect: Vec<f64>,
    /// `T_m`.
    pub teacher_margin: Vec<f64>,
    /// Share of ratios that were clamped.
    pub clamped: Vec<f64>,
}

/// Computes the weights of each step, keeping the averages that smoothing needs.
#[derive(Clone, Debug)]
pub struct Weigher {
    weighting: Weighting,
    /// Exponential averages of `(gamma^m, denominator)`.
    smooth: Vec<(f64, f64)>,
}

impl Weigher {
    /// A weigher with no history.
    pub fn new(weighting: Weighting) -> Weigher {
        Weigher { weighting, smooth: Vec::new() }
    }

    /// The averages that smoothing keeps, `gamma^m` and its denominator for each modality; empty before the first step.
    pub fn history(&self) -> &[(f64, f64)] {
        &self.smooth
    }

    /// Goes on from the averages of another weigher.
    pub fn go_on(&mut self, history: Vec<(f64, f64)>) {
        self.smooth = history;
    }

    /// Weights of a step from the full margins and each modality's.
    pub fn weigh(&mut self, full: &[f32], modalities: &[ModalityMargins]) -> StepWeights {
        let effect: Vec<f64> = modalities.iter().map(|m| mean_difference(full, &m.without)).collect();
        let teacher_margin = modalities.iter().map(|m| mean(&m.teacher)).collect();
        let weights = match self.weighting.level {
            Level::Batch => self.batch(&effect, modalities),
            Level::Triple => self.triples(full, modalities),
        };
        let weights = StepWeights { effect, teacher_margin, ..weights };
        if self.weighting.uniform { self.equal(weights) } else { weights }
    }

    fn batch(&mut self, effect: &[f64], modalities: &[ModalityMargins]) -> StepWeights {
        let denominators = modalities.iter().map(|m| mean(self.denominator(m)));
        let pairs: Vec<(f64, f64)> = effect.iter().copied().zip(denominators).collect();
        let pairs = self.smoothed(pairs);
        let ratios: Vec<Ratio> = pairs.into_iter().map(|(g, t)| self.ratio(g, t)).collect();
        StepWeights {
            mean: self.shared_out(&ratios),
            rho: ratios.iter().map(|r| r.value).collect(),
            clamped: ratios.iter().map(|r| f64::from(u8::from(r.clamped))).collect(),
            ..StepWeights::default()
        }
    }

    fn triples(&self, full: &[f32], modalities: &[ModalityMargins]) -> StepWeights {
        let (n, count) = (modalities.len(), full.len());
        let mut per_triple = vec![Vec::with_capacity(count); n];
        let (mut rho, mut clamped) = (vec![0.0; n], vec![0.0; n]);
        let mut ratios = vec![Ratio::default(); n];
        for (b, &whole) in full.iter().enumerate() {
            for (m, margins) in modalities.iter().enumerate() {
                let delta = f64::from(whole) - f64::from(margins.without[b]);
                let below = f64::from(self.denominator(margins)[b]);
                ratios[m] = self.ratio(delta, below);
                rho[m] += ratios[m].value / count as f64;
                clamped[m] += f64::from(u8::from(ratios[m].clamped)) / count as f64;
            }
            let weights = self.shared_out(&ratios);
            per_triple.iter_mut().zip(weights).for_each(|(out, w)| out.push(w as f32));
        }
        let mean = per_triple.iter().map(|w| mean(w)).collect();
        StepWeights { mean, per_triple: Some(per_triple), rho, clamped, ..StepWeights::default() }
    }

    fn denominator<'a>(&self, m: &'a ModalityMargins) -> &'a [f32] {
        match self.weighting.denominator {
            Denominator::Teacher => &m.teacher,
            Denominator::Student => &m.only,
        }
    }

    /// Exponential averages across steps, started with the first step's values.
    fn smoothed(&mut self, now: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        let beta = self.weighting.smooth;
        if beta == 0.0 || self.smooth.is_empty() {
            self.smooth = now;
        } else {
            let blend = |old: f64, new: f64| beta * old + (1.0 - beta) * new;
            let pairs = self.smooth.iter().zip(now);
            self.smooth = pairs.map(|(o, n)| (blend(o.0, n.0), blend(o.1, n.1))).collect();
        }
        self.smooth.clone()
    }

    /// The ratio of an effect to its denominator. A teacher's margin that is not positive is left out under a guard.
    fn ratio(&self, effect: f64, denominator: f64) -> Ratio {
        let Weighting { guard, denominator: source, .. } = self.weighting;
        let failed = guard == Guard::Floored && source == Denominator::Teacher && denominator <= 0.0;
        let (value, clamped) = guarded(effect, denominator, guard);
        Ratio { value, clamped, taught: !failed }
    }

    /// The configured sum, shared out among the modalities that are taught.
    fn shared_out(&self, ratios: &[Ratio]) -> Vec<f64> {
        let taught: Vec<f64> = ratios.iter().filter(|r| r.taught).map(|r| r.value).collect();
        let scale = self.total(taught.len());
        let mut shares = shares(&taught, self.weighting.shape).into_iter().map(|s| s * scale);
        let weight = |r: &Ratio| if r.taught { shares.next().unwrap_or(0.0) } else { 0.0 };
        ratios.iter().map(weight).collect()
    }

    fn total(&self, n: usize) -> f64 {
        match self.weighting.sum {
            Sum::One => 1.0,
            Sum::Modalities => n as f64,
            Sum::Printed => n.saturating_sub(1) as f64,
        }
    }

    fn equal(&self, weights: StepWeights) -> StepWeights {
        let n = weights.effect.len();
        StepWeights { mean: vec![self.total(n) / n as f64; n], per_triple: None, ..weights }
    }
}

fn mean_difference(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(&a, &b)| f64::from(a) - f64::from(b)).sum();
    sum / a.len().max(1) as f64
}

// Ratios under their guards, and weights from ratios.

/// The ratio of one modality.
#[derive(Clone, Copy, Debug, Default)]
struct Ratio {
    /// Inside its bounds.
    value: f64,
    /// Whether the guard changed it.
    clamped: bool,
    /// Whether the modality takes part in the weights.
    taught: bool,
}

/// `effect / denominator` under the guard, and whether the guard changed it.
fn guarded(effect: f64, denominator: f64, guard: Guard) -> (f64, bool) {
    let below = match guard {
        Guard::Floored => denominator.max(EPS),
        Guard::Raw => denominator,
    };
    let ratio = effect / below;
    let kept = if ratio.is_finite() { ratio.clamp(R_MIN, R_MAX) } else { unbounded(ratio) };
    (kept, kept != ratio || below != denominator)
}

/// `+inf` is clamped like any large ratio; `-inf` and NaN count as no effect.
fn unbounded(ratio: f64) -> f64 {
    if ratio == f64::INFINITY { R_MAX } else { R_MIN }
}

/// Weights that sum to 1: the weaker the ratio, the larger the weight.
fn shares(ratios: &[f64], shape: Shape) -> Vec<f64> {
    let n = ratios.len();
    if n == 1 {
        return vec![1.0];
    }
    match shape {
        Shape::Complement => {
            let total: f64 = ratios.iter().sum();
            ratios.iter().map(|r| (1.0 - r / total) / (n - 1) as f64).collect()
        }
        Shape::Inverse => {
            let total: f64 = ratios.iter().map(|r| 1.0 / r).sum();
            ratios.iter().map(|r| 1.0 / r / total).collect()
        }
    }
}
