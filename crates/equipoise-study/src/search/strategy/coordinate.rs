//! One setting after another.
//!
//! ```text
//! best = the first value of every setting
//! for each setting, in order:
//!     try every value of it, the others as in best; points that were tried before are not tried again
//!     best = the point of the largest value so far, the first of equals
//! ```

use super::Strategy;
use crate::search::{Dimension, Point, Proposal, Record, Space, TrialBudget, key_of};
use equipoise_data::FieldError;

/// All values of one setting in a batch, then those of the next.
pub struct Coordinate {
    space: Space,
}

impl Coordinate {
    /// A search over a space whose settings all have a finite number of values.
    ///
    /// # Errors
    /// If a setting has a range of reals.
    pub fn new(space: Space) -> Result<Coordinate, FieldError> {
        let endless = space.dimensions().iter().find(|(_, dimension)| dimension.size().is_none());
        match endless {
            Some((key, Dimension::Range(range))) => {
                let expected = "a list of values, or a range with integer = true, for a search of one setting after another";
                Err(FieldError::new(&key_of(key), range, expected))
            }
            _ => Ok(Coordinate { space }),
        }
    }

    fn first(&self) -> Point {
        let settings = self.space.dimensions().iter().map(|(key, dimension)| (key.clone(), dimension.at(0)));
        Point::new(settings.collect())
    }
}

/// The point with every value of setting number `k`.
fn line<'a>(best: &'a Point, k: usize, dimension: &'a Dimension) -> impl Iterator<Item = Point> + 'a {
    (0..dimension.size().unwrap_or(0)).map(move |index| {
        let mut settings = best.settings().to_vec();
        settings[k].1 = dimension.at(index);
        Point::new(settings)
    })
}

impl Strategy for Coordinate {
    /// Repeats the search on the history, up to the first batch that is not in it.
    fn next(&self, history: &[Record]) -> Vec<Proposal> {
        let (mut best, mut value, mut done) = (self.first(), None, 0);
        for (k, (_, dimension)) in self.space.dimensions().iter().enumerate() {
            let known = &history[..done];
            let is_new = |point: &Point| known.iter().all(|record| record.proposal.point != *point);
            let batch: Vec<Point> = line(&best, k, dimension).filter(is_new).collect();
            let Some(records) = history.get(done..done + batch.len()) else {
                let proposal = |(n, point)| Proposal {
                    number: done + n,
                    rung: 0,
                    point,
                    budget: TrialBudget::default(),
                };
                return batch.into_iter().enumerate().map(proposal).collect();
            };
            for record in records {
                if record.value() > value {
                    (value, best) = (record.value(), record.proposal.point.clone());
                }
            }
            done += batch.len();
            if value.is_none() {
                break;
            }
        }
        Vec::new()
    }

    fn total(&self) -> usize {
        let others = self.space.dimensions().iter().map(|(_, dimension)| dimension.size().unwrap_or(1) - 1);
        1 + others.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Measured;
    use toml::Value;

    fn coordinate() -> Coordinate {
        let list = || Dimension::List([0.0, 1.0, 2.0].map(Value::Float).to_vec());
        Coordinate::new(Space::new(vec![("x".into(), list()), ("y".into(), list())]).unwrap()).unwrap()
    }

    type Place = (f64, f64);

    /// Every point that is tried, and the best of them.
    fn search(value: impl Fn(f64, f64) -> Option<f64>) -> (Vec<Place>, Option<Place>) {
        let (strategy, mut history) = (coordinate(), Vec::<Record>::new());
        let at = |record: &Record| {
            let point = &record.proposal.point;
            (point.number("x").unwrap(), point.number("y").unwrap())
        };
        loop {
            let batch = strategy.next(&history);
            if batch.is_empty() {
                let best = crate::search::best(&history).map(at);
                return (history.iter().map(at).collect(), best);
            }
            assert_eq!(batch[0].number, history.len());
            history.extend(batch.into_iter().map(|proposal| {
                let measured =
                    |value| Measured { value, best_epoch: 1, epochs: 1, seconds: 0.0, complete: true };
                let (x, y) = (proposal.point.number("x").unwrap(), proposal.point.number("y").unwrap());
                Record { proposal, outcome: value(x, y).map(measured).ok_or("broke".into()) }
            }));
        }
    }

    #[test]
    fn settings_are_searched_one_after_another_and_no_point_twice() {
        let (tried, best) = search(|x, y| Some(-(x - 1.0).abs() - (y - 2.0).abs()));
        assert_eq!(tried, [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (1.0, 1.0), (1.0, 2.0)]);
        assert_eq!((best, tried.len()), (Some((1.0, 2.0)), coordinate().total()));
    }

    #[test]
    fn what_lies_off_the_axes_is_missed() {
        let (_, best) = search(|x, y| Some(if (x, y) == (2.0, 2.0) { 9.0 } else { -x - y }));
        assert_eq!(best, Some((0.0, 0.0)));
    }

    #[test]
    fn the_first_of_equals_wins_failures_are_passed_over_and_end_the_search_only_all_together() {
        assert_eq!(search(|_, _| Some(0.5)).1, Some((0.0, 0.0)));
        assert_eq!(search(|x, y| (x > 0.0).then_some(y)).1, Some((1.0, 2.0)));
        assert_eq!(search(|_, _| None), (vec![(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)], None));
    }
}
