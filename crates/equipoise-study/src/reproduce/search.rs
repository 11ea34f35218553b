//! Small searches over lists of values. They see the validation metric and nothing else.

use super::paper::How;
use super::settings::Point;
use super::tasks::Failure;
use std::num::NonZero;

/// What is maximised.
pub trait Objective: Sync {
    /// The validation metric at a point.
    ///
    /// # Errors
    /// If the run failed, was stopped, or is not there and must not be made.
    fn validation(&self, point: &Point) -> Result<f64, Failure>;
}

/// One axis: a key and its values.
pub type Candidates = (String, Vec<toml::Value>);

/// A point that was tried.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Where.
    pub point: Point,
    /// Its validation metric, or why there is none.
    pub result: Result<f64, Failure>,
}

/// The outcome of a search.
#[derive(Clone, Debug)]
pub struct Found {
    /// The best point; the first of several.
    pub point: Point,
    /// Its validation metric; `None` where there was nothing to choose from.
    pub value: Option<f64>,
    /// Everything tried, in order.
    pub tried: Vec<Tried>,
}

/// Searches for the point of the largest validation metric, the first of equals, with `jobs` points at a time.
///
/// *Coordinate*: the axes in order; each time every value of the axis, with the best values of the axes before and
/// the first values of those behind. *Grid*: every combination. Points whose run failed are passed over.
///
/// # Errors
/// If it was stopped, a run is missing, or every point failed.
pub fn search(
    how: How,
    axes: &[Candidates],
    objective: &dyn Objective,
    jobs: NonZero<usize>,
) -> Result<Found, Failure> {
    let first: Point = axes.iter().map(|(key, values)| (key.clone(), values[0].clone())).collect();
    let mut found = Found { point: first, value: None, tried: Vec::new() };
    match how {
        How::Grid => improve(&mut found, combinations(axes), objective, jobs)?,
        How::Coordinate => {
            for (k, (_, values)) in axes.iter().enumerate() {
                let points = line(&found.point, k, values);
                improve(&mut found, points, objective, jobs)?;
            }
        }
    }
    Ok(found)
}

/// The best point with every value of axis `k`.
fn line(best: &Point, k: usize, values: &[toml::Value]) -> Vec<Point> {
    let at = |value: &toml::Value| {
        let mut point = best.clone();
        point[k].1 = value.clone();
        point
    };
    values.iter().map(at).collect()
}

/// Every combination, the last axis changing fastest.
fn combinations(axes: &[Candidates]) -> Vec<Point> {
    let mut points = vec![Point::new()];
    if axes.is_empty() {
        return Vec::new();
    }
    for (key, values) in axes {
        let with = |point: &Point| -> Vec<Point> {
            values.iter().map(|v| [&point[..], &[(key.clone(), v.clone())]].concat()).collect()
        };
        points = points.iter().flat_map(with).collect();
    }
    points
}

fn improve(
    found: &mut Found,
    points: Vec<Point>,
    objective: &dyn Objective,
    jobs: NonZero<usize>,
) -> Result<(), Failure> {
    let new: Vec<Point> =
        points.into_iter().filter(|p| !found.tried.iter().any(|tried| tried.point == *p)).collect();
    let results = side_by_side(jobs, &new, |point| objective.validation(point));
    for (point, result) in new.into_iter().zip(results) {
        if let Ok(value) = result
            && found.value.is_none_or(|best| value > best)
        {
            (found.value, found.point) = (Some(value), point.clone());
        }
        if let Err(failure @ (Failure::Stopped | Failure::NotRun)) = result {
            return Err(failure);
        }
        found.tried.push(Tried { point, result });
    }
    match (found.value, found.tried.first()) {
        (None, Some(Tried { result: Err(failure), .. })) => {
            Err(Failure::Failed(format!("every point of the search failed; the first: {failure}")))
        }
        _ => Ok(()),
    }
}

/// Results in the order of the items, at most `jobs` at a time.
pub fn side_by_side<T: Sync, R: Send>(
    jobs: NonZero<usize>,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let worker = || {
            let mut mine = Vec::new();
            loop {
                let k = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(item) = items.get(k) else { return mine };
                mine.push((k, work(item)));
            }
        };
        let threads: Vec<_> = (0..jobs.get().min(items.len())).map(|_| scope.spawn(worker)).collect();
        let joined = threads.into_iter().map(|t| t.join());
        joined.flat_map(|r| r.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    results.sort_by_key(|(k, _)| *k);
    results.into_iter().map(|(_, r)| r).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A function of two settings, and where it was asked.
    struct Known(fn(f64, f64) -> Option<f64>, Mutex<Vec<(f64, f64)>>);

    impl Objective for Known {
        fn validation(&self, point: &Point) -> Result<f64, Failure> {
            let [x, y] = [0, 1].map(|k| point[k].1.as_float().unwrap());
            self.1.lock().unwrap().push((x, y));
            (self.0)(x, y).ok_or_else(|| Failure::Failed(format!("broke at {x}, {y}")))
        }
    }

    fn axes() -> Vec<Candidates> {
        let floats = |v: &[f64]| v.iter().map(|&v| toml::Value::Float(v)).collect();
        vec![("x".into(), floats(&[0.0, 1.0, 2.0])), ("y".into(), floats(&[0.0, 1.0, 2.0]))]
    }

    fn run(how: How, f: fn(f64, f64) -> Option<f64>) -> (Result<Found, Failure>, Vec<(f64, f64)>) {
        let known = Known(f, Mutex::default());
        let found = search(how, &axes(), &known, NonZero::new(3).unwrap());
        (found, known.1.into_inner().unwrap())
    }

    fn best(found: &Found) -> (f64, f64) {
        (found.point[0].1.as_float().unwrap(), found.point[1].1.as_float().unwrap())
    }

    #[test]
    fn coordinates_are_searched_one_after_another_and_no_point_twice() {
        let (found, asked) = run(How::Coordinate, |x, y| Some(-(x - 1.0).abs() - (y - 2.0).abs()));
        let found = found.unwrap();
        assert_eq!((best(&found), found.value), ((1.0, 2.0), Some(0.0)));
        assert_eq!(asked.len(), 5);
        assert_eq!(found.tried.len(), 5);
    }

    #[test]
    fn a_grid_sees_what_coordinates_miss() {
        let valley = |x: f64, y: f64| Some(if (x, y) == (2.0, 2.0) { 9.0 } else { -x - y });
        assert_eq!(best(&run(How::Coordinate, valley).0.unwrap()), (0.0, 0.0));
        let (found, asked) = run(How::Grid, valley);
        assert_eq!((best(&found.unwrap()), asked.len()), ((2.0, 2.0), 9));
    }

    #[test]
    fn the_first_of_equals_wins_and_failures_are_passed_over() {
        assert_eq!(best(&run(How::Grid, |_, _| Some(0.5)).0.unwrap()), (0.0, 0.0));
        let (found, _) = run(How::Grid, |x, y| (x > 0.0).then_some(y));
        assert_eq!(best(&found.unwrap()), (1.0, 2.0));
        let error = run(How::Coordinate, |_, _| None).0.unwrap_err();
        assert_eq!(error.to_string(), "every point of the search failed; the first: broke at 0, 0");
    }

    #[test]
    fn nothing_to_search_is_an_empty_point() {
        for how in [How::Grid, How::Coordinate] {
            let known = Known(|_, _| None, Mutex::default());
            let found = search(how, &[], &known, NonZero::<usize>::MIN).unwrap();
            assert!(found.point.is_empty() && found.value.is_none());
        }
    }
}
