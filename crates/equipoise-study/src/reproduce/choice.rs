//! The choice among points by validation: a small search over lists of values.

use super::missing::MissingResult;
use super::paper::SearchManner;
use crate::search::strategy::{Coordinate, Grid, Strategy};
use crate::search::{
    Dimension, Fault, Journal, Measured, Point, Search, Silent, Space, StopFlag, Trial, TrialBudget, best,
};
use equipoise_data::FieldError;
use std::num::NonZero;
use std::sync::OnceLock;

/// What is maximised.
pub trait ValidationObjective: Sync {
    /// The validation metric at a point.
    ///
    /// # Errors
    /// If the run failed, was stopped, or is not there and must not be made.
    fn validation(&self, point: &Point) -> Result<f64, MissingResult>;
}

/// A point that was tried.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Where.
    pub point: Point,
    /// Its validation metric, or why there is none.
    pub result: Result<f64, String>,
}

/// The outcome of a search.
#[derive(Clone, Debug)]
pub struct BestPoint {
    /// The best point, the first of equals.
    pub point: Point,
    /// Its validation metric; `None` where there was nothing to choose from.
    pub value: Option<f64>,
    /// Everything tried, in order.
    pub tried: Vec<Tried>,
}

/// Searches the lists of values (by key) for the point of the largest validation metric, the first of equals, with `jobs`
/// points at a time. Points whose run failed are passed over.
///
/// # Errors
/// If it was stopped, a run is missing, or every point failed.
pub fn choose(
    manner: SearchManner,
    axes: &[(String, Vec<toml::Value>)],
    objective: &dyn ValidationObjective,
    jobs: NonZero<usize>,
) -> Result<BestPoint, MissingResult> {
    if axes.iter().all(|(_, values)| values.len() == 1) {
        let only = axes.iter().map(|(key, values)| (key.clone(), values[0].clone())).collect();
        return Ok(BestPoint { point: Point::new(only), value: None, tried: Vec::new() });
    }
    let list = |(key, values): &(String, Vec<toml::Value>)| (key.clone(), Dimension::List(values.clone()));
    let space = Space::new(axes.iter().map(list).collect()).map_err(MissingResult::failed)?;
    let strategy = strategy(manner, space).map_err(MissingResult::failed)?;
    let trial = Validation { objective, gap: OnceLock::new() };
    let search = Search { strategy: &*strategy, trial: &trial, jobs: jobs.get(), threads: 1 };
    let found = search.run(&Journal::in_memory(), &mut Silent, &StopFlag::default());
    let found = found.map_err(|error| match trial.gap.get() {
        Some(gap) => gap.clone(),
        None => MissingResult::Fault(Fault::machine(error)),
    })?;
    if let Some(gap) = trial.gap.into_inner() {
        return Err(gap);
    }
    let Some(record) = best(&found.records) else {
        let first = found.records.first().and_then(|record| record.outcome.as_ref().err());
        let first = first.map_or("no point", String::as_str);
        return Err(MissingResult::failed(format!("every point of the search failed; the first: {first}")));
    };
    let (point, value) = (record.proposal.point.clone(), record.value());
    let tried = found.records.into_iter();
    let tried =
        tried.map(|r| Tried { point: r.proposal.point, result: r.outcome.map(|measured| measured.value) });
    Ok(BestPoint { point, value, tried: tried.collect() })
}

fn strategy(manner: SearchManner, space: Space) -> Result<Box<dyn Strategy>, FieldError> {
    Ok(match manner {
        SearchManner::Grid => Box::new(Grid::new(space)?),
        SearchManner::Coordinate => Box::new(Coordinate::new(space)?),
    })
}

/// The objective as a trial. A run that is missing for another reason than its own failure ends the search.
struct Validation<'a> {
    objective: &'a dyn ValidationObjective,
    /// The first such reason.
    gap: OnceLock<MissingResult>,
}

impl Trial for Validation<'_> {
    fn run(&self, point: &Point, _: TrialBudget, _: &StopFlag) -> Result<Measured, Fault> {
        match self.objective.validation(point) {
            Ok(value) => Ok(Measured { value, best_epoch: 0, epochs: 0, seconds: 0.0, complete: true }),
            Err(MissingResult::Fault(Fault::Own(why)) | MissingResult::Unsupported(why)) => {
                Err(Fault::Own(why))
            }
            Err(gap) => {
                self.gap.get_or_init(|| gap);
                Err(Fault::Interrupted)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A function of two settings, and where it was asked.
    struct Known(fn(f64, f64) -> Result<f64, MissingResult>, Mutex<Vec<(f64, f64)>>);

    impl ValidationObjective for Known {
        fn validation(&self, point: &Point) -> Result<f64, MissingResult> {
            let (x, y) = (point.number("x").unwrap(), point.number("y").unwrap());
            self.1.lock().unwrap().push((x, y));
            (self.0)(x, y)
        }
    }

    fn run(
        manner: SearchManner,
        f: fn(f64, f64) -> Result<f64, MissingResult>,
    ) -> (Result<BestPoint, MissingResult>, Vec<(f64, f64)>) {
        let floats = || [0.0, 1.0, 2.0].map(toml::Value::Float).to_vec();
        let axes = [("x".to_owned(), floats()), ("y".to_owned(), floats())];
        let known = Known(f, Mutex::default());
        let found = choose(manner, &axes, &known, NonZero::new(3).unwrap());
        (found, known.1.into_inner().unwrap())
    }

    fn best_of(found: &BestPoint) -> (f64, f64) {
        (found.point.number("x").unwrap(), found.point.number("y").unwrap())
    }

    #[test]
    fn a_grid_sees_what_coordinates_miss() {
        let valley = |x: f64, y: f64| Ok(if (x, y) == (2.0, 2.0) { 9.0 } else { -x - y });
        let (found, asked) = run(SearchManner::Coordinate, valley);
        assert_eq!((best_of(&found.unwrap()), asked.len()), ((0.0, 0.0), 5));
        let (found, asked) = run(SearchManner::Grid, valley);
        assert_eq!((best_of(&found.unwrap()), asked.len()), ((2.0, 2.0), 9));
    }

    #[test]
    fn failures_are_passed_over_and_a_missing_run_ends_the_search() {
        let failed = |x: f64, y: f64| MissingResult::failed(format!("broke at {x}, {y}"));
        let (found, _) =
            run(SearchManner::Grid, |x, y| if x > 0.0 { Ok(y) } else { Err(MissingResult::failed("low")) });
        let found = found.unwrap();
        assert_eq!((best_of(&found), found.tried[0].result.clone()), ((1.0, 2.0), Err("low".into())));
        let error =
            run(SearchManner::Coordinate, |x, y| Err(MissingResult::failed(format!("broke at {x}, {y}")))).0;
        let message = format!("every point of the search failed; the first: {}", failed(0.0, 0.0));
        assert_eq!(error.unwrap_err().to_string(), message);
        for gap in [MissingResult::NotRun, MissingResult::Fault(Fault::Interrupted)] {
            let found = match gap {
                MissingResult::NotRun => run(SearchManner::Grid, |_, _| Err(MissingResult::NotRun)).0,
                _ => run(SearchManner::Grid, |_, _| Err(MissingResult::Fault(Fault::Interrupted))).0,
            };
            assert_eq!(found.unwrap_err(), gap);
        }
    }

    #[test]
    fn nothing_to_search_is_an_empty_point() {
        for manner in [SearchManner::Grid, SearchManner::Coordinate] {
            let known = Known(|_, _| Err(MissingResult::NotRun), Mutex::default());
            let found = choose(manner, &[], &known, NonZero::<usize>::MIN).unwrap();
            assert!(found.point.settings().is_empty() && found.value.is_none());
            let one = [("x".to_owned(), vec![toml::Value::Float(2.0)])];
            let found = choose(manner, &one, &known, NonZero::<usize>::MIN).unwrap();
            assert_eq!((found.point.number("x"), found.value), (Some(2.0), None), "one value needs no trial");
        }
    }
}
