//! What a balancer needs before it can start: teachers, the plain model, and how their losses went.

use crate::config::{Checked, RunConfig};
use crate::error::TrainError;
use crate::evaluation::Selection;
use crate::events::{Event, Listener, StackRecord};
use crate::halves::measured_half;
use crate::heads::HeadProbe;
use crate::model_run::{ModelRun, RunContext};
use crate::prepared::{self, Prepared};
use crate::role::Role;
use crate::run::Run;
use crate::stopping::StopFlag;
use crate::teachers;
use crate::together::{Ground, Teachers, interrupted};
use crate::trainer::untrained;
use equipoise_balance::{HeadLosses, Requirement, Setup, Teacher};
use equipoise_data::Seed;
use equipoise_jobs::{Fault, Place};
use equipoise_models::{Ablation, Model};
use std::path::Path;

/// Makes what a run's balancer starts from.
pub(crate) struct Preparation<'a> {
    pub context: &'a RunContext<'a>,
    /// Where teachers lie, and the plain model unless the configuration says otherwise.
    pub dir: &'a Path,
    pub stop: &'a StopFlag,
}

impl Preparation<'_> {
    /// The balancer, and what is to be said of how it was made.
    pub fn balancer(&self, listener: &mut dyn Listener<Event>) -> Result<Prepared, TrainError> {
        const CHECKED: &str = "checked with the configuration";
        let config = self.context.config;
        let entry = equipoise_balance::find(&config.balance.name).expect(CHECKED);
        let ablation_effect = equipoise_models::find(&config.backbone.name).expect(CHECKED).ablation_effect;
        let mut setup = Setup::new(self.n(), ablation_effect, Seed(config.seed));
        let mut stacked = None;
        match config.balance.requirement() {
            Requirement::Nothing => {}
            Requirement::Teachers => {
                let each = 0..self.n();
                setup.teachers = each.map(|m| self.teacher(m, listener)).collect::<Result<_, _>>()?;
            }
            Requirement::Heads => setup.heads = self.heads(listener)?,
            Requirement::Channels => stacked = Some(self.channels(&mut setup, listener)?),
        }
        let heads = setup.heads.iter().enumerate().map(|(k, &losses)| self.head_event(k, losses));
        let (stack, plain) = stacked.unzip();
        let stack = stack.map(|record| Event::Stack { record });
        let opening = heads.chain(stack).collect();
        let start = prepared::digest(&setup);
        Ok(Prepared { balancer: entry.build(&config.balance.sections, setup), opening, start, plain })
    }

    fn n(&self) -> usize {
        self.context.data.modalities.len()
    }

    fn name(&self, m: usize) -> &str {
        &self.context.data.modalities[m].name
    }

    fn teacher_role(&self, m: usize) -> Role {
        Role::Teacher(self.name(m).to_owned())
    }

    fn head_event(&self, k: usize, losses: HeadLosses) -> Event {
        let modality = (k < self.n()).then(|| self.name(k).to_owned());
        Event::Head { modality, losses }
    }

    fn teacher(&self, m: usize, listener: &mut dyn Listener<Event>) -> Result<Teacher, TrainError> {
        let run = self.teacher_run(self.teacher_role(m), listener)?;
        Ok(Teacher::of(&self.model(&run)?, m))
    }

    fn model(&self, run: &Run) -> Result<Model, TrainError> {
        run.model_on(self.context.data, self.context.inputs.clone())
    }

    /// A saved teacher's run where it fits, or else that of one trained now.
    fn teacher_run(&self, role: Role, listener: &mut dyn Listener<Event>) -> Result<Run, TrainError> {
        let config = self.context.config.of_teacher();
        let path = self.dir.join(role.directory().expect("a teacher has a directory"));
        let find = || teachers::saved(self.dir, &role, self.context.config, self.context.data);
        let (run, _place) = self.found_or_mine(&path, &role, &find, listener)?;
        let Some(run) = run else { return self.trained(&path, role, &config, listener) };
        let path = run.dir().display().to_string();
        listener.event(&match &role {
            Role::Teacher(modality) => Event::TeacherReused { modality: modality.clone(), path },
            _ => Event::IdsReused { role: role.clone(), path },
        });
        self.context.complete(&ModelRun { run: &run, role, config: &config })?;
        Run::open(run.dir())
    }

    /// The saved plain model's run where it fits, or else that of one trained now.
    fn plain_run(&self, listener: &mut dyn Listener<Event>) -> Result<Run, TrainError> {
        let given = self.context.config.balance.plain.clone();
        let path = given.unwrap_or_else(|| self.dir.join("plain"));
        let config = self.context.config.of_plain();
        let find = || teachers::saved_plain(&path, self.context.config, self.context.data);
        let (run, _place) = self.found_or_mine(&path, &Role::Plain, &find, listener)?;
        let Some(run) = run else { return self.trained(&path, Role::Plain, &config, listener) };
        listener.event(&Event::PlainReused { path: path.display().to_string() });
        self.context.complete(&ModelRun { run: &run, role: Role::Plain, config: &config })?;
        Run::open(run.dir())
    }

    /// The saved run that `find` finds, or the right to train it: trainings that share it take turns, and whoever waited finds
    /// what the other has trained. The right is held as well where something is left to be measured.
    fn found_or_mine(
        &self,
        path: &Path,
        role: &Role,
        find: &dyn Fn() -> Result<Option<Run>, TrainError>,
        listener: &mut dyn Listener<Event>,
    ) -> Result<(Option<Run>, Option<Place>), TrainError> {
        let whole = |run: &Run| run.report().is_ok_and(|report| !self.context.is_incomplete(&report));
        if let Some(run) = find()?.filter(whole) {
            return Ok((Some(run), None));
        }
        let mut told = |held: &Fault| {
            let text = format!("waiting for {}: {held}", role.in_a_sentence());
            listener.event(&Event::Note { text });
        };
        let place = Place::wait(path, self.stop, &mut told).map_err(|fault| match fault {
            Fault::Interrupted => TrainError::Interrupted(role.clone()),
            fault => fault.into(),
        })?;
        Ok((find()?, Some(place)))
    }

    /// Trains a model without a balancer. One that is interrupted leaves an unfinished run, which goes on another time.
    fn trained(
        &self,
        dir: &Path,
        role: Role,
        config: &Checked<RunConfig>,
        listener: &mut dyn Listener<Event>,
    ) -> Result<Run, TrainError> {
        let run = Run::begin(dir, config, self.context.data, true)?;
        let part = ModelRun { run: &run, role, config };
        Ok(self.context.train(&part, Prepared::plain(), listener, self.stop)?.run)
    }

    /// Each teacher's losses before and after its training, then the plain model's.
    fn heads(&self, listener: &mut dyn Listener<Event>) -> Result<Vec<HeadLosses>, TrainError> {
        let probe = HeadProbe::new(self.context.data, Seed(self.context.config.seed));
        let mut heads = Vec::new();
        for m in 0..self.n() {
            let (role, only) = (self.teacher_role(m), Ablation::only(m, self.n()));
            let run = self.teacher_run(role.clone(), listener)?;
            heads.push(self.head(&probe, &run, &role, only)?);
        }
        let run = self.plain_run(listener)?;
        heads.push(self.head(&probe, &run, &Role::Plain, Ablation::FULL)?);
        Ok(heads)
    }

    /// Teachers of the modalities and of the ids, and what they know together; the plain model, which is kept where the taught one
    /// is not as good.
    fn channels(
        &self,
        setup: &mut Setup,
        listener: &mut dyn Listener<Event>,
    ) -> Result<(StackRecord, Model), TrainError> {
        let RunContext { config, data, .. } = *self.context;
        self.check_names()?;
        let measured = measured_half(&data.validation, Seed(config.seed)).ok_or_else(|| {
            let text = "validation has fewer than four users; robust weights need one half of them to weigh the teachers";
            TrainError::Setting(text.into())
        })?;
        let ids_only = Ablation::ids_only(self.n());
        let mut silenced = Vec::new();
        for m in 0..self.n() {
            let model = self.model(&self.teacher_run(self.teacher_role(m), listener)?)?;
            setup.teachers.push(Teacher::of(&model, m));
            silenced.push(Teacher::under(&model, ids_only, self.name(m)));
        }
        let mut of_ids = |role: Role| {
            let model = self.model(&self.teacher_run(role, listener)?)?;
            Ok::<_, TrainError>(Teacher::under(&model, ids_only, "ids"))
        };
        let ids = [of_ids(Role::Ids)?, of_ids(Role::SecondIds)?];
        let plain = self.model(&self.plain_run(listener)?)?;
        let selection = Selection::parse(&config.train.metric)?.with(&config.eval);
        let ground = Ground {
            train: &data.train,
            held_out: &measured,
            selection: &selection,
            seed: Seed(config.seed),
            stop: self.stop,
        };
        let teachers = Teachers { ids, silenced, modalities: &setup.teachers };
        let (channels, record) = ground
            .setup(teachers, &Teacher::under(&plain, Ablation::FULL, "plain"))
            .map_err(|fault| interrupted(fault, Role::Model))?;
        setup.channels = Some(channels);
        Ok((record, plain))
    }

    /// Refuses modalities whose teachers would lie where those of the ids do.
    fn check_names(&self) -> Result<(), TrainError> {
        let taken = [Role::Ids, Role::SecondIds, Role::Plain];
        let is_taken = |name: &str| taken.iter().any(|role| role.directory() == Some(name));
        match self.context.data.modalities.iter().find(|modality| is_taken(&modality.name)) {
            None => Ok(()),
            Some(modality) => Err(TrainError::Setting(format!(
                "a modality is named `{}`, as a directory of robust weights is; give its features another name",
                modality.name
            ))),
        }
    }

    /// The losses of one trained model; those before its training are of the model that its seed begins with.
    fn head(
        &self,
        probe: &HeadProbe,
        run: &Run,
        role: &Role,
        head: Ablation,
    ) -> Result<HeadLosses, TrainError> {
        let before = untrained(&run.config()?, self.context.inputs, role)?;
        let after = run.model_on(self.context.data, self.context.inputs.clone())?;
        let losses = |model| probe.losses(model, &[head])[0];
        Ok(HeadLosses { before: losses(&before), after: losses(&after) })
    }
}
