//! A whole run: teachers where the balancer needs them, the model, the one test evaluation, the directory.

use crate::config::RunConfig;
use crate::error::TrainError;
use crate::evaluation::{audited, evaluate_tables, popularity};
use crate::events::{Ending, Event, EventLog, Listener};
use crate::presence::{self, Presence};
use crate::run::{Metrics, Report, Run, VERSION};
use crate::stopping::StopFlag;
use crate::teachers;
use crate::trainer::{MODEL, Trained, Trainer};
use equipoise_balance::{Balancer, Teacher};
use equipoise_data::{Loaded, SealedTest};
use equipoise_models::{Ablation, Encoded, Inputs};
use std::collections::BTreeMap;
use std::path::Path;

/// A run to be made.
pub struct Job<'a> {
    /// The resolved configuration.
    pub config: &'a RunConfig,
    /// The data, its test part sealed.
    pub loaded: &'a Loaded,
    /// Where the run goes.
    pub out: &'a Path,
    /// Whether a run that is there may be replaced.
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
    pub fn execute(&self, listener: &mut dyn Listener, stop: &StopFlag) -> Result<Outcome, TrainError> {
        self.config.check().map_err(TrainError::Setting)?;
        let run = Run::create(self.out, self.overwrite)?;
        run.write_start(self.config, &self.loaded.data)?;
        let inputs = Inputs::new(&self.loaded.data);
        let balancer = self.balancer(&run, &inputs, listener, stop)?;
        let part =
            Part { run: &run, inputs: &inputs, what: MODEL, primary: Ablation::FULL, config: self.config };
        self.train(&part, balancer, listener, stop)
    }

    fn balancer(
        &self,
        run: &Run,
        inputs: &Inputs,
        listener: &mut dyn Listener,
        stop: &StopFlag,
    ) -> Result<Box<dyn Balancer>, TrainError> {
        let entry =
            equipoise_balance::find(&self.config.balance.name).expect("checked with the configuration");
        let n = self.loaded.data.modalities.len();
        let mut teachers = Vec::new();
        if entry.needs_teachers {
            let default = run.dir().join("teachers");
            let dir = self.config.balance.teachers.as_deref().unwrap_or(&default);
            for m in 0..n {
                teachers.push(self.teacher(dir, m, inputs, listener, stop)?);
            }
        }
        Ok((entry.build)(&self.config.balance, teachers, n))
    }

    fn teacher(
        &self,
        dir: &Path,
        m: usize,
        inputs: &Inputs,
        listener: &mut dyn Listener,
        stop: &StopFlag,
    ) -> Result<Teacher, TrainError> {
        let data = &self.loaded.data;
        let name = &data.modalities[m].name;
        if let Some(run) = teachers::saved(dir, name, self.config, data)? {
            let path = run.dir().display().to_string();
            listener.event(&Event::TeacherReused { modality: name.clone(), path });
            return Ok(Teacher::of(&run.model_on(data, inputs.clone())?, m));
        }
        let config = teachers::teacher_config(self.config);
        let run = Run::create(&dir.join(name), true)?;
        run.write_start(&config, data)?;
        let only = Ablation::only(m, data.modalities.len());
        let plain = equipoise_balance::find("none").expect("the registry has `none`");
        let balancer = (plain.build)(&config.balance, Vec::new(), data.modalities.len());
        let part = Part { run: &run, inputs, what: &teachers::what(name), primary: only, config: &config };
        let outcome = self.train(&part, balancer, listener, stop)?;
        if outcome.report.ending == Ending::Interrupted {
            std::fs::remove_file(run.metrics_path()).map_err(|e| TrainError::file(&run.metrics_path(), e))?;
            return Err(TrainError::InterruptedTeacher(name.clone()));
        }
        Ok(Teacher::of(&run.model_on(data, inputs.clone())?, m))
    }

    fn train(
        &self,
        part: &Part,
        balancer: Box<dyn Balancer>,
        listener: &mut dyn Listener,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        let Part { run, inputs, what, primary, config } = *part;
        let path = run.events_path();
        let mut log = EventLog::create(&path, listener).map_err(|e| TrainError::file(&path, e))?;
        let trainer = Trainer::new(&self.loaded.data, inputs, config, primary, what, balancer)?;
        let trained = trainer.run(&mut log, stop)?;
        log.finish().map_err(|e| TrainError::file(&path, e))?;
        let fingerprint = self.loaded.data.fingerprint();
        run.write_model(&trained.model, what, &fingerprint)?;
        let report = self.finish(part, &trained, fingerprint)?;
        run.write_metrics(&report)?;
        Ok(Outcome { run: run.clone(), report })
    }

    fn finish(&self, part: &Part, trained: &Trained, fingerprint: String) -> Result<Report, TrainError> {
        let Part { run, what, primary, config, .. } = *part;
        let data = &self.loaded.data;
        let audited = audited(&trained.model);
        let wanted: Vec<Ablation> = audited.iter().map(|(_, a)| *a).filter(|a| *a != primary).collect();
        let encoded = trained.model.encode_all(&[&[primary][..], &wanted].concat());
        let measured = Measured { config, loaded: self.loaded, encoded: &encoded };
        let whole = measured.test(primary, &self.loaded.test)?;
        let metadata =
            [("what", what.to_owned()), ("split", "test".to_owned()), ("data", fingerprint.clone())];
        whole.per_user.write_parquet(&run.per_user_path(), Some(data.vocabulary.users()), &metadata)?;
        let excluded = config.eval.excluded_at_test(&data.train, &data.validation);
        let floor = popularity(&data.train, self.loaded.test.open(), &excluded, &config.eval)?;
        let presence = measured.presence(primary)?;
        Ok(Report {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").into(),
            what: what.into(),
            dataset: data.name.clone(),
            fingerprint,
            users: data.n_users(),
            items: data.n_items(),
            interactions: data.train.len(),
            modalities: data.modalities.iter().map(|m| (m.name.clone(), m.features.width())).collect(),
            ending: trained.ending,
            epochs: trained.epochs,
            best_epoch: trained.best_epoch,
            seconds: trained.seconds,
            validation: measured.validation(primary)?,
            test: whole.metrics,
            evaluated_users: whole.evaluated_users,
            skipped_users: whole.skipped_users,
            ablations: measured.each(&audited, |a| Ok(measured.test(a, &self.loaded.test)?.metrics))?,
            validation_ablations: measured.each(&audited, |a| measured.validation(a))?,
            popularity: floor.metrics,
            definitions: whole.definitions.into_iter().chain(presence::definition(&presence)).collect(),
            presence,
        })
    }
}

/// One model of a job: where it goes, how it calls itself, and under which ablation it is trained.
struct Part<'b> {
    run: &'b Run,
    inputs: &'b Inputs,
    what: &'b str,
    primary: Ablation,
    config: &'b RunConfig,
}

/// A trained model's tables and what they are measured on.
struct Measured<'a> {
    config: &'a RunConfig,
    loaded: &'a Loaded,
    encoded: &'a Encoded,
}

impl Measured<'_> {
    fn test(&self, ablation: Ablation, test: &SealedTest) -> Result<equipoise_eval::Evaluation, TrainError> {
        let data = &self.loaded.data;
        let excluded = self.config.eval.excluded_at_test(&data.train, &data.validation);
        Ok(evaluate_tables(self.encoded, ablation, test.open(), &excluded, &self.config.eval)?)
    }

    fn validation(&self, ablation: Ablation) -> Result<Metrics, TrainError> {
        let data = &self.loaded.data;
        Ok(evaluate_tables(self.encoded, ablation, &data.validation, &[&data.train], &self.config.eval)?
            .metrics)
    }

    fn presence(&self, ablation: Ablation) -> Result<BTreeMap<String, Presence>, TrainError> {
        let (data, test) = (&self.loaded.data, self.loaded.test.open());
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
