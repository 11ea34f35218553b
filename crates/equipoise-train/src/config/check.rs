//! The checks of every range and every name.

use super::types::{RunConfig, TrainConfig};
use crate::evaluation::Selection;
use burn::tensor::Device;
use equipoise_data::{FieldError, ranges};

impl TrainConfig {
    fn check(&self) -> Result<(), FieldError> {
        ranges::positive("lr", self.lr)?;
        ranges::not_negative("reg", self.reg)?;
        ranges::not_negative("reg_content", self.reg_content)?;
        ranges::at_least_one("batch_size", self.batch_size)?;
        ranges::at_least_one("epochs", self.epochs)?;
        ranges::at_least_one("eval_every", self.eval_every)?;
        ranges::at_least_one("patience", self.patience)?;
        ranges::below_one("beta1", self.beta1)?;
        ranges::below_one("beta2", self.beta2)?;
        ranges::positive("eps", self.eps)
    }
}

impl RunConfig {
    /// Checks every range and name that can be checked without the data.
    ///
    /// # Errors
    /// The first fault: key, value, and what is expected.
    pub fn check(&self) -> Result<(), FieldError> {
        self.train.check().map_err(|fault| fault.within("train"))?;
        self.of_teacher().train.check().map_err(|fault| fault.within("balance.teacher"))?;
        self.eval.check().map_err(|fault| fault.within("eval"))?;
        self.on_device()?;
        let backbones: Vec<&str> = equipoise_models::backbones().iter().map(|b| b.name).collect();
        known("backbone.name", &self.backbone.name, &backbones)?;
        let backbone = self.backbone.check()?;
        let balancers: Vec<&str> = equipoise_balance::balancers().iter().map(|b| b.name).collect();
        known("balance.name", &self.balance.name, &balancers)?;
        self.balance.check(backbone.ablation_effect)?;
        if !backbone.ablation_effect.shows() && self.balance.balances() {
            let why = format!(
                "the scores of backbone {} change with no modality, so there is nothing to balance",
                self.backbone.name
            );
            return Err(FieldError::word("balance.name", &self.balance.name, "none").hint(why));
        }
        Selection::parse(&self.train.metric).map(drop)
    }

    /// The device of `device`.
    ///
    /// # Errors
    /// If this build or this machine has no such device.
    pub fn on_device(&self) -> Result<Device, FieldError> {
        equipoise_nn::device(&self.device).map_err(|fault| {
            FieldError::word("device", &self.device, "a device of this machine").hint(fault.to_string())
        })
    }
}

fn known(key: &str, value: &str, names: &[&str]) -> Result<(), FieldError> {
    if names.contains(&value) {
        return Ok(());
    }
    let nearest = equipoise_data::closest(value, names.iter().copied());
    Err(FieldError::unknown_name(key, value, names, nearest))
}
