//! From cells to finished runs: searches on validation, then every seed.

use super::cells::{Cell, TEACHER, unsupported};
use super::choice::{BestPoint, ValidationObjective, choose};
use super::extent::expected;
use super::facts::DataFacts;
use super::missing::MissingResult;
use super::paper::{Paper, TableKind};
use super::plan::{ReproductionPlan, SEARCH_SEED};
use super::settings::{
    candidates, compose, identity, joined, plain_like, teacher_identity, with_plain_at, with_teachers_of,
    words,
};
use super::teaching::teachers_request;
use crate::jobs::{Finished, Scheduler, Task, Work, side_by_side};
use crate::search::Point;
use equipoise_train::RunConfig;
use std::collections::HashMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Turns from here on come after those of all cells.
const LAST: usize = usize::MAX / 2;

/// What a search found for a method of a backbone on a data set.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// What the search before found.
    pub before: Point,
    /// What its own found.
    pub found: BestPoint,
    /// The configuration that follows, without seed and places.
    pub config: RunConfig,
}

impl Chosen {
    /// All that was searched for it.
    pub fn point(&self) -> Point {
        joined(&self.before, &self.found.point)
    }
}

/// The files of one seed.
#[derive(Clone, Debug, Default)]
pub struct SeedFiles {
    /// The model's run directory.
    pub run: Option<PathBuf>,
    /// The directory of its teachers' run directories.
    pub teachers: Option<PathBuf>,
}

/// What became of a cell.
#[derive(Clone, Debug)]
pub struct SettledCell {
    /// The cell.
    pub cell: Cell,
    /// What was chosen for it.
    pub chosen: Result<Chosen, MissingResult>,
    /// Each seed's files.
    pub seeds: Vec<(u64, Result<SeedFiles, MissingResult>)>,
}

type Key = (String, String, String);
type Choice = Result<Chosen, MissingResult>;

/// A plan that is carried out.
pub struct Reproduction<'a, 's> {
    paper: &'a Paper,
    plan: &'a ReproductionPlan<'a>,
    scheduler: &'a Scheduler<'s>,
    choices: Mutex<HashMap<Key, Arc<OnceLock<Choice>>>>,
}

/// Which backbone and method on which data; `turn` says when.
#[derive(Clone, Copy)]
struct Setting<'b> {
    data: &'b DataFacts,
    backbone: &'b str,
    method: &'b str,
    turn: usize,
}

impl<'a, 's> Reproduction<'a, 's> {
    /// A plan before its first run.
    pub fn new(
        paper: &'a Paper,
        plan: &'a ReproductionPlan<'a>,
        scheduler: &'a Scheduler<'s>,
    ) -> Reproduction<'a, 's> {
        Reproduction { paper, plan, scheduler, choices: Mutex::default() }
    }

    /// Carries the plan out. A cell that fails says so and the others go on.
    pub fn carry_out(&self) -> Vec<SettledCell> {
        self.scheduler.plan(expected(self.paper, self.plan));
        let numbered: Vec<(usize, &Cell)> = self.plan.cells.iter().enumerate().collect();
        let all = NonZero::new(numbered.len()).unwrap_or(NonZero::<usize>::MIN);
        side_by_side(all, &numbered, |(turn, cell)| self.settle(cell, *turn))
    }

    fn settle(&self, cell: &Cell, turn: usize) -> SettledCell {
        let data =
            self.plan.data.iter().find(|d| d.name == cell.dataset).expect("cells are made from the data");
        // Teachers have the plain model's settings.
        let method = if cell.method == TEACHER { "none" } else { &cell.method };
        let place = Setting { data, backbone: &cell.backbone, method, turn };
        let (chosen, seeds) = std::thread::scope(|scope| {
            if self.paper.distils(method) && unsupported(self.paper, place.backbone, method).is_none() {
                scope.spawn(|| self.teach_ahead(place));
            }
            let chosen = self.chosen(place);
            let seeds = chosen.as_ref().map_or_else(
                |_| Vec::new(),
                |chosen| self.each_seed(|seed| (seed, self.files(cell, place, chosen, seed))),
            );
            (chosen, seeds)
        });
        SettledCell { cell: cell.clone(), chosen, seeds }
    }

    /// What every seed comes to.
    fn each_seed<R: Send>(&self, work: impl Fn(u64) -> R + Sync) -> Vec<R> {
        let seeds: Vec<u64> = (1..=self.plan.seeds).collect();
        self.scheduler.each(&seeds, |&seed| work(seed))
    }

    /// Teachers of the seeds need the plain model's settings alone: while their student's are searched, one after
    /// another, they take workers that nobody else wants. What fails here is met again where it is needed.
    fn teach_ahead(&self, place: Setting) {
        if self.chosen(Setting { method: "none", ..place }).is_ok() {
            let place = Setting { turn: LAST + place.turn, ..place };
            self.each_seed(|seed| self.teachers(place, seed).is_ok());
        }
    }

    fn files(
        &self,
        cell: &Cell,
        place: Setting,
        chosen: &Chosen,
        seed: u64,
    ) -> Result<SeedFiles, MissingResult> {
        let curves = self.plan.table.kind == TableKind::Curves;
        let wanted = curves || cell.method == TEACHER || self.paper.distils(place.method);
        let teachers = if wanted { Some(self.teachers(place, seed)?) } else { None };
        if cell.method == TEACHER {
            return Ok(SeedFiles { run: None, teachers });
        }
        let name = format!("{}/{} {} seed {seed}", place.data.name, place.backbone, place.method);
        let identity = identity(&chosen.config, &place.data.fingerprint);
        let dir = self.dir(place).join(format!("{}-{identity}/seed{seed}", place.method));
        let mut config = self.placed(place, &chosen.config, seed);
        config.balance.teachers = teachers.clone().filter(|_| self.paper.distils(place.method));
        let config = self.beside_plain(place, config)?;
        self.ensure(place, name, dir.clone(), Work::Train(Box::new(config)))?;
        Ok(SeedFiles { run: Some(dir), teachers })
    }

    /// The directory of a seed's teachers, trained if need be.
    fn teachers(&self, place: Setting, seed: u64) -> Result<PathBuf, MissingResult> {
        let plain = self.chosen(Setting { method: "none", ..place })?.config;
        let identity = teacher_identity(&plain, &place.data.fingerprint);
        let dir = self.dir(place).join(format!("teachers-{identity}/seed{seed}"));
        let request = teachers_request(&self.placed(place, &plain, seed), &dir);
        let config = request
            .ok_or_else(|| MissingResult::Unsupported("no balancer of this program has teachers".into()))?;
        let name = format!("{}/{} teachers seed {seed}", place.data.name, place.backbone);
        self.ensure(place, name, dir.clone(), Work::Teachers(Box::new(config)))?;
        Ok(dir)
    }

    /// For a method that reads the plain model's run: the same configuration, told where it is, trained if need be.
    fn beside_plain(&self, place: Setting, config: RunConfig) -> Result<RunConfig, MissingResult> {
        if !self.paper.reads_plain(place.method) {
            return Ok(config);
        }
        let plain = plain_like(&config, &self.chosen(Setting { method: "none", ..place })?.config);
        let identity = identity(&plain, &place.data.fingerprint);
        let dir = self.dir(place).join(format!("none-{identity}/seed{}", config.seed));
        let name = format!("{}/{} none seed {}", place.data.name, place.backbone, config.seed);
        let request = self.placed(place, &plain, config.seed);
        self.ensure(place, name, dir.clone(), Work::Train(Box::new(request)))?;
        Ok(with_plain_at(config, &dir))
    }

    /// What a task left, run if need be.
    fn ensure(
        &self,
        place: Setting,
        name: String,
        dir: PathBuf,
        work: Work,
    ) -> Result<Finished, MissingResult> {
        let task = Task { name, work, dir, inputs: Some(place.data.fingerprint.clone()) };
        Ok(self.scheduler.ensure(&task, place.turn).ok_or(MissingResult::NotRun)??)
    }

    fn dir(&self, place: Setting) -> PathBuf {
        self.plan.out.join("runs").join(&place.data.name).join(place.backbone)
    }

    fn placed(&self, place: Setting, config: &RunConfig, seed: u64) -> RunConfig {
        let mut config = RunConfig { seed, ..config.clone() };
        config.data.path.clone_from(&place.data.path);
        config
    }

    /// What is chosen for a method, searched once.
    fn chosen(&self, place: Setting) -> Choice {
        let key = (place.data.name.clone(), place.backbone.to_owned(), place.method.to_owned());
        let once = {
            let mut choices = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(choices.entry(key).or_default())
        };
        once.get_or_init(|| self.choose(place)).clone()
    }

    fn choose(&self, place: Setting) -> Choice {
        if let Some(why) = unsupported(self.paper, place.backbone, place.method) {
            return Err(MissingResult::Unsupported(why));
        }
        let before = match self.paper.before(place.method) {
            Some(method) => self.chosen(Setting { method, ..place })?.point(),
            None => Point::default(),
        };
        let start = self.composed(place, &before, &Point::default())?;
        let mut axes = Vec::new();
        for axis in self.plan.axes(place.method) {
            axes.push((axis.key.clone(), candidates(axis, &start).map_err(MissingResult::failed)?));
        }
        let trial = PointRuns { reproduction: self, place, before: &before };
        let found = choose(self.plan.budget.how, &axes, &trial, self.scheduler.jobs())?;
        let config = self.composed(place, &before, &found.point)?;
        Ok(Chosen { before, found, config })
    }

    fn composed(&self, place: Setting, before: &Point, own: &Point) -> Result<RunConfig, MissingResult> {
        let Setting { backbone, method, .. } = place;
        let config = compose(self.paper, backbone, method, [before, own], &self.plan.user);
        let config = config.map_err(MissingResult::failed)?;
        if !self.paper.distils(method) {
            return Ok(config);
        }
        let plain = self.chosen(Setting { method: "none", ..place })?.config;
        Ok(with_teachers_of(config, &plain))
    }
}

/// A method's runs at points of its search. What comes back is a number measured on validation.
struct PointRuns<'b, 'a, 's> {
    reproduction: &'b Reproduction<'a, 's>,
    place: Setting<'b>,
    before: &'b Point,
}

impl ValidationObjective for PointRuns<'_, '_, '_> {
    /// The mean over the seeds of the search.
    fn validation(&self, point: &Point) -> Result<f64, MissingResult> {
        let seeds = self.reproduction.plan.seeds_of_search();
        let values = self.reproduction.scheduler.each(&seeds, |&seed| self.of_seed(point, seed));
        let values = values.into_iter().collect::<Result<Vec<f64>, _>>()?;
        Ok(values.iter().sum::<f64>() / values.len() as f64)
    }
}

impl PointRuns<'_, '_, '_> {
    /// The validation metric of one run.
    fn of_seed(&self, point: &Point, seed: u64) -> Result<f64, MissingResult> {
        let PointRuns { reproduction, place, before } = self;
        let config = reproduction.composed(*place, before, point)?;
        let identity = identity(&config, &place.data.fingerprint);
        let mut config = reproduction.placed(*place, &config, seed);
        if reproduction.paper.distils(place.method) {
            config.balance.teachers = Some(reproduction.teachers(*place, seed)?);
        }
        let config = reproduction.beside_plain(*place, config)?;
        let mut name =
            format!("{}/{} {} with {}", place.data.name, place.backbone, place.method, words(point));
        let mut dir = format!("search/{}-{identity}", place.method);
        if seed != SEARCH_SEED {
            name += &format!(", seed {seed}");
            dir += &format!("-seed{seed}");
        }
        let dir = reproduction.dir(*place).join(dir);
        let done = reproduction.ensure(*place, name, dir, Work::Search(Box::new(config)))?;
        done.validation.filter(|v| v.is_finite()).ok_or_else(|| MissingResult::failed("no validation metric"))
    }
}
