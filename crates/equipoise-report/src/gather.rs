//! An [`Audit`] from run directories: everything in it was measured and written when the run was made.

use crate::paired::UserValues;
use crate::{Audit, AuditEpoch, IdsEpoch, MissingAudit, ModalityAudit, PairedErrors, PlainRun, TeacherCurve};
use equipoise_data::{Loaded, told_apart};
use equipoise_models::Ablation;
use equipoise_recommend::{RecommendError, ServedModel, fusion};
use equipoise_train::evaluation::Selection;
use equipoise_train::events;
use equipoise_train::recall_by_group::Presence;
use equipoise_train::{Report, Role, Run, RunConfig, TrainError};
use std::path::PathBuf;

impl Audit {
    /// The audit of a run on its test split, beside the plain model's if one is given.
    ///
    /// # Errors
    /// If a file of a run is missing or damaged, or the two runs are not of the same data.
    pub fn from_run(run: &Run, plain: Option<&Run>) -> Result<Audit, TrainError> {
        let (config, report) = (run.config()?, run.report()?);
        let metric = config.train.metric.clone();
        let teachers = teachers(run, &report)?;
        let history = history(run)?;
        let users = UserValues::of(run, &report, &metric)?;
        let test = report.test.clone().unwrap_or_default();
        // Where silencing shows nothing, a row per modality would only repeat the whole model.
        let shown = equipoise_models::find(&config.backbone.name);
        let shown = shown.is_none_or(|backbone| backbone.ablation_effect.shows());
        let modalities = (0..if shown { report.modalities.len() } else { 0 })
            .map(|m| {
                let known = modality(m, &report, &metric, teachers[m].as_ref(), &history);
                let errors = errors(m, &users, teachers[m].as_ref(), report.modalities.len());
                ModalityAudit { errors, ..known }
            })
            .collect();
        let curves = teachers.iter().flatten();
        let audit = Audit {
            run: run.name(),
            dataset: report.dataset.clone(),
            backbone: config.backbone.name.clone(),
            balance: config.balance.name.clone(),
            seed: config.seed,
            metric: metric.clone(),
            split: "test".into(),
            users: report.users,
            items: report.items,
            interactions: report.interactions,
            evaluated_users: test.evaluated_users,
            whole: report.metric(&metric).unwrap_or(f64::NAN),
            ids_only: ids_only(&report, &metric),
            ids_only_error: users.error(Ablation::FULL, &users, Ablation::ids_only(report.modalities.len())),
            ids_model: None,
            ids_model_error: None,
            loudness: report.loudness.clone(),
            popularity: test.popularity.get(&metric).copied(),
            modalities,
            history,
            teacher_history: curves.map(|t| t.curve.clone()).collect(),
            plain: plain.map(|p| plain_run(p, &report, &metric, &users)).transpose()?,
            fusion: None,
            metrics: test.metrics.into_iter().collect(),
            definitions: test.definitions.into_iter().collect(),
            config_toml: config.to_toml().map_err(|e| TrainError::format(&run.config_path(), e))?,
            version: env!("CARGO_PKG_VERSION").into(),
        };
        // Some balancers train a teacher of the ids.
        let ids = teacher_dir(run, &config).join("ids");
        if !shown || !ids.join("metrics.json").exists() {
            return Ok(audit);
        }
        let teacher = Run::open(&ids)?;
        match teacher.report()?.role {
            Role::Ids => audit.with_ids_model(run, &teacher),
            _ => Ok(audit),
        }
    }

    /// The same beside a model of ids alone on the same data: a teacher of the ids, or a run of a backbone without content.
    ///
    /// # Errors
    /// If a file of that run is missing or damaged, or the run is of other data.
    pub fn with_ids_model(self, run: &Run, ids: &Run) -> Result<Audit, TrainError> {
        let (report, found) = (run.report()?, ids.report()?);
        if report.fingerprint != found.fingerprint {
            return Err(TrainError::format(
                ids.dir(),
                "this run is of other data; give a run of ids alone on the same data set",
            ));
        }
        let mine = UserValues::of(run, &report, &self.metric)?;
        let theirs = UserValues::of(ids, &found, &self.metric)?;
        let under = match found.role {
            Role::Ids | Role::SecondIds => Ablation::ids_only(found.modalities.len()),
            _ => Ablation::FULL,
        };
        Ok(Audit {
            ids_model: found.metric(&self.metric),
            ids_model_error: mine.error(Ablation::FULL, &theirs, under),
            ..self
        })
    }
}

/// Where the teachers of a run are.
fn teacher_dir(run: &Run, config: &RunConfig) -> PathBuf {
    config.balance.teachers.clone().unwrap_or_else(|| run.dir().join("teachers"))
}

impl Audit {
    /// The same with what the run's channels and its calibrated weights do on the test split, for which its data is needed. A run
    /// without tables, and a backbone in which silencing shows nothing, have nothing of the kind.
    ///
    /// # Errors
    /// If the data is not that of the run, or a file of the run is damaged.
    pub fn with_fusion(self, run: &Run, loaded: &Loaded) -> Result<Audit, RecommendError> {
        if run.tables_path().is_file() {
            let model = ServedModel::open(run.dir())?;
            self.with_fusion_of(run, &model, loaded)
        } else {
            Ok(self)
        }
    }

    /// The same with what weights, chosen on validation, make of the plain run beside it, as its own audit has it.
    #[must_use]
    pub fn beside(mut self, plain: &Audit) -> Audit {
        if let Some(run) = &mut self.plain {
            run.calibrated = plain.calibrated().map(|found| found.value);
        }
        self
    }

    /// The same with the weights of a model that is served in the place of the run.
    ///
    /// # Errors
    /// As [`with_fusion`](Self::with_fusion).
    pub fn with_fusion_of(
        self,
        run: &Run,
        model: &ServedModel,
        loaded: &Loaded,
    ) -> Result<Audit, RecommendError> {
        if self.modalities.is_empty() {
            return Ok(self);
        }
        let (config, found) = (run.config()?, loaded.data.fingerprint());
        if model.tables().fingerprint() != found {
            let (trained, found) = told_apart(model.tables().fingerprint(), &found);
            let reason = format!(
                "the run was trained on other data (fingerprint {trained}, this data has {found}); give its data set"
            );
            return Err(TrainError::format(run.dir(), reason).into());
        }
        let selection = Selection::parse(&self.metric).map_err(TrainError::from)?.with(&config.eval);
        let (train, validation) = (&loaded.data.train, &loaded.data.validation);
        let excluded = config.eval.excluded_at_test(train, validation);
        let fusion = fusion(model, loaded.test.open(), &excluded, selection.config())?;
        // Runs of earlier versions did not keep it.
        let loudness = self.loudness.clone().or_else(|| loaded.data.loudness());
        Ok(Audit { fusion: Some(fusion), loudness, ..self })
    }
}

/// The metric of the channel of modality `m`.
fn channel(report: &Report, m: usize, metric: &str) -> Option<f64> {
    report.metric_under(Ablation::only(m, report.modalities.len()), metric)
}

/// The metric with every modality silenced.
fn ids_only(report: &Report, metric: &str) -> Option<f64> {
    report.metric_under(Ablation::ids_only(report.modalities.len()), metric)
}

/// What is known of one teacher.
struct KnownTeacher {
    whole: Option<f64>,
    ids_only: Option<f64>,
    users: UserValues,
    curve: TeacherCurve,
}

fn teachers(run: &Run, report: &Report) -> Result<Vec<Option<KnownTeacher>>, TrainError> {
    let config = run.config()?;
    let dir = teacher_dir(run, &config);
    let known = |(name, _): &(String, usize)| {
        let path = dir.join(name);
        let wanted = config.balance.balances() && path.join("metrics.json").exists();
        wanted.then(|| teacher(&Run::open(&path)?, name, &config.train.metric)).transpose()
    };
    report.modalities.iter().map(known).collect()
}

fn teacher(run: &Run, modality: &str, metric: &str) -> Result<KnownTeacher, TrainError> {
    let report = run.report()?;
    let points = history(run)?.iter().filter_map(|e| Some((e.epoch, e.validation?))).collect();
    Ok(KnownTeacher {
        whole: report.metric(metric),
        ids_only: ids_only(&report, metric),
        users: UserValues::of(run, &report, metric)?,
        curve: TeacherCurve { modality: modality.to_owned(), points },
    })
}

/// How sure the differences are that concern modality `m` of `n`.
fn errors(m: usize, users: &UserValues, teacher: Option<&KnownTeacher>, n: usize) -> PairedErrors {
    let (only, ids) = (Ablation::only(m, n), Ablation::ids_only(n));
    let within = |a, b| users.error(a, users, b);
    let of_teacher = |b: Option<&UserValues>, under| {
        let teacher = &teacher?.users;
        teacher.error(only, b.unwrap_or(teacher), under)
    };
    PairedErrors {
        shortfall: of_teacher(Some(users), only),
        content: of_teacher(None, ids),
        removal: within(Ablation::FULL, Ablation::without(m)),
        ids: within(only, ids),
        whole: within(Ablation::FULL, only),
    }
}

fn modality(
    m: usize,
    report: &Report,
    metric: &str,
    teacher: Option<&KnownTeacher>,
    history: &[AuditEpoch],
) -> ModalityAudit {
    let (name, width) = report.modalities[m].clone();
    let presence = report.test.as_ref().and_then(|test| test.recall_by_presence.get(&name));
    let last = history.iter().rev().find(|e| !e.weights.is_empty());
    let of = |pairs: fn(&AuditEpoch) -> &Vec<(String, f64)>| {
        last.and_then(|e| pairs(e).iter().find(|(n, _)| *n == name).map(|(_, v)| *v))
    };
    ModalityAudit {
        width,
        channel: channel(report, m, metric).unwrap_or(f64::NAN),
        without: report.metric_under(Ablation::without(m), metric).unwrap_or(f64::NAN),
        teacher: teacher.and_then(|t| t.whole),
        teacher_ids_only: teacher.and_then(|t| t.ids_only),
        weight: of(|e| &e.weights),
        rho: of(|e| &e.rho),
        effect: of(|e| &e.effects),
        missing: presence.and_then(|presence| missing(presence, metric)),
        errors: PairedErrors::default(),
        name,
    }
}

/// `recall@k` apart for items with and without the modality, at the k of the report's metric.
fn missing(presence: &Presence, metric: &str) -> Option<MissingAudit> {
    let recall = format!("recall@{}", metric.split_once('@')?.1);
    (presence.lacks.items > 0).then(|| MissingAudit {
        items: presence.lacks.items,
        has: presence.has.metrics.get(&recall).copied(),
        lacks: presence.lacks.metrics.get(&recall).copied(),
        metric: recall,
    })
}

fn plain_run(run: &Run, report: &Report, metric: &str, users: &UserValues) -> Result<PlainRun, TrainError> {
    let plain = run.report()?;
    if plain.fingerprint != report.fingerprint || plain.modalities != report.modalities {
        return Err(TrainError::format(
            run.dir(),
            "this run is of other data; give a run on the same data set",
        ));
    }
    let known = |(m, (name, _)): (usize, &(String, usize))| {
        channel(&plain, m, metric).map(|value| (name.clone(), value))
    };
    Ok(PlainRun {
        run: run.name(),
        whole: plain.metric(metric).unwrap_or(f64::NAN),
        calibrated: None,
        error: users.error(Ablation::FULL, &UserValues::of(run, &plain, metric)?, Ablation::FULL),
        channels: plain.modalities.iter().enumerate().filter_map(known).collect(),
        history: history(run)?,
    })
}

fn history(run: &Run) -> Result<Vec<AuditEpoch>, TrainError> {
    let epochs = run.epochs()?;
    Ok(epochs.into_iter().map(record).collect())
}

fn record(e: events::EpochRecord) -> AuditEpoch {
    let each = |value: fn(&events::ModalityRecord) -> Option<f64>| -> Vec<(String, f64)> {
        e.modalities.iter().filter_map(|m| Some((m.modality.clone(), value(m)?))).collect()
    };
    AuditEpoch {
        epoch: e.epoch,
        loss: e.loss,
        validation: e.validation,
        weights: each(|m| Some(m.numbers.weight)),
        rho: each(|m| m.numbers.rho),
        effects: each(|m| m.numbers.effect),
        clamped: each(|m| m.numbers.clamped),
        ids: IdsEpoch {
            channel: e.ids_channel,
            weight: e.ids.as_ref().map(|ids| ids.weight),
            rho: e.ids.as_ref().and_then(|ids| ids.rho),
            effect: e.ids.as_ref().and_then(|ids| ids.effect),
        },
        channels: e.channels,
    }
}
