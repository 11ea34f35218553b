//! Trials whose value is a known function of the point.

use equipoise_study::search::strategy::Strategy;
use equipoise_study::search::{
    Dimension, Fault, Measured, Point, Record, Space, StopFlag, Trial, TrialBudget,
};
use std::sync::Mutex;

/// A function of a point as a trial.
pub struct Function<F>(pub F);

impl<F: Fn(&Point) -> Result<f64, Fault> + Sync> Trial for Function<F> {
    fn run(&self, point: &Point, budget: TrialBudget, stop: &StopFlag) -> Result<Measured, Fault> {
        if stop.is_raised() {
            return Err(Fault::Interrupted);
        }
        (self.0)(point).map(|value| measured(value, budget))
    }
}

pub fn measured(value: f64, budget: TrialBudget) -> Measured {
    let epochs = budget.epochs.unwrap_or(10);
    Measured { value, best_epoch: epochs, epochs, seconds: 0.25, complete: false }
}

/// Keeps what was tried, in the order in which it was begun.
#[derive(Default)]
pub struct Tried(pub Mutex<Vec<String>>);

impl Tried {
    pub fn note(&self, point: &Point) {
        self.0.lock().unwrap().push(point.to_string());
    }

    /// Adds a point, and raises the flag if it is number `last`, before another can be added.
    pub fn note_and_stop(&self, point: &Point, last: usize, stop: &StopFlag) {
        let mut tried = self.0.lock().unwrap();
        tried.push(point.to_string());
        if tried.len() == last {
            stop.raise();
        }
    }

    pub fn sorted(&self) -> Vec<String> {
        let mut tried = self.0.lock().unwrap().clone();
        tried.sort();
        tried
    }
}

/// A rate on a logarithmic axis, a whole number and a word.
pub fn mixed() -> Space {
    let word = Dimension::List(["a", "b", "c", "d"].map(Into::into).to_vec());
    Space::new(vec![
        ("rate".into(), Dimension::range(1e-5, 1.0).log()),
        ("layers".into(), Dimension::range(1.0, 12.0).whole()),
        ("word".into(), word),
    ])
    .unwrap()
}

/// Largest (0) at rate 1e-2, 9 layers and the word `c`.
pub fn hill(point: &Point) -> f64 {
    let rate = (point.number("rate").unwrap().log10() + 2.0) / 5.0;
    let layers = (point.number("layers").unwrap() - 9.0) / 12.0;
    let word = if point.get("word").unwrap().as_str() == Some("c") { 0.0 } else { 0.2 };
    -rate * rate - layers * layers - word
}

/// Runs a strategy to its end, one evaluation after another.
pub fn exhaust(strategy: &dyn Strategy, value: impl Fn(&Point) -> f64) -> Vec<Record> {
    let mut history: Vec<Record> = Vec::new();
    loop {
        let batch = strategy.next(&history);
        if batch.is_empty() {
            return history;
        }
        history.extend(batch.into_iter().map(|proposal| {
            let outcome = Ok(measured(value(&proposal.point), proposal.budget));
            Record { proposal, outcome }
        }));
    }
}

/// The largest value among records.
pub fn top(records: &[Record]) -> f64 {
    records.iter().filter_map(Record::value).fold(f64::NEG_INFINITY, f64::max)
}
