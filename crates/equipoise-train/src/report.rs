//! What `metrics.json` holds: which model it is, how its training went, and what was measured.
//!
//! In the file the metrics under an ablation stand under its label, such as `only image`, and everything that is measured
//! on test stands beside the rest, empty where it was left out.

use crate::evaluation::Metrics;
use crate::events::Ending;
use crate::recall_by_group::{Presence, RecallByGroup};
use crate::role::Role;
use equipoise_data::Loudness;
use equipoise_eval::SAYS_NOTHING;
use equipoise_models::Ablation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Metrics under each of several ablations.
pub type AblationMetrics = BTreeMap<Ablation, Metrics>;

/// What `metrics.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "OnDisk", try_from = "OnDisk")]
pub struct Report {
    /// Version of the run directory.
    pub version: u32,
    /// Version of the program.
    pub program: String,
    /// Which model of its run this is.
    pub role: Role,
    /// The data set's name.
    pub dataset: String,
    /// Fingerprint of its train data, features and ids.
    pub fingerprint: String,
    /// Users.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Train interactions.
    pub interactions: usize,
    /// Modalities and their widths, in order.
    pub modalities: Vec<(String, usize)>,
    /// The loudest and the quietest of them, where they differ much.
    pub loudness: Option<Loudness>,
    /// Why training ended.
    pub ending: Ending,
    /// Epochs done.
    pub epochs: usize,
    /// Epoch of the model.
    pub best_epoch: usize,
    /// Seconds of training.
    pub seconds: f64,
    /// Metrics on validation.
    pub validation: Metrics,
    /// Metrics on validation under each ablation.
    pub validation_ablations: AblationMetrics,
    /// What was measured on test, once. `None` for a teacher that a search trained.
    pub test: Option<TestReport>,
}

/// What is measured on test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestReport {
    /// Metrics of the whole model.
    pub metrics: Metrics,
    /// Users with held-out test items.
    pub evaluated_users: usize,
    /// Users without, who do not count.
    pub skipped_users: usize,
    /// Metrics under each ablation.
    pub ablations: AblationMetrics,
    /// Metrics of recommending by popularity.
    pub popularity: Metrics,
    /// Recall apart for items that have a modality and items that lack it, by modality; for modalities of which it is
    /// known that some items lack them.
    pub recall_by_presence: BTreeMap<String, Presence>,
    /// Recall apart for items of each popularity and users with short and long histories; empty in runs of earlier versions.
    pub recall_by_group: RecallByGroup,
    /// What each metric means.
    pub definitions: BTreeMap<String, String>,
}

impl Report {
    /// A metric of the whole model on test, such as `recall@20`; `None` if it was not measured.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.test.as_ref()?.metrics.get(name).copied()
    }

    /// A metric on test under an ablation; `None` if it was not measured.
    pub fn metric_under(&self, ablation: Ablation, name: &str) -> Option<f64> {
        self.test.as_ref()?.ablations.get(&ablation)?.get(name).copied()
    }

    /// Which metrics on test are the same for every model, because lists are as long as the candidates; `None` if none is.
    pub fn says_nothing(&self) -> Option<&str> {
        self.test.as_ref()?.definitions.get(SAYS_NOTHING).map(String::as_str)
    }

    /// Names of the modalities, in order.
    pub fn modality_names(&self) -> Vec<&str> {
        self.modalities.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// The file, key by key.
#[derive(Serialize, Deserialize)]
struct OnDisk {
    version: u32,
    program: String,
    what: Role,
    dataset: String,
    fingerprint: String,
    users: usize,
    items: usize,
    interactions: usize,
    modalities: Vec<(String, usize)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loudness: Option<Loudness>,
    ending: Ending,
    epochs: usize,
    best_epoch: usize,
    seconds: f64,
    validation: Metrics,
    /// Empty, as is everything else that is measured on test, where that was left out.
    test: Metrics,
    evaluated_users: usize,
    skipped_users: usize,
    ablations: BTreeMap<String, Metrics>,
    validation_ablations: BTreeMap<String, Metrics>,
    popularity: Metrics,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    presence: BTreeMap<String, Presence>,
    #[serde(default, skip_serializing_if = "RecallByGroup::is_empty")]
    groups: RecallByGroup,
    definitions: BTreeMap<String, String>,
}

impl From<Report> for OnDisk {
    fn from(report: Report) -> OnDisk {
        let labelled = |under: &AblationMetrics| {
            let names = report.modality_names();
            under.iter().map(|(ablation, metrics)| (ablation.label(&names), metrics.clone())).collect()
        };
        let test = report.test.clone().unwrap_or_default();
        OnDisk {
            ablations: labelled(&test.ablations),
            validation_ablations: labelled(&report.validation_ablations),
            version: report.version,
            program: report.program,
            what: report.role,
            dataset: report.dataset,
            fingerprint: report.fingerprint,
            users: report.users,
            items: report.items,
            interactions: report.interactions,
            modalities: report.modalities,
            loudness: report.loudness,
            ending: report.ending,
            epochs: report.epochs,
            best_epoch: report.best_epoch,
            seconds: report.seconds,
            validation: report.validation,
            test: test.metrics,
            evaluated_users: test.evaluated_users,
            skipped_users: test.skipped_users,
            popularity: test.popularity,
            presence: test.recall_by_presence,
            groups: test.recall_by_group,
            definitions: test.definitions,
        }
    }
}

/// A label of an ablation that none of the modalities has.
#[derive(Debug, thiserror::Error)]
#[error("`{label}` is no ablation of the modalities {names}; train the run again")]
struct UnknownLabel {
    label: String,
    names: String,
}

impl TryFrom<OnDisk> for Report {
    type Error = UnknownLabel;

    fn try_from(file: OnDisk) -> Result<Report, UnknownLabel> {
        let names: Vec<&str> = file.modalities.iter().map(|(name, _)| name.as_str()).collect();
        let ablation = |(label, metrics): (String, Metrics)| match Ablation::from_label(&label, &names) {
            Some(ablation) => Ok((ablation, metrics)),
            None => Err(UnknownLabel { label, names: names.join(", ") }),
        };
        let read = |labelled: BTreeMap<String, Metrics>| -> Result<AblationMetrics, UnknownLabel> {
            labelled.into_iter().map(ablation).collect()
        };
        let test = TestReport {
            ablations: read(file.ablations)?,
            metrics: file.test,
            evaluated_users: file.evaluated_users,
            skipped_users: file.skipped_users,
            popularity: file.popularity,
            recall_by_presence: file.presence,
            recall_by_group: file.groups,
            definitions: file.definitions,
        };
        Ok(Report {
            validation_ablations: read(file.validation_ablations)?,
            test: (!test.metrics.is_empty()).then_some(test),
            version: file.version,
            program: file.program,
            role: file.what,
            dataset: file.dataset,
            fingerprint: file.fingerprint,
            users: file.users,
            items: file.items,
            interactions: file.interactions,
            modalities: file.modalities,
            loudness: file.loudness,
            ending: file.ending,
            epochs: file.epochs,
            best_epoch: file.best_epoch,
            seconds: file.seconds,
            validation: file.validation,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as earlier versions wrote it, for two modalities.
    const FILE: &str = r#"{"version":1,"program":"0.1.0","what":"teacher image","dataset":"d","fingerprint":"f","users":3,"items":4,"interactions":5,"modalities":[["text",2],["image",3]],"ending":"early_stop","epochs":6,"best_epoch":5,"seconds":0.5,"validation":{"recall@20":0.5},"test":{"recall@20":0.25},"evaluated_users":2,"skipped_users":1,"ablations":{"ids only":{"recall@20":0.1},"only image":{"recall@20":0.2},"only text":{"recall@20":0.125}},"validation_ablations":{"ids only":{"recall@20":0.3}},"popularity":{"recall@20":0.05},"definitions":{"recall":"hits"}}"#;

    #[test]
    fn a_file_is_read_by_set_and_written_with_the_same_bytes() {
        let report: Report = serde_json::from_str(FILE).unwrap();
        assert_eq!(report.role, Role::Teacher("image".into()));
        assert_eq!(report.metric_under(Ablation::only(1, 2), "recall@20"), Some(0.2));
        assert_eq!(report.metric_under(Ablation::ids_only(2), "recall@20"), Some(0.1));
        assert_eq!(report.metric_under(Ablation::FULL, "recall@20"), None);
        assert_eq!(report.metric("recall@20"), Some(0.25));
        assert_eq!(serde_json::to_string(&report).unwrap(), FILE);
    }

    #[test]
    fn what_was_not_measured_on_test_is_absent_and_stays_empty_in_the_file() {
        let mut file: serde_json::Value = serde_json::from_str(FILE).unwrap();
        for key in ["test", "ablations", "popularity", "definitions"] {
            file[key] = serde_json::json!({});
        }
        (file["evaluated_users"], file["skipped_users"]) = (0.into(), 0.into());
        let report: Report = serde_json::from_value(file.clone()).unwrap();
        assert_eq!((&report.test, report.metric("recall@20")), (&None, None));
        assert_eq!(serde_json::to_value(&report).unwrap(), file);
    }

    #[test]
    fn a_label_of_other_modalities_is_refused_by_name() {
        let error = serde_json::from_str::<Report>(&FILE.replace("only image", "only audio")).unwrap_err();
        assert!(error.to_string().contains("`only audio`"), "{error}");
    }
}
