//! What a report is made from: plain numbers, gathered by the caller.

use equipoise_data::Loudness;
use equipoise_eval::SAYS_NOTHING;
use equipoise_recommend::{CalibratedFusion, HeldOutFusion};
use serde::{Deserialize, Serialize};

/// Everything the report needs, gathered by the caller from run directories.
///
/// Every value of the metric is a mean over `evaluated_users` users and lies in `[0, 1]`; values
/// that are not finite are treated as absent.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
pub struct Audit {
    /// Name of the run.
    pub run: String,
    /// Name of the data set.
    pub dataset: String,
    /// Name of the backbone, such as `vbpr`.
    pub backbone: String,
    /// Name of the balancer: `none`, `ckd`, ...
    pub balance: String,
    /// Seed of the run.
    pub seed: u64,
    /// The metric of all comparisons, such as `recall@20`.
    pub metric: String,
    /// The split it was measured on: `validation` or `test`.
    pub split: String,
    /// Users in the data set.
    pub users: usize,
    /// Items in the data set.
    pub items: usize,
    /// Interactions in the data set, all splits together.
    pub interactions: usize,
    /// Users with at least one interaction in the split: those the metric averages over.
    pub evaluated_users: usize,
    /// The metric of the whole model, `f({})`.
    pub whole: f64,
    /// The metric with every modality silenced, `f(M)`: what the IDs alone know.
    pub ids_only: Option<f64>,
    /// The metric of recommending by popularity: the floor.
    pub popularity: Option<f64>,
    /// Standard error of `whole - ids_only`, paired over users; absent as in [`PairedErrors`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids_only_error: Option<f64>,
    /// The metric of a model of IDs alone, trained with every modality silenced or without content; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids_model: Option<f64>,
    /// Standard error of `whole - ids_model`, paired over users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids_model_error: Option<f64>,
    /// The loudest and the quietest modality, where the norms of their features differ much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
    /// One entry per modality, in the order of the configuration.
    pub modalities: Vec<ModalityAudit>,
    /// This run, epoch by epoch.
    pub history: Vec<AuditEpoch>,
    /// The teachers' validation metric over their own training.
    pub teacher_history: Vec<TeacherCurve>,
    /// The same model trained without balancing, for comparison.
    pub plain: Option<PlainRun>,
    /// What becomes of the channels when they are put together, where the test interactions were at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fusion: Option<HeldOutFusion>,
    /// All metrics of the whole model on the split, by name.
    pub metrics: Vec<(String, f64)>,
    /// Terms and what they mean, shown at the foot of the page.
    pub definitions: Vec<(String, String)>,
    /// The resolved configuration of the run.
    pub config_toml: String,
    /// Version of the program that made the run.
    pub version: String,
}

/// What was measured about one modality.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
pub struct ModalityAudit {
    /// Name of the modality, such as `visual`.
    pub name: String,
    /// Width of its feature vectors.
    pub width: usize,
    /// `uni(m)`: the metric with every other modality silenced.
    pub channel: f64,
    /// `loo(m)`: the metric with this modality silenced.
    pub without: f64,
    /// The metric of the teacher, trained with this modality alone.
    pub teacher: Option<f64>,
    /// The metric of that teacher with its own modality silenced too: its IDs alone. The difference to `teacher` is at least what
    /// the content of the modality adds: the IDs were trained beside the content and leave to it what they could have learned.
    pub teacher_ids_only: Option<f64>,
    /// How sure the differences are.
    #[serde(default, skip_serializing_if = "PairedErrors::is_unknown")]
    pub errors: PairedErrors,
    /// What the balancer gives it, mean over the last epoch: distillation weight `lambda_m`, weight of its loss,
    /// factor of its gradient.
    pub weight: Option<f64>,
    /// By what the balancer compares it, mean over the last epoch: of distillation `rho^m`, how much of the
    /// teacher's margin the model extracts.
    pub rho: Option<f64>,
    /// Average treatment effect `gamma^m`: mean margin lost when the modality is silenced. Of `agm` the mean response.
    pub effect: Option<f64>,
    /// What is known of the items that lack it, where some do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingAudit>,
}

/// Standard errors of differences, paired over users: `sd(a_u - b_u) / sqrt(n)`. Each is absent where the users' values are not at
/// hand, as in runs of earlier versions; a bound takes its place then.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Default)]
pub struct PairedErrors {
    /// Of `teacher - channel`.
    pub shortfall: Option<f64>,
    /// Of `teacher - teacher_ids_only`.
    pub content: Option<f64>,
    /// Of `whole - without`.
    pub removal: Option<f64>,
    /// Of `channel - ids_only`.
    pub ids: Option<f64>,
    /// Of `whole - channel`.
    pub whole: Option<f64>,
}

impl PairedErrors {
    fn is_unknown(&self) -> bool {
        *self == PairedErrors::default()
    }
}

/// Items that lack a modality, and how well held-out items are found apart from the others.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
pub struct MissingAudit {
    /// Number of items that lack the modality.
    pub items: usize,
    /// The metric measured apart, such as `recall@20`.
    pub metric: String,
    /// Its value over held-out items that have the modality; `None` if there is none.
    pub has: Option<f64>,
    /// Its value over held-out items that lack it; `None` if there is none.
    pub lacks: Option<f64>,
}

/// What was recorded in one epoch. Pairs are `(modality, value)`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
pub struct AuditEpoch {
    /// Number of the epoch.
    pub epoch: usize,
    /// Mean training loss.
    pub loss: f64,
    /// Validation metric of the whole model, when evaluated.
    pub validation: Option<f64>,
    /// Validation metric of each channel, when evaluated.
    pub channels: Vec<(String, f64)>,
    /// What the balancer gives each modality, such as the distillation weight `lambda_m`.
    pub weights: Vec<(String, f64)>,
    /// By what it compares them, such as `rho^m`.
    pub rho: Vec<(String, f64)>,
    /// Mean treatment effect `gamma^m`, or response.
    pub effects: Vec<(String, f64)>,
    /// Share of the steps in which a guard replaced `rho^m`, in `[0, 1]`.
    pub clamped: Vec<(String, f64)>,
    /// The same of the ids.
    #[serde(default, skip_serializing_if = "IdsEpoch::is_unknown")]
    pub ids: IdsEpoch,
}

/// What was recorded of the ids in one epoch.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Default)]
pub struct IdsEpoch {
    /// Validation metric of the ids alone, when evaluated.
    pub channel: Option<f64>,
    /// What the balancer gives them, where they are a channel to it.
    pub weight: Option<f64>,
    /// By what it compares them.
    pub rho: Option<f64>,
    /// What they add.
    pub effect: Option<f64>,
}

impl IdsEpoch {
    fn is_unknown(&self) -> bool {
        *self == IdsEpoch::default()
    }
}

/// A teacher's validation metric over its training.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
pub struct TeacherCurve {
    /// The modality it was trained with.
    pub modality: String,
    /// `(epoch, validation metric)`, ascending in the epoch.
    pub points: Vec<(usize, f64)>,
}

/// The same model trained without balancing.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
pub struct PlainRun {
    /// Name of that run.
    pub run: String,
    /// The metric of its whole model.
    pub whole: f64,
    /// The same with weights of its modalities that validation chose after training, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrated: Option<f64>,
    /// Standard error of the difference between the whole models, paired over users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
    /// The metric of its channels, by modality.
    pub channels: Vec<(String, f64)>,
    /// That run, epoch by epoch.
    pub history: Vec<AuditEpoch>,
}

impl Audit {
    /// The metric of the plain run's channel of `modality`, where both are known.
    pub(crate) fn plain_channel(&self, modality: &str) -> Option<f64> {
        self.plain.as_ref().and_then(|plain| value_of(&plain.channels, modality))
    }

    /// What calibrated weights make of the model, where that was measured.
    pub(crate) fn calibrated(&self) -> Option<&CalibratedFusion> {
        self.fusion.as_ref()?.calibrated.as_ref()
    }

    /// Which metrics are the same for every model, because lists are as long as the candidates; `None` if none is.
    pub(crate) fn says_nothing(&self) -> Option<&str> {
        let found = self.definitions.iter().find(|(term, _)| term == SAYS_NOTHING);
        found.map(|(_, text)| text.as_str())
    }

    /// The metric of the plain run's model with weights that validation chose, where it is known.
    pub(crate) fn plain_calibrated(&self) -> Option<f64> {
        self.plain.as_ref().and_then(|p| p.calibrated).and_then(finite)
    }

    /// The metric of the plain run's whole model, where it is known.
    pub(crate) fn plain_whole(&self) -> Option<f64> {
        self.plain.as_ref().map(|p| p.whole).and_then(finite)
    }
}

/// The finite value paired with `name`, if any.
pub(crate) fn value_of(pairs: &[(String, f64)], name: &str) -> Option<f64> {
    let (_, value) = pairs.iter().find(|(key, _)| key == name)?;
    finite(*value)
}

/// `Some(value)` when it is a number that can be compared and drawn.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
