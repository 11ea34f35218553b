//! A configuration whose ranges and names have been checked.

use super::error::ConfigError;
use super::types::RunConfig;
use std::ops::Deref;

/// A configuration in which every range and every name has been checked. Whatever trains takes one of these, so that an
/// unchecked configuration cannot reach it:
///
/// ```
/// use equipoise_train::RunConfig;
/// let mut config = RunConfig::default();
/// config.train.lr = -1.0;
/// let error = config.checked().unwrap_err();
/// assert_eq!(error.to_string(), "configuration: train.lr = -1: expected more than 0");
/// ```
///
/// ```compile_fail,E0308
/// use equipoise_models::{Ablation, Model};
/// use equipoise_train::{RunConfig, Stepper};
/// fn unchecked(model: Model, balancer: Box<dyn equipoise_balance::Balancer>, data: &equipoise_data::Dataset) {
///     let config = RunConfig::default();
///     let _ = Stepper::new(model, Ablation::FULL, balancer, &data.train, &config, equipoise_data::Seed(1));
/// }
/// ```
///
/// With `&config.checked()?` in its place the same code compiles.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<C>(C);

impl<C> Checked<C> {
    /// The configuration, to be changed. It has to be checked again afterwards.
    pub fn into_inner(self) -> C {
        self.0
    }
}

impl<C> Deref for Checked<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl RunConfig {
    /// The configuration, once it is checked.
    ///
    /// # Errors
    /// The first value out of its range.
    pub fn checked(self) -> Result<Checked<RunConfig>, ConfigError> {
        match self.check() {
            Ok(()) => Ok(Checked(self)),
            Err(error) => Err(ConfigError::Field { origin: "configuration".into(), error }),
        }
    }
}

impl Checked<RunConfig> {
    /// The configuration of a teacher of this run; see [`RunConfig::of_teacher`].
    #[must_use]
    pub fn of_teacher(&self) -> Checked<RunConfig> {
        // The check of a run checks what its teachers differ in.
        Checked(self.0.of_teacher())
    }

    /// The configuration of the plain model of this run; see [`RunConfig::of_plain`].
    #[must_use]
    pub fn of_plain(&self) -> Checked<RunConfig> {
        Checked(self.0.of_plain())
    }
}
