//! From cells to finished runs: searches on validation, then every seed.

use super::cells::{Cell, TEACHER, unsupported};
use super::extent::expected;
use super::facts::DataFacts;
use super::paper::{Axis, Budget, Kind, Paper, TableSpec};
use super::pool::Pool;
use super::search::{Found, Objective, search, side_by_side};
use super::settings::{
    Point, candidates, compose, identity, joined, plain_like, teacher_identity, with_plain_at,
    with_teachers_of, words,
};
use super::tasks::{Failure, Task, Work};
use super::worker::teachers_request;
use equipoise_train::RunConfig;
use std::collections::HashMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The seed of every search: none of those that are reported.
pub const SEARCH_SEED: u64 = 100;

/// Turns from here on come after those of all cells.
const LAST: usize = usize::MAX / 2;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which table.
    pub table: &'static TableSpec,
    /// Its cells.
    pub cells: Vec<Cell>,
    /// The data sets.
    pub data: Vec<DataFacts>,
    /// Seeds 1 to this.
    pub seeds: u64,
    /// How far settings are searched.
    pub budget: &'static Budget,
    /// Settings of the user's own, for every run; what they set is not searched.
    pub user: Point,
    /// Where everything goes.
    pub out: PathBuf,
}

impl Plan {
    /// What is searched for a method, after the search before: what the budget has and the user has not set.
    pub fn axes(&self, method: &str) -> impl Iterator<Item = &'static Axis> {
        let axes = self.budget.axes.get(method).into_iter().flatten();
        axes.filter(|axis| self.user.iter().all(|(key, _)| *key != axis.key))
    }
}

/// What a search found for a method of a backbone on a data set.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// What the search before found.
    pub before: Point,
    /// What its own found.
    pub found: Found,
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
pub struct Files {
    /// The model's run directory.
    pub run: Option<PathBuf>,
    /// The directory of its teachers' run directories.
    pub teachers: Option<PathBuf>,
}

/// What became of a cell.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The cell.
    pub cell: Cell,
    /// What was chosen for it.
    pub chosen: Result<Chosen, Failure>,
    /// Each seed's files.
    pub seeds: Vec<(u64, Result<Files, Failure>)>,
}

type Key = (String, String, String);
type Choice = Result<Chosen, Failure>;

/// A plan being carried out.
pub struct Study<'a> {
    paper: &'static Paper,
    plan: &'a Plan,
    pool: &'a Pool<'a>,
    choices: Mutex<HashMap<Key, Arc<OnceLock<Choice>>>>,
}

/// Which backbone and method on which data; `turn` says when.
#[derive(Clone, Copy)]
struct Place<'b> {
    data: &'b DataFacts,
    backbone: &'b str,
    method: &'b str,
    turn: usize,
}

impl<'a> Study<'a> {
    /// A study before its first run.
    pub fn new(paper: &'static Paper, plan: &'a Plan, pool: &'a Pool<'a>) -> Study<'a> {
        Study { paper, plan, pool, choices: Mutex::default() }
    }

    /// Carries the plan out. A cell that fails says so and the others go on.
    pub fn carry_out(&self) -> Vec<Settled> {
        self.pool.plan(expected(self.paper, self.plan));
        let numbered: Vec<(usize, &Cell)> = self.plan.cells.iter().enumerate().collect();
        let all = NonZero::new(numbered.len()).unwrap_or(NonZero::<usize>::MIN);
        side_by_side(all, &numbered, |(turn, cell)| self.settle(cell, *turn))
    }

    fn settle(&self, cell: &Cell, turn: usize) -> Settled {
        let data =
            self.plan.data.iter().find(|d| d.name == cell.dataset).expect("cells are made from the data");
        // Teachers have the plain model's settings.
        let method = if cell.method == TEACHER { "none" } else { &cell.method };
        let place = Place { data, backbone: &cell.backbone, method, turn };
        let (chosen, seeds) = std::thread::scope(|scope| {
            if self.paper.distils(method) {
                scope.spawn(|| self.teach_ahead(place));
            }
            let chosen = self.chosen(place);
            let seeds = chosen.as_ref().map_or_else(
                |_| Vec::new(),
                |chosen| self.each_seed(|seed| (seed, self.files(cell, place, chosen, seed))),
            );
            (chosen, seeds)
        });
        Settled { cell: cell.clone(), chosen, seeds }
    }

    /// What every seed comes to.
    fn each_seed<R: Send>(&self, work: impl Fn(u64) -> R + Sync) -> Vec<R> {
        let seeds: Vec<u64> = (1..=self.plan.seeds).collect();
        self.pool.each(&seeds, |&seed| work(seed))
    }

    /// Teachers of the seeds need the plain model's settings alone: while their student's are searched, one after
    /// another, they take workers that nobody else wants. What fails here is met again where it is needed.
    fn teach_ahead(&self, place: Place) {
        if self.chosen(Place { method: "none", ..place }).is_ok() {
            let place = Place { turn: LAST + place.turn, ..place };
            self.each_seed(|seed| self.teachers(place, seed).is_ok());
        }
    }

    fn files(&self, cell: &Cell, place: Place, chosen: &Chosen, seed: u64) -> Result<Files, Failure> {
        let curves = self.plan.table.kind == Kind::Curves;
        let wanted = curves || cell.method == TEACHER || self.paper.distils(place.method);
        let teachers = if wanted { Some(self.teachers(place, seed)?) } else { None };
        if cell.method == TEACHER {
            return Ok(Files { run: None, teachers });
        }
        let name = format!("{}/{} {} seed {seed}", place.data.name, place.backbone, place.method);
        let identity = identity(&chosen.config, &place.data.fingerprint);
        let dir = self.dir(place).join(format!("{}-{identity}/seed{seed}", place.method));
        let mut config = self.placed(place, &chosen.config, seed);
        config.balance.teachers = teachers.clone().filter(|_| self.paper.distils(place.method));
        let config = self.beside_plain(place, config)?;
        let task = Task { name, work: Work::Final, dir: dir.clone(), config };
        self.pool.ensure(&task, place.turn)?;
        Ok(Files { run: Some(dir), teachers })
    }

    /// The directory of a seed's teachers, trained if need be.
    fn teachers(&self, place: Place, seed: u64) -> Result<PathBuf, Failure> {
        let plain = self.chosen(Place { method: "none", ..place })?.config;
        let identity = teacher_identity(&plain, &place.data.fingerprint);
        let dir = self.dir(place).join(format!("teachers-{identity}/seed{seed}"));
        let request = teachers_request(&self.placed(place, &plain, seed), &dir);
        let config =
            request.ok_or_else(|| Failure::Unsupported("no balancer of this program has teachers".into()))?;
        let name = format!("{}/{} teachers seed {seed}", place.data.name, place.backbone);
        self.pool.ensure(&Task { name, work: Work::Teachers, dir: dir.clone(), config }, place.turn)?;
        Ok(dir)
    }

    /// For a method that reads the plain model's run: the same configuration, told where it is, trained if need be.
    fn beside_plain(&self, place: Place, config: RunConfig) -> Result<RunConfig, Failure> {
        if !self.paper.reads_plain(place.method) {
            return Ok(config);
        }
        let plain = plain_like(&config, &self.chosen(Place { method: "none", ..place })?.config);
        let identity = identity(&plain, &place.data.fingerprint);
        let dir = self.dir(place).join(format!("none-{identity}/seed{}", config.seed));
        let name = format!("{}/{} none seed {}", place.data.name, place.backbone, config.seed);
        let request = self.placed(place, &plain, config.seed);
        let task = Task { name, work: Work::Final, dir: dir.clone(), config: request };
        self.pool.ensure(&task, place.turn)?;
        Ok(with_plain_at(config, &dir))
    }

    fn dir(&self, place: Place) -> PathBuf {
        self.plan.out.join("runs").join(&place.data.name).join(place.backbone)
    }

    fn placed(&self, place: Place, config: &RunConfig, seed: u64) -> RunConfig {
        let mut config = RunConfig { seed, ..config.clone() };
        config.data.path.clone_from(&place.data.path);
        config
    }

    /// What is chosen for a method, searched once.
    fn chosen(&self, place: Place) -> Choice {
        let key = (place.data.name.clone(), place.backbone.to_owned(), place.method.to_owned());
        let once = {
            let mut choices = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(choices.entry(key).or_default())
        };
        once.get_or_init(|| self.choose(place)).clone()
    }

    fn choose(&self, place: Place) -> Choice {
        if let Some(why) = unsupported(self.paper, place.backbone, place.method) {
            return Err(Failure::Unsupported(why));
        }
        let before = match self.paper.before(place.method) {
            Some(method) => self.chosen(Place { method, ..place })?.point(),
            None => Point::new(),
        };
        let start = self.composed(place, &before, &Point::new())?;
        let mut axes = Vec::new();
        for axis in self.plan.axes(place.method) {
            axes.push((axis.key.clone(), candidates(axis, &start).map_err(Failure::Failed)?));
        }
        let trial = Trial { study: self, place, before: &before };
        let found = search(self.plan.budget.how, &axes, &trial, self.pool.jobs())?;
        let config = self.composed(place, &before, &found.point)?;
        Ok(Chosen { before, found, config })
    }

    fn composed(&self, place: Place, before: &Point, own: &Point) -> Result<RunConfig, Failure> {
        let Place { backbone, method, .. } = place;
        let config = compose(self.paper, backbone, method, [before, own], &self.plan.user);
        let config = config.map_err(|e| Failure::Failed(e.to_string()))?;
        if !self.paper.distils(method) {
            return Ok(config);
        }
        let plain = self.chosen(Place { method: "none", ..place })?.config;
        Ok(with_teachers_of(config, &plain))
    }
}

/// A method's runs at points of its search. What comes back is a number measured on validation.
struct Trial<'b, 'a> {
    study: &'b Study<'a>,
    place: Place<'b>,
    before: &'b Point,
}

impl Objective for Trial<'_, '_> {
    fn validation(&self, point: &Point) -> Result<f64, Failure> {
        let Trial { study, place, before } = self;
        let config = study.composed(*place, before, point)?;
        let identity = identity(&config, &place.data.fingerprint);
        let mut config = study.placed(*place, &config, SEARCH_SEED);
        if study.paper.distils(place.method) {
            config.balance.teachers = Some(study.teachers(*place, SEARCH_SEED)?);
        }
        let config = study.beside_plain(*place, config)?;
        let name = format!("{}/{} {} with {}", place.data.name, place.backbone, place.method, words(point));
        let dir = study.dir(*place).join(format!("search/{}-{identity}", place.method));
        let done = study.pool.ensure(&Task { name, work: Work::Search, dir, config }, place.turn)?;
        done.validation
            .filter(|v| v.is_finite())
            .ok_or_else(|| Failure::Failed("no validation metric".into()))
    }
}
