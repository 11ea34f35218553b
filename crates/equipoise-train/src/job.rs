//! A whole run: teachers where the balancer needs them, the model, the one test evaluation, the directory.

use crate::config::RunConfig;
use crate::error::TrainError;
use crate::evaluation::{audited, evaluate_tables, popularity};
use crate::events::{Event, EventLog, Listener};
use crate::prior::Preparation;
use crate::run::{Metrics, Report, Run, VERSION};
use crate::stopping::StopFlag;
use crate::trainer::{MODEL, Trained, Trainer};
use equipoise_balance::Balancer;
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
        let preparation = Preparation { job: self, run: &run, inputs: &inputs, stop };
        let (balancer, opening) = preparation.balancer(listener)?;
        let part = Part {
            run: &run,
            inputs: &inputs,
            what: MODEL,
            primary: Ablation::FULL,
            config: self.config,
            opening: &opening,
        };
        self.train(&part, balancer, listener, stop)
    }

    pub(crate) fn train(
        &self,
        part: &Part,
        balancer: Box<dyn Balancer>,
        listener: &mut dyn Listener,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        let Part { run, inputs, what, primary, config, opening } = *part;
        let path = run.events_path();
        let mut log = EventLog::create(&path, listener).map_err(|e| TrainError::file(&path, e))?;
        opening.iter().for_each(|event| log.event(event));
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
            definitions: whole.definitions,
        })
    }
}

/// One model of a job: where it goes, how it calls itself, and under which ablation it is trained.
pub(crate) struct Part<'b> {
    pub(crate) run: &'b Run,
    pub(crate) inputs: &'b Inputs,
    pub(crate) what: &'b str,
    pub(crate) primary: Ablation,
    pub(crate) config: &'b RunConfig,
    /// What its log begins with.
    pub(crate) opening: &'b [Event],
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

    fn each(
        &self,
        ablations: &[(String, Ablation)],
        measure: impl Fn(Ablation) -> Result<Metrics, TrainError>,
    ) -> Result<BTreeMap<String, Metrics>, TrainError> {
        ablations.iter().map(|(label, a)| Ok((label.clone(), measure(*a)?))).collect()
    }
}
