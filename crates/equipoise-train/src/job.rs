//! A whole run: teachers where the balancer needs them, the model, the one test evaluation, the directory.

use crate::beforehand;
use crate::config::{Checked, RunConfig};
use crate::error::TrainError;
use crate::events::{Ending, Event, Listener};
use crate::model_run::{ModelRun, Outcome, RunContext};
use crate::requirement::Preparation;
use crate::role::Role;
use crate::run::{Run, TEACHERS};
use crate::stopping::StopFlag;
use crate::teachers;
use equipoise_data::{ITEM_INFOS, Loaded, write_atomic};
use equipoise_jobs::Place;
use equipoise_models::Inputs;
use std::path::{Path, PathBuf};

/// A run to be made.
pub struct Job<'a> {
    /// The resolved configuration.
    pub config: &'a Checked<RunConfig>,
    /// The data, its test part sealed.
    pub loaded: &'a Loaded,
    /// Where the run goes.
    pub out: &'a Path,
    /// Whether a run that is there may be replaced. An unfinished run of the same configuration is gone on with in any case.
    pub overwrite: bool,
    /// Whether trainings that were interrupted, of the model and of what its balancer needs, are begun anew.
    pub from_scratch: bool,
}

/// Where a run is filled.
enum Filling {
    /// In its place, where there is no run, or an unfinished one of the same configuration.
    Here,
    /// Beside its place, where there is another run, which stays until the new one is whole.
    Beside(PathBuf),
}

impl Job<'_> {
    /// Trains and evaluates. Teachers that the balancer needs are trained first, or used again if saved ones
    /// fit. Test data is read once, for the model that validation selected.
    ///
    /// A run that is to be replaced stays as it is until the new one is whole: the new one is filled in a hidden directory beside it,
    /// and the two are exchanged at once (see [`Place`]). An interrupted run replaces nothing; the same job goes on with
    /// it.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn execute(
        &self,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        self.check()?;
        let place = Place::claim(self.out)?;
        match self.filling(&place)? {
            Filling::Here => self.fill(self.out, self.overwrite, listener, stop),
            Filling::Beside(dir) => self.replace(&place, &dir, listener, stop),
        }
    }

    /// The same in a directory of the caller's own, such as that of a unit of work, to which the caller holds the right: a
    /// finished run of the same configuration on the same data is the outcome, and any other is replaced where it is.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn take_up(
        &self,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        self.check()?;
        match self.finished(self.out)? {
            Some(outcome) => Ok(outcome),
            None => self.fill(self.out, true, listener, stop),
        }
    }

    /// Trains and evaluates only what the balancer needs first, where it is not there yet.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn prepare(&self, listener: &mut dyn Listener<Event>, stop: &StopFlag) -> Result<(), TrainError> {
        self.check()?;
        let inputs = Inputs::new(&self.loaded.data).until(stop);
        let context = self.context(&inputs);
        Preparation { context: &context, dir: &self.teachers(self.out), stop }.balancer(listener).map(drop)
    }

    /// Where the run is filled. What an earlier process began beside the place is gone on with if it is the same run, and
    /// removed otherwise.
    fn filling(&self, place: &Place) -> Result<Filling, TrainError> {
        let (there, beside) = (Run::at(self.out), Run::at(&place.beside()));
        if !place.is_begun() {
            // What is there is the old run, which was about to be removed.
            self.remove_old(place)?;
        }
        let free = !there.config_path().exists();
        let goes_on = there.is_unfinished(self.config);
        if !free && !goes_on && !self.overwrite {
            return Err(TrainError::Taken(self.out.to_owned()));
        }
        if !goes_on && place.is_begun() && beside.is_of(self.config) {
            return Ok(Filling::Beside(place.beside()));
        }
        if free || goes_on {
            place.clear()?;
            return Ok(Filling::Here);
        }
        Ok(Filling::Beside(place.begin()?))
    }

    /// Fills a run beside its place and exchanges the two when it is whole.
    fn replace(
        &self,
        place: &Place,
        dir: &Path,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        let outcome = match self.finished(dir)? {
            Some(outcome) => outcome,
            None => {
                self.bring_teachers(dir)?;
                self.fill(dir, true, listener, stop)?
            }
        };
        if outcome.report.ending == Ending::Interrupted {
            return Ok(outcome);
        }
        place.exchange()?;
        self.remove_old(place)?;
        Ok(Outcome { run: Run::open(self.out)?, report: outcome.report })
    }

    /// Removes the run that was replaced. Files that no run writes stay in the place.
    fn remove_old(&self, place: &Place) -> Result<(), TrainError> {
        place.carry_over(&|name| !Run::is_own(name))?;
        Ok(place.clear()?)
    }

    /// Gives the new run those teachers of the old one that fit.
    fn bring_teachers(&self, dir: &Path) -> Result<(), TrainError> {
        let (from, to) = (self.out.join(TEACHERS), dir.join(TEACHERS));
        let data = &self.loaded.data;
        let mut fitting: Vec<Run> = Vec::new();
        let of_modalities = data.modalities.iter().map(|modality| Role::Teacher(modality.name.clone()));
        for role in of_modalities.chain([Role::Ids, Role::SecondIds]) {
            fitting.extend(teachers::saved(&from, &role, self.config, data).ok().flatten());
        }
        fitting.extend(teachers::saved_plain(&from.join("plain"), self.config, data).ok().flatten());
        for run in fitting {
            let name = run.dir().file_name().expect("a teacher's directory has its name");
            let to = to.join(name);
            if !to.exists() {
                link_files(run.dir(), &to).map_err(|e| TrainError::io(&to, e))?;
            }
        }
        Ok(())
    }

    fn fill(
        &self,
        dir: &Path,
        overwrite: bool,
        listener: &mut dyn Listener<Event>,
        stop: &StopFlag,
    ) -> Result<Outcome, TrainError> {
        let data = &self.loaded.data;
        let run = Run::begin(dir, self.config, data, overwrite)?;
        self.bring_infos(dir)?;
        let inputs = Inputs::new(data).until(stop);
        let context = self.context(&inputs);
        let preparation = Preparation { context: &context, dir: &self.teachers(dir), stop };
        let prepared = preparation.balancer(listener)?;
        let model = ModelRun { run: &run, role: Role::Model, config: self.config };
        context.train(&model, prepared, listener, stop)
    }

    /// What the data set says of its items goes along with the run, so that its lists show titles.
    fn bring_infos(&self, dir: &Path) -> Result<(), TrainError> {
        let (from, to) = (self.config.data.path.join(ITEM_INFOS), dir.join(ITEM_INFOS));
        if !from.is_file() {
            return Ok(());
        }
        let mut infos = std::fs::File::open(&from).map_err(|e| TrainError::io(&from, e))?;
        write_atomic(&to, |file| std::io::copy(&mut infos, file).map(drop))
            .map_err(|e| TrainError::io(&to, e))
    }

    /// What a process left that was killed between the end of the run and the end of its work.
    fn finished(&self, dir: &Path) -> Result<Option<Outcome>, TrainError> {
        match Run::at(dir).finished_as(self.config, &self.loaded.data) {
            Some(report) => {
                let run = Run::open(dir)?;
                run.tidy()?;
                Ok(Some(Outcome { run, report }))
            }
            None => Ok(None),
        }
    }

    /// What would be noticed only in the end is noticed before anything is written.
    fn check(&self) -> Result<(), TrainError> {
        let Loaded { data, test, .. } = self.loaded;
        beforehand::splits(data, Some(test))?;
        Ok(beforehand::sizes(self.config, &data.train)?)
    }

    fn context<'b>(&'b self, inputs: &'b Inputs) -> RunContext<'b> {
        let Loaded { data, test, .. } = self.loaded;
        RunContext { config: self.config, data, test: Some(test), inputs, from_scratch: self.from_scratch }
    }

    fn teachers(&self, dir: &Path) -> PathBuf {
        self.config.balance.teachers.clone().unwrap_or_else(|| dir.join(TEACHERS))
    }
}

/// The files of one directory in another, which is made: as hard links, or as copies where there are none.
fn link_files(from: &Path, to: &Path) -> std::io::Result<()> {
    equipoise_data::make_dirs(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_file() && std::fs::hard_link(&path, &to).is_err() {
            std::fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
