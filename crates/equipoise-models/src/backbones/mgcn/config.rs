//! MGCN's settings.

use crate::ranges;
use equipoise_data::graph::Normalisation;
use serde::{Deserialize, Serialize};

/// Settings: see the [backbone](super).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Nearest items `k`.
    pub neighbours: usize,
    /// Layers over users and items.
    pub ui_layers: usize,
    /// Layers over similar items.
    pub ii_layers: usize,
    /// Whether the contrastive loss is added.
    pub contrastive: bool,
    /// Its weight.
    pub lambda_c: f64,
    /// Its temperature.
    pub tau: f64,
    /// Whether features are trained.
    pub train_features: bool,
    /// Whether silencing a modality silences its graph.
    pub ablate_graph: bool,
    /// Of the user-item graph.
    pub normalisation: Normalisation,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            neighbours: 10,
            ui_layers: 2,
            ii_layers: 1,
            contrastive: true,
            lambda_c: 0.01,
            tau: 0.2,
            train_features: false,
            ablate_graph: false,
            normalisation: Normalisation::Sym,
        }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::neighbours("neighbours", self.neighbours)?;
        ranges::layers("ui_layers", self.ui_layers)?;
        ranges::layers("ii_layers", self.ii_layers)?;
        ranges::not_negative("lambda_c", self.lambda_c)?;
        ranges::expect("tau", self.tau, (0.01..=100.0).contains(&self.tau), "0.01 to 100")
    }
}
