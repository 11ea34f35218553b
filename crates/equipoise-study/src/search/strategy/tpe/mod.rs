//! Tree-structured Parzen estimators.
//!
//! Bergstra, Bardenet, Bengio and Kégl, *Algorithms for Hyper-Parameter Optimization*, NeurIPS 2011. With `y` the
//! loss and `y*` its `gamma` quantile among the trials so far:
//!
//! ```text
//! p(x | y) = l(x)  where y < y*   (the good trials)
//!            g(x)  elsewhere      (the others)
//! expected improvement over y*  is increasing in  l(x) / g(x)
//! ```
//!
//! so that the next point is the candidate, drawn from `l`, of the largest `l(x) / g(x)`. Both densities are
//! products over the settings (see [`parzen`]).
//!
//! Points are proposed in rounds: those of a round know every trial before it, and each other only as points
//! that will not be good (they count in `g`), which keeps them apart. A failed trial counts as the worst.
//! Rounds do not depend on the number of jobs, so neither do the results.

mod parzen;

use super::{Strategy, random};
use crate::search::{Dimension, Point, Proposal, Record, Space, TrialBudget};
use equipoise_data::Seed;
use equipoise_data::Stream;
use parzen::Parzen;
use toml::Value;

/// Settings of the estimator.
///
/// | name | default | purpose |
/// |---|---|---|
/// | `startup` | 8 | random points before the first estimate |
/// | `round` | 4 | points proposed together |
/// | `gamma` | 0.15 | share of the trials that counts as good (the paper's) |
/// | `candidates` | 24 | points drawn, of which the best is taken |
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TpeConfig {
    /// Random points before the first estimate.
    pub startup: usize,
    /// Points proposed together.
    pub round: usize,
    /// Share of the trials that counts as good.
    pub gamma: f64,
    /// Points drawn, of which the best is taken.
    pub candidates: usize,
}

impl Default for TpeConfig {
    fn default() -> Self {
        TpeConfig { startup: 8, round: 4, gamma: 0.15, candidates: 24 }
    }
}

/// Random points, then points where good ones are dense and others are not.
pub struct Tpe {
    space: Space,
    seed: u64,
    trials: usize,
    config: TpeConfig,
}

impl Tpe {
    /// `trials` points; fewer if the space has fewer.
    pub fn new(space: Space, seed: u64, trials: usize, config: TpeConfig) -> Tpe {
        let trials = trials.min(space.size().unwrap_or(trials));
        Tpe { space, seed, trials, config }
    }

    /// The points of the trials so far, best first, split into good ones and others.
    fn split<'h>(&self, history: &'h [Record]) -> (Vec<&'h Point>, Vec<&'h Point>) {
        let mut ranked: Vec<&Record> = history.iter().collect();
        let value = |r: &Record| r.value().unwrap_or(f64::NEG_INFINITY);
        ranked.sort_by(|a, b| value(b).total_cmp(&value(a)).then(a.place().cmp(&b.place())));
        let valued = ranked.iter().filter(|r| r.value().is_some()).count();
        let good = (self.config.gamma * ranked.len() as f64).ceil() as usize;
        let points: Vec<&Point> = ranked.iter().map(|r| &r.proposal.point).collect();
        let (good, others) = points.split_at(good.min(valued));
        (good.to_vec(), others.to_vec())
    }

    /// The candidate, drawn from the density `l` of the good points, of the largest `l / g`; the first of equals.
    fn propose(&self, good: &[&Point], others: &[&Point], stream: &mut Stream) -> Point {
        let settings: Vec<Setting> =
            self.space.dimensions().iter().map(|(key, d)| Setting::new(key, d, good, others)).collect();
        let mut best: Option<(f64, Point)> = None;
        for _ in 0..self.config.candidates {
            let drawn: Vec<(f64, Value)> = settings.iter().map(|s| s.draw(stream)).collect();
            let ratio: f64 = drawn.iter().map(|(ratio, _)| ratio).sum();
            if best.as_ref().is_none_or(|(most, _)| ratio > *most) {
                let keys = settings.iter().map(|s| s.key.to_owned());
                best = Some((ratio, Point::new(keys.zip(drawn.into_iter().map(|(_, v)| v)).collect())));
            }
        }
        best.expect("at least one candidate, as checked with the settings").1
    }
}

/// Both densities of one setting.
struct Setting<'a> {
    key: &'a str,
    l: Parzen<'a>,
    g: Parzen<'a>,
}

impl<'a> Setting<'a> {
    fn new(key: &'a str, dimension: &'a Dimension, good: &[&Point], others: &[&Point]) -> Setting<'a> {
        let known = |points: &[&Point]| -> Vec<Value> {
            points.iter().filter_map(|point| point.get(key).cloned()).collect()
        };
        Setting { key, l: Parzen::new(dimension, &known(good)), g: Parzen::new(dimension, &known(others)) }
    }

    /// A value from `l`, and `ln l - ln g` of it.
    fn draw(&self, stream: &mut Stream) -> (f64, Value) {
        let value = self.l.draw(stream);
        (self.l.log_density(&value) - self.g.log_density(&value), value)
    }
}

impl Strategy for Tpe {
    fn next(&self, history: &[Record]) -> Vec<Proposal> {
        let (done, startup) = (history.len(), self.config.startup.min(self.trials));
        let proposal = |(number, point)| Proposal { number, rung: 0, point, budget: TrialBudget::default() };
        if done < startup {
            let points = random::points(&self.space, self.seed, startup);
            return points.into_iter().enumerate().map(proposal).collect();
        }
        let (good, others) = self.split(history);
        // What is taken ends with this round's own points, which `g` knows.
        let mut taken: Vec<Point> = history.iter().map(|r| r.proposal.point.clone()).collect();
        let mut batch = Vec::new();
        for number in done..self.trials.min(done + self.config.round) {
            let mut stream = Seed(self.seed).stream(&format!("sweep/tpe/{number}"));
            let poor: Vec<&Point> = others.iter().copied().chain(&taken[done..]).collect();
            let draw = || self.propose(&good, &poor, &mut stream);
            let Some(point) = self.space.fresh(&taken, draw) else { break };
            taken.push(point.clone());
            batch.push(proposal((number, point)));
        }
        batch
    }

    fn total(&self) -> usize {
        self.trials
    }
}
