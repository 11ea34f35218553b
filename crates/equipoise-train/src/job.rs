//! A whole run: teachers where the balancer needs them, the model, the one test evaluation, the directory.

use crate::config::RunConfig;
use crate::error::TrainError;
use crate::evaluation::{audited, evaluate_tables, popularity};
use crate::events::{Ending, Event, EventLog, Listener};
use crate::lock::RunLock;
use crate::presence::{self, Presence};
use crate::prior::Preparation;
use crate::role::Role;
use crate::run::{Metrics, Report, Run, VERSION};
use crate::stopping::StopFlag;
use crate::tables::FinalTables;
use crate::trainer::{Trained, Trainer};
use equipoise_balance::Balancer;
use equipoise_data::{Dataset, Loaded, SealedTest};
use equipoise_models::{Ablation, Encoded, Inputs, Model};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A run to be made.
pub struct Job<'a> {
    /// The resolved configuration.
    pub config: &'a RunConfig,
    /// The data, its test part sealed.
    pub loaded: &'a Loaded,
    /// Where the run goes.
    pub out: &'a Path,
    /// Whether a run that is there may be replaced. An unfinished run of the same configuration always is.
    pub overwrite: bool,
}

/// What came of it.
pub struct Outcome {
    /// The run directory.
    pub run: Run,
    /// Its metrics.
    pub report: Report,
}

impl Job<'_> {
    /// Trains and evaluates. Teachers that the balancer needs are trained first, or used again if saved ones
    /// fit. Test data is read once, for the model that validation selected.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn execute(
        &self,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        self.config.check().map_err(TrainError::Setting)?;
        let data = &self.loaded.data;
        let _lock = RunLock::take(self.out)?;
        let run = Run::begin(self.out, self.config, data, self.overwrite)?;
        let inputs = Inputs::new(data);
        let bench = self.bench(&inputs);
        let (balancer, opening) = bench.balancer(&self.teachers(), listener, stop)?;
        let part = Part { run: &run, role: Role::Model, config: self.config, opening: &opening };
        bench.train(&part, balancer, listener, stop)
    }

    /// Trains and evaluates only what the balancer needs first, where it is not there yet.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn prepare(&self, listener: &mut dyn Listener<Event>, stop: &StopFlag) -> Result<(), TrainError> {
        self.config.check().map_err(TrainError::Setting)?;
        self.bench(&Inputs::new(&self.loaded.data)).balancer(&self.teachers(), listener, stop).map(drop)
    }

    fn bench<'b>(&'b self, inputs: &'b Inputs) -> Bench<'b> {
        let Loaded { data, test, .. } = self.loaded;
        Bench { config: self.config, data, test: Some(test), inputs }
    }

    fn teachers(&self) -> PathBuf {
        self.config.balance.teachers.clone().unwrap_or_else(|| self.out.join("teachers"))
    }
}

/// Where the models of a run are trained and measured; without `test` nothing is measured on test data.
pub(crate) struct Bench<'a> {
    pub config: &'a RunConfig,
    pub data: &'a Dataset,
    pub test: Option<&'a SealedTest>,
    pub inputs: &'a Inputs,
}

impl Bench<'_> {
    /// The configured balancer, with what it needs first from `dir`, and what is to be said of how it was made. What is
    /// missing there is trained into it.
    pub fn balancer(
        &self,
        dir: &Path,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<(Box<dyn Balancer>, Vec<Event>), TrainError> {
        Preparation { bench: self, dir, stop }.balancer(listener)
    }

    /// Measures a saved model on test if the search that trained it left that out.
    pub fn complete(&self, part: &Part) -> Result<(), TrainError> {
        let saved = part.run.report()?;
        if self.test.is_none() || !saved.test.is_empty() {
            return Ok(());
        }
        let model = part.run.model_on(self.data, self.inputs.clone())?;
        let Report { ending, epochs, best_epoch, seconds, .. } = saved;
        let course = Course { ending, epochs, best_epoch, seconds };
        part.run.write_metrics(&self.finish(part, &model, &course, saved.fingerprint)?)
    }

    /// Trains and measures one model, and writes its run.
    pub fn train(
        &self,
        part: &Part,
        balancer: Box<dyn Balancer>,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        let Part { run, role, config, opening } = part;
        let path = run.events_path();
        let mut log = EventLog::create(&path, listener).map_err(|e| TrainError::io(&path, e))?;
        opening.iter().for_each(|event| log.event(event));
        let trainer = Trainer::new(self.data, self.inputs, config, role.clone(), balancer)?;
        let trained = trainer.run(&mut log, stop)?;
        log.finish().map_err(|e| TrainError::io(&path, e))?;
        let fingerprint = self.data.fingerprint();
        run.write_model(&trained.model, role, &fingerprint)?;
        let report = self.finish(part, &trained.model, &Course::of(&trained), fingerprint)?;
        run.write_metrics(&report)?;
        Ok(Outcome { run: Run::clone(run), report })
    }

    /// The ablation under which a model of these data is trained and measured.
    fn primary(&self, role: &Role) -> Ablation {
        role.ablation(&self.inputs.names()).expect("teachers are named by the modalities of the data")
    }

    fn finish(
        &self,
        part: &Part,
        model: &Model,
        course: &Course,
        fingerprint: String,
    ) -> Result<Report, TrainError> {
        let (data, config, primary) = (self.data, part.config, self.primary(&part.role));
        let audited = audited(model);
        let wanted: Vec<Ablation> = audited.iter().map(|(_, a)| *a).filter(|a| *a != primary).collect();
        let encoded = model.encode_all(&[&[primary][..], &wanted].concat());
        if part.role == Role::Model {
            FinalTables::new(&encoded, data, &fingerprint).write(&part.run.tables_path())?;
        }
        let measured = Measured { config, data, encoded: &encoded };
        let report = Report {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").into(),
            role: part.role.clone(),
            dataset: data.name.clone(),
            fingerprint,
            users: data.n_users(),
            items: data.n_items(),
            interactions: data.train.len(),
            modalities: data.modalities.iter().map(|m| (m.name.clone(), m.features.width())).collect(),
            ending: course.ending,
            epochs: course.epochs,
            best_epoch: course.best_epoch,
            seconds: course.seconds,
            validation: measured.validation(primary)?,
            test: BTreeMap::new(),
            evaluated_users: 0,
            skipped_users: 0,
            ablations: BTreeMap::new(),
            validation_ablations: measured.each(&audited, |a| measured.validation(a))?,
            popularity: BTreeMap::new(),
            presence: BTreeMap::new(),
            definitions: BTreeMap::new(),
        };
        match self.test {
            Some(test) => self.tested(part, report, &measured, test, &audited),
            None => Ok(report),
        }
    }

    /// The report with everything that is measured on test, and the per-user file.
    fn tested(
        &self,
        part: &Part,
        report: Report,
        measured: &Measured,
        test: &SealedTest,
        audited: &[(String, Ablation)],
    ) -> Result<Report, TrainError> {
        let (data, config, primary) = (self.data, part.config, self.primary(&part.role));
        let whole = measured.test(primary, test)?;
        #[cfg(feature = "parquet")]
        write_per_user(part, &whole, data, &report.fingerprint)?;
        let excluded = config.eval.excluded_at_test(&data.train, &data.validation);
        let floor = popularity(&data.train, test.open(), &excluded, &config.eval)?;
        let presence = measured.presence(primary, test)?;
        Ok(Report {
            test: whole.metrics,
            evaluated_users: whole.evaluated_users,
            skipped_users: whole.skipped_users,
            ablations: measured.each(audited, |a| Ok(measured.test(a, test)?.metrics))?,
            popularity: floor.metrics,
            definitions: whole.definitions.into_iter().chain(presence::definition(&presence)).collect(),
            presence,
            ..report
        })
    }
}

/// Writes `per_user.parquet`.
#[cfg(feature = "parquet")]
fn write_per_user(
    part: &Part,
    whole: &equipoise_eval::Evaluation,
    data: &Dataset,
    fingerprint: &str,
) -> Result<(), TrainError> {
    let metadata =
        [("what", part.role.to_string()), ("split", "test".to_owned()), ("data", fingerprint.to_owned())];
    let ids = Some(data.vocabulary.users());
    Ok(whole.per_user.write_parquet(&part.run.per_user_path(), ids, &metadata)?)
}

/// One model of a job: where it goes, which one it is, and how it is trained.
pub(crate) struct Part<'b> {
    pub run: &'b Run,
    pub role: Role,
    pub config: &'b RunConfig,
    /// What its log begins with.
    pub opening: &'b [Event],
}

/// How training went.
struct Course {
    ending: Ending,
    epochs: usize,
    best_epoch: usize,
    seconds: f64,
}

impl Course {
    fn of(trained: &Trained) -> Course {
        let Trained { ending, epochs, best_epoch, seconds, .. } = *trained;
        Course { ending, epochs, best_epoch, seconds }
    }
}

/// A trained model's tables and what they are measured on.
struct Measured<'a> {
    config: &'a RunConfig,
    data: &'a Dataset,
    encoded: &'a Encoded,
}

impl Measured<'_> {
    fn test(&self, ablation: Ablation, test: &SealedTest) -> Result<equipoise_eval::Evaluation, TrainError> {
        let data = self.data;
        let excluded = self.config.eval.excluded_at_test(&data.train, &data.validation);
        Ok(evaluate_tables(self.encoded, ablation, test.open(), &excluded, &self.config.eval)?)
    }

    fn validation(&self, ablation: Ablation) -> Result<Metrics, TrainError> {
        let data = self.data;
        Ok(evaluate_tables(self.encoded, ablation, &data.validation, &[&data.train], &self.config.eval)?
            .metrics)
    }

    fn presence(
        &self,
        ablation: Ablation,
        test: &SealedTest,
    ) -> Result<BTreeMap<String, Presence>, TrainError> {
        let (data, test) = (self.data, test.open());
        let excluded = self.config.eval.excluded_at_test(&data.train, &data.validation);
        Ok(presence::by_modality(data, test, &self.config.eval, |held_out, eval| {
            evaluate_tables(self.encoded, ablation, held_out, &excluded, eval)
        })?)
    }

    fn each(
        &self,
        ablations: &[(String, Ablation)],
        measure: impl Fn(Ablation) -> Result<Metrics, TrainError>,
    ) -> Result<BTreeMap<String, Metrics>, TrainError> {
        ablations.iter().map(|(label, a)| Ok((label.clone(), measure(*a)?))).collect()
    }
}
