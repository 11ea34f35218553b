//! What a balancer needs before it can start: teachers, the plain model, and how their losses went.

use crate::config::RunConfig;
use crate::error::TrainError;
use crate::events::{Ending, Event, Listener};
use crate::heads::Probe;
use crate::job::{Job, Part};
use crate::run::Run;
use crate::stopping::StopFlag;
use crate::teachers;
use crate::trainer::{PLAIN, untrained};
use equipoise_balance::none::NoBalance;
use equipoise_balance::{Balancer, HeadLosses, Prior, Setup, Teacher};
use equipoise_data::Seed;
use equipoise_models::{Ablation, Inputs};
use std::path::{Path, PathBuf};

/// Makes what a job's balancer starts from.
pub(crate) struct Preparation<'a> {
    pub(crate) job: &'a Job<'a>,
    /// The job's own run: teachers go into it unless the configuration says otherwise.
    pub(crate) run: &'a Run,
    pub(crate) inputs: &'a Inputs,
    pub(crate) stop: &'a StopFlag,
}

impl Preparation<'_> {
    /// The balancer, and what is to be said of how it was made.
    pub(crate) fn balancer(
        &self,
        listener: &mut dyn Listener,
    ) -> Result<(Box<dyn Balancer>, Vec<Event>), TrainError> {
        const CHECKED: &str = "checked with the configuration";
        let config = self.job.config;
        let entry = equipoise_balance::find(&config.balance.name).expect(CHECKED);
        let silencing = equipoise_models::find(&config.backbone.name).expect(CHECKED).silencing;
        let mut setup = Setup::new(self.n(), silencing, Seed(config.seed));
        match (entry.prior)(&config.balance) {
            Prior::Nothing => {}
            Prior::Teachers => {
                let each = 0..self.n();
                setup.teachers = each.map(|m| self.teacher(m, listener)).collect::<Result<_, _>>()?;
            }
            Prior::Heads => setup.heads = self.heads(listener)?,
        }
        let events = setup.heads.iter().enumerate().map(|(k, &losses)| self.head_event(k, losses)).collect();
        Ok(((entry.build)(&config.balance, setup), events))
    }

    fn n(&self) -> usize {
        self.job.loaded.data.modalities.len()
    }

    fn name(&self, m: usize) -> &str {
        &self.job.loaded.data.modalities[m].name
    }

    fn head_event(&self, k: usize, losses: HeadLosses) -> Event {
        let modality = (k < self.n()).then(|| self.name(k).to_owned());
        Event::Head { modality, losses }
    }

    fn teacher(&self, m: usize, listener: &mut dyn Listener) -> Result<Teacher, TrainError> {
        let run = self.teacher_run(m, listener)?;
        Ok(Teacher::of(&run.model_on(&self.job.loaded.data, self.inputs.clone())?, m))
    }

    fn teachers_dir(&self) -> PathBuf {
        let given = self.job.config.balance.teachers.clone();
        given.unwrap_or_else(|| self.run.dir().join("teachers"))
    }

    /// A saved teacher's run where it fits, or else that of one trained now.
    fn teacher_run(&self, m: usize, listener: &mut dyn Listener) -> Result<Run, TrainError> {
        let (dir, name, data) = (self.teachers_dir(), self.name(m), &self.job.loaded.data);
        if let Some(run) = teachers::saved(&dir, name, self.job.config, data)? {
            let path = run.dir().display().to_string();
            listener.event(&Event::TeacherReused { modality: name.to_owned(), path });
            return Ok(run);
        }
        let config = teachers::teacher_config(self.job.config);
        let only = Ablation::only(m, self.n());
        let run = self.trained(&dir.join(name), &teachers::what(name), only, &config, listener)?;
        run.ok_or_else(|| TrainError::InterruptedTeacher(name.to_owned()))
    }

    /// The saved plain model's run where it fits, or else that of one trained now.
    fn plain_run(&self, listener: &mut dyn Listener) -> Result<Run, TrainError> {
        let given = self.job.config.balance.plain.clone();
        let path = given.unwrap_or_else(|| self.teachers_dir().join("plain"));
        if let Some(run) = teachers::saved_plain(&path, self.job.config, &self.job.loaded.data)? {
            listener.event(&Event::PlainReused { path: path.display().to_string() });
            return Ok(run);
        }
        let config = teachers::plain_config(self.job.config);
        let run = self.trained(&path, PLAIN, Ablation::FULL, &config, listener)?;
        run.ok_or(TrainError::InterruptedPlain)
    }

    /// Trains a model without a balancer; `None` if it was interrupted, which leaves an unfinished run.
    fn trained(
        &self,
        dir: &Path,
        what: &str,
        primary: Ablation,
        config: &RunConfig,
        listener: &mut dyn Listener,
    ) -> Result<Option<Run>, TrainError> {
        let run = Run::create(dir, true)?;
        run.write_start(config, &self.job.loaded.data)?;
        let part = Part { run: &run, inputs: self.inputs, what, primary, config, opening: &[] };
        let outcome = self.job.train(&part, Box::new(NoBalance), listener, self.stop)?;
        if outcome.report.ending == Ending::Interrupted {
            std::fs::remove_file(run.metrics_path()).map_err(|e| TrainError::file(&run.metrics_path(), e))?;
            return Ok(None);
        }
        Ok(Some(run))
    }

    /// Each teacher's losses before and after its training, then the plain model's.
    fn heads(&self, listener: &mut dyn Listener) -> Result<Vec<HeadLosses>, TrainError> {
        let probe = Probe::new(&self.job.loaded.data, Seed(self.job.config.seed));
        let mut heads = Vec::new();
        for m in 0..self.n() {
            let run = self.teacher_run(m, listener)?;
            let (only, what) = (Ablation::only(m, self.n()), teachers::what(self.name(m)));
            heads.push(self.head(&probe, &run, &what, only)?);
        }
        let run = self.plain_run(listener)?;
        heads.push(self.head(&probe, &run, PLAIN, Ablation::FULL)?);
        Ok(heads)
    }

    /// The losses of one trained model; those before its training are of the model that its seed begins with.
    fn head(&self, probe: &Probe, run: &Run, what: &str, head: Ablation) -> Result<HeadLosses, TrainError> {
        let before = untrained(&run.config()?, self.inputs, what)?;
        let after = run.model_on(&self.job.loaded.data, self.inputs.clone())?;
        let losses = |model| probe.losses(model, &[head])[0];
        Ok(HeadLosses { before: losses(&before), after: losses(&after) })
    }
}
