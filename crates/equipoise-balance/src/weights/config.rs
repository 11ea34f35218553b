//! Switches of the counterfactual weights. Where the paper's text and the authors' released code differ, both
//! are named; the paper is the default.

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
    /// Denominator at least 1e-6, then the ratio clamped to \[1e-8, 10\]: safe for every sign.
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
