//! Settings of `ogm`.

use equipoise_models::AblationEffect;
use serde::{Deserialize, Serialize};

/// What a modality contributes to a margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contribution {
    /// Its own part of the score and an equal share of the ids'.
    Split,
    /// The margin with every other modality silenced.
    Ablated,
}

/// What the factors multiply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Apply {
    /// The gradient, before the optimiser (as published).
    #[default]
    Grad,
    /// The optimiser's step.
    Update,
}

/// The factor of shared parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignShared {
    /// 1.
    #[default]
    None,
    /// The mean over modalities.
    Average,
}

/// Settings of `ogm`; see the [module documentation](super).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Strength.
    pub alpha: f64,
    /// What a modality contributes to a margin; by backbone if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contribution: Option<Contribution>,
    /// What the factors multiply.
    pub apply: Apply,
    /// First epoch with modulation.
    pub start_epoch: usize,
    /// Last epoch with modulation.
    pub end_epoch: usize,
    /// The factor of shared parameters.
    pub assign_shared: AssignShared,
    /// Adds noise.
    pub ge: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            alpha: 0.3,
            contribution: None,
            apply: Apply::default(),
            start_epoch: 1,
            end_epoch: 50,
            assign_shared: AssignShared::default(),
            ge: false,
        }
    }
}

impl Config {
    /// The contribution that is used with a backbone of this kind.
    pub(super) fn contribution_to(&self, ablation_effect: AblationEffect) -> Contribution {
        let usual = if ablation_effect == AblationEffect::Additive {
            Contribution::Split
        } else {
            Contribution::Ablated
        };
        self.contribution.unwrap_or(usual)
    }

    pub(super) fn check(&self, chosen: &str, ablation_effect: AblationEffect) -> Result<(), String> {
        let Config { alpha, start_epoch, end_epoch, .. } = *self;
        if !(alpha >= 0.0 && alpha.is_finite()) {
            return Err(format!("balance.ogm.alpha = {alpha}: expected 0 or more"));
        }
        if start_epoch == 0 {
            return Err("balance.ogm.start_epoch = 0: expected 1 or more".into());
        }
        if end_epoch < start_epoch {
            return Err(format!(
                "balance.ogm.end_epoch = {end_epoch}: expected balance.ogm.start_epoch ({start_epoch}) or more"
            ));
        }
        let split = self.contribution == Some(Contribution::Split);
        if chosen == "ogm" && split && ablation_effect != AblationEffect::Additive {
            return Err("balance.ogm.contribution = \"split\": the scores of this backbone are no sum over \
                        modalities; expected ablated"
                .into());
        }
        Ok(())
    }
}
