//! Everything that is measured of a trained model, on validation and on test, whole and under ablations.

use crate::evaluation::{Metrics, audited, evaluate_tables, popularity};
use crate::recall_by_group::{self, RecallByGroup};
use crate::report::{AblationMetrics, TestReport};
use equipoise_data::{Dataset, Interactions, SealedTest};
use equipoise_eval::{EvalConfig, EvalError, Evaluation, PerUser};
use equipoise_models::{Ablation, Encoded, Model};

/// A trained model's final tables and what they are measured on.
pub(crate) struct Measurement<'a> {
    data: &'a Dataset,
    eval: &'a EvalConfig,
    primary: Ablation,
    audited: Vec<Ablation>,
    encoded: Encoded,
}

impl<'a> Measurement<'a> {
    /// The tables of a model that was trained under the ablation `primary`.
    pub fn new(model: &Model, primary: Ablation, data: &'a Dataset, eval: &'a EvalConfig) -> Measurement<'a> {
        let audited = audited(model);
        let others = audited.iter().copied().filter(|a| *a != primary);
        let encoded = model.encode_all(&[primary].into_iter().chain(others).collect::<Vec<_>>());
        Measurement { data, eval, primary, audited, encoded }
    }

    /// The final tables under every ablation that is measured.
    pub fn tables(&self) -> &Encoded {
        &self.encoded
    }

    /// Metrics on validation.
    ///
    /// # Errors
    /// If a score is not finite.
    pub fn validation(&self) -> Result<Metrics, EvalError> {
        self.validation_under(self.primary)
    }

    /// Metrics on validation under each ablation.
    ///
    /// # Errors
    /// If a score is not finite.
    pub fn validation_ablations(&self) -> Result<AblationMetrics, EvalError> {
        self.each(|ablation| self.validation_under(ablation))
    }

    /// Everything that is measured on test, each user's metrics, and each user's value of the metric `selection` under every
    /// ablation that is audited, a column for each by its label. No column if that metric is not measured.
    ///
    /// # Errors
    /// If a score is not finite.
    pub fn test(
        &self,
        test: &SealedTest,
        selection: &str,
    ) -> Result<(TestReport, PerUser, PerUser), EvalError> {
        let held_out = test.open();
        let excluded = self.eval.excluded_at_test(&self.data.train, &self.data.validation);
        let under = |ablation| evaluate_tables(&self.encoded, ablation, held_out, &excluded, self.eval);
        let Evaluation { metrics, evaluated_users, skipped_users, definitions, per_user, .. } =
            under(self.primary)?;
        let of_part = |part: &Interactions, eval: &EvalConfig| {
            evaluate_tables(&self.encoded, self.primary, part, &excluded, eval)
        };
        let presence = recall_by_group::by_modality(self.data, held_out, self.eval, of_part)?;
        let groups = RecallByGroup {
            popularity: recall_by_group::by_popularity(&self.data.train, held_out, self.eval, of_part)?,
            history: recall_by_group::by_history(&self.data.train, held_out, &per_user),
        };
        let names = self.data.modalities.iter().map(|m| m.name.as_str()).collect::<Vec<_>>();
        let mut ablated = PerUser { users: per_user.users.clone(), columns: Vec::new() };
        let mut keep = |ablation: Ablation, found: &PerUser| {
            if let Ok(values) = found.column(selection) {
                ablated.columns.push((ablation.label(&names), values.to_vec()));
            }
        };
        if !self.audited.contains(&self.primary) {
            keep(self.primary, &per_user);
        }
        let mut ablations = AblationMetrics::new();
        for &ablation in &self.audited {
            let found = under(ablation)?;
            keep(ablation, &found.per_user);
            ablations.insert(ablation, found.metrics);
        }
        let report = TestReport {
            metrics,
            evaluated_users,
            skipped_users,
            ablations,
            popularity: popularity(&self.data.train, held_out, &excluded, self.eval)?.metrics,
            definitions: definitions.into_iter().chain(recall_by_group::definitions(&presence)).collect(),
            recall_by_presence: presence,
            recall_by_group: groups,
        };
        Ok((report, per_user, ablated))
    }

    fn validation_under(&self, ablation: Ablation) -> Result<Metrics, EvalError> {
        let Dataset { train, validation, .. } = self.data;
        Ok(evaluate_tables(&self.encoded, ablation, validation, &[train], self.eval)?.metrics)
    }

    fn each(
        &self,
        measure: impl Fn(Ablation) -> Result<Metrics, EvalError>,
    ) -> Result<AblationMetrics, EvalError> {
        self.audited.iter().map(|&ablation| Ok((ablation, measure(ablation)?))).collect()
    }
}
