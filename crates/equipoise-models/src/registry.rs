//! Every built-in backbone by name: adding one touches its file and one line here.

use crate::backbones::vbpr;
use crate::{Backbone, Inputs};
use equipoise_data::Stream;
use equipoise_nn::Parameters;
use serde::{Deserialize, Serialize};

/// What a backbone is built from, shared by TOML, flags and code.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `name` | `vbpr` | which backbone | a name of [`backbones`] |
/// | `width` | 64 | embedding width `d` | 1 to 4096 |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackboneConfig {
    /// Which backbone.
    pub name: String,
    /// Embedding width `d`.
    pub width: usize,
}

impl Default for BackboneConfig {
    fn default() -> Self {
        BackboneConfig { name: "vbpr".into(), width: 64 }
    }
}

/// How a backbone is made: registers its parameters, drawing initial values from the stream.
pub type Build = fn(&BackboneConfig, &Inputs, &mut Parameters, &mut Stream) -> Box<dyn Backbone>;

/// One line of the registry.
pub struct BackboneEntry {
    /// Name in configuration files and on the command line.
    pub name: &'static str,
    /// Name in print.
    pub title: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// One line on what it is.
    pub summary: &'static str,
    /// Its constructor.
    pub build: Build,
}

/// The built-in backbones.
pub fn backbones() -> &'static [BackboneEntry] {
    &[vbpr::ENTRY]
}

/// The backbone of that name.
pub fn find(name: &str) -> Option<&'static BackboneEntry> {
    backbones().iter().find(|b| b.name == name)
}
