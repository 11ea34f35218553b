//! A model's metrics, whole and under ablations.

use equipoise_data::{Dataset, FieldError, Interactions, StopFlag};
use equipoise_eval::{
    Candidates, Embeddings, EvalConfig, EvalError, Evaluation, MetricName, evaluate, evaluate_until,
};
use equipoise_models::{Ablation, Encoded, Model};
use std::collections::BTreeMap;

/// Metrics by name, such as `recall@20`.
pub type Metrics = BTreeMap<String, f64>;

/// The metric that selects the best model: its name and how to compute it alone.
#[derive(Clone, Debug)]
pub struct Selection {
    name: String,
    config: EvalConfig,
}

impl Selection {
    /// Reads `<metric>@<k>`, such as `recall@20`.
    ///
    /// # Errors
    /// If it is no such thing; the key is `train.metric`.
    pub fn parse(text: &str) -> Result<Selection, FieldError> {
        let fault = || {
            let names: Vec<&str> = MetricName::ALL.iter().map(|m| m.as_str()).collect();
            let expected = format!("<metric>@<k>, such as recall@20, with one of {}", names.join(", "));
            FieldError::word("train.metric", text, expected)
        };
        let (name, k) = text.split_once('@').ok_or_else(fault)?;
        let k: usize = k.parse().ok().filter(|&k| k > 0).ok_or_else(fault)?;
        let metric = MetricName::ALL.iter().find(|m| m.as_str() == name).ok_or_else(fault)?;
        let config = EvalConfig { ks: vec![k], metrics: vec![*metric], ..EvalConfig::default() };
        Ok(Selection { name: text.to_owned(), config })
    }

    /// Checks that the metric can tell models apart: for at least half of the users there must be more candidates than
    /// the cut-off, unless the metric reads the order of the list.
    ///
    /// # Errors
    /// If it cannot; the key is `train.metric`.
    pub fn check_candidates(
        &self,
        train: &Interactions,
        validation: &Interactions,
    ) -> Result<(), FieldError> {
        let (k, metric) = (self.config.ks[0], self.config.metrics[0].metric(self.config.ndcg));
        let counts = Candidates::of(validation, &[train]);
        if metric.reads_order() || !counts.exhausted_by(k) {
            return Ok(());
        }
        let (name, median, items) = (metric.name(), counts.median(), counts.items());
        let (few, all) = (counts.users_with_at_most(k), counts.users());
        let expected = format!(
            "a cut-off that the candidates exceed: {few} of the {all} users of validation have at most {k} candidates \
             (of {items} items, less those in train), for whom {name}@{k} is the same whatever the model"
        );
        let smaller = (median / 4).max(1);
        let hint = if median > 1 {
            format!("{name}@{smaller} or ndcg@{k} would do")
        } else {
            "give more items".into()
        };
        Err(FieldError::word("train.metric", &self.name, expected).hint(hint))
    }

    /// Its name, such as `recall@20`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How it is computed: one metric at one cut-off.
    pub fn config(&self) -> &EvalConfig {
        &self.config
    }

    /// With the run's definition of NDCG.
    pub fn with(mut self, eval: &EvalConfig) -> Selection {
        self.config.ndcg = eval.ndcg;
        self
    }

    /// The metric of one ablation's tables, given up where the flag is raised meanwhile.
    ///
    /// # Errors
    /// If a score is not finite; [`EvalError::Stopped`].
    pub fn measure(
        &self,
        encoded: &Encoded,
        ablation: Ablation,
        held_out: &Interactions,
        exclude: &[&Interactions],
        stop: Option<&StopFlag>,
    ) -> Result<f64, EvalError> {
        let (users, items, dim) = encoded.tables(ablation);
        let tables = Embeddings::new(&users, &items, dim)?;
        evaluate_until(&tables, held_out, exclude, &self.config, stop)?.metric(&self.name)
    }

    /// The metric of a whole model on validation.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub(crate) fn on_validation(
        &self,
        model: &Model,
        data: &Dataset,
        stop: Option<&StopFlag>,
    ) -> Result<f64, EvalError> {
        let encoded = model.encode_all(&[Ablation::FULL]);
        self.measure(&encoded, Ablation::FULL, &data.validation, &[&data.train], stop)
    }
}

/// All metrics of one ablation's tables.
///
/// # Errors
/// If a score is not finite, or nothing is held out.
pub fn evaluate_tables(
    encoded: &Encoded,
    ablation: Ablation,
    held_out: &Interactions,
    exclude: &[&Interactions],
    config: &EvalConfig,
) -> Result<Evaluation, EvalError> {
    let (users, items, dim) = encoded.tables(ablation);
    evaluate(&Embeddings::new(&users, &items, dim)?, held_out, exclude, config)
}

/// Metrics of recommending to everyone by number of train interactions.
///
/// # Errors
/// If nothing is held out.
pub fn popularity(
    train: &Interactions,
    held_out: &Interactions,
    exclude: &[&Interactions],
    config: &EvalConfig,
) -> Result<Evaluation, EvalError> {
    let items: Vec<f32> = train.item_counts().iter().map(|&c| c as f32).collect();
    let users = vec![1.0; train.n_users()];
    evaluate(&Embeddings::new(&users, &items, 1)?, held_out, exclude, config)
}

/// The ablations that an audit of a model reads: each channel, the model without each modality, and ids only.
pub fn audited(model: &Model) -> Vec<Ablation> {
    let n = model.inputs.n_modalities();
    let mut list: Vec<Ablation> = Vec::new();
    let all = (0..n).map(|m| Ablation::only(m, n)).chain((0..n).map(Ablation::without));
    for ablation in all.chain([Ablation::ids_only(n)]) {
        if !list.contains(&ablation) {
            list.push(ablation);
        }
    }
    list
}
