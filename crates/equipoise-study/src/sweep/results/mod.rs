//! What a search found, in files for programs and for people. No time is among the results but in
//! `trials.csv` and `trials.jsonl`, so that the other files of equal searches are equal.

mod markdown;

pub use markdown::markdown;

use super::config::Method;
use super::plan::SweepPlan;
use crate::csv_line::csv_line;
use crate::search::{Point, Record, Space, best, short};
use serde_json::json;

/// Everything that the files show.
#[derive(Clone, Debug)]
pub struct Results {
    /// Name of the search's directory.
    pub name: String,
    /// The data set's name.
    pub dataset: String,
    /// The base configuration's backbone.
    pub backbone: String,
    /// The base configuration's balancer.
    pub balance: String,
    /// How points were chosen.
    pub method: Method,
    /// What was compared, on validation.
    pub metric: String,
    /// Seed of the proposals.
    pub seed: u64,
    /// Evaluations planned, at most.
    pub total: usize,
    /// Whether the search is over; otherwise it was stopped on the way.
    pub over: bool,
    /// What was searched.
    pub space: Space,
    /// All evaluations, by trial number and rung.
    pub records: Vec<Record>,
    /// The best trial's configuration; empty if none succeeded.
    pub best_toml: String,
    /// Version of the program.
    pub version: String,
}

impl Results {
    /// The best evaluation: see [`best`].
    pub fn best(&self) -> Option<&Record> {
        best(&self.records)
    }

    /// Evaluations without a value.
    pub fn failed(&self) -> impl Iterator<Item = (&Record, &str)> {
        self.records.iter().filter_map(|r| Some((r, r.outcome.as_ref().err()?.as_str())))
    }

    /// Evaluations with a value, the best first.
    pub fn ranked(&self) -> Vec<(&Record, f64)> {
        let mut ranked: Vec<(&Record, f64)> =
            self.records.iter().filter_map(|r| Some((r, r.value()?))).collect();
        ranked.sort_by(|(a, v), (b, w)| {
            b.proposal.rung.cmp(&a.proposal.rung).then(w.total_cmp(v)).then(a.place().cmp(&b.place()))
        });
        ranked
    }

    /// Whether there is more than one budget.
    pub fn has_rungs(&self) -> bool {
        self.method == Method::Halving
    }

    /// In a sentence, what was found.
    pub fn headline(&self) -> String {
        let Some((record, value)) = self.best().and_then(|r| Some((r, r.value()?))) else {
            return format!("None of {} trials succeeded.", self.records.len());
        };
        let how = if self.over {
            String::new()
        } else {
            format!(" so far, of {} of {}", self.records.len(), self.total)
        };
        format!(
            "Best{how}: trial {} with validation {} {value:.4}, at {}.",
            record.proposal.number,
            self.metric,
            settings(&record.proposal.point)
        )
    }
}

/// The settings for people: `train.lr 0.001, train.reg 0.1`.
pub(crate) fn settings(point: &Point) -> String {
    let each = point.settings().iter().map(|(key, value)| format!("{key} {}", short(value)));
    each.collect::<Vec<_>>().join(", ")
}

/// One line about the search, then one for each record.
pub(super) fn jsonl(plan: &SweepPlan, records: &[Record]) -> String {
    let head = json!({
        "event": "sweep", "version": 1, "method": plan.config().method.as_str(), "metric": plan.metric(),
        "seed": plan.seed(),
    });
    let line = |r: &Record| {
        let (p, m) = (&r.proposal, r.outcome.as_ref().ok());
        json!({
            "event": "trial", "trial": p.number, "rung": p.rung, "budget": p.budget.epochs, "point": p.point,
            "value": m.map(|m| m.value), "best_epoch": m.map(|m| m.best_epoch), "epochs": m.map(|m| m.epochs),
            "seconds": m.map(|m| m.seconds), "failure": r.outcome.as_ref().err(),
        })
    };
    std::iter::once(head).chain(records.iter().map(line)).map(|l| format!("{l}\n")).collect()
}

/// A row for each record: trial, rung, settings, metric, epochs, failure, seconds. Every digit is written.
pub fn csv(results: &Results) -> String {
    let keys = results.space.dimensions().iter().map(|(key, _)| key.as_str());
    let header = ["trial", "rung", "budget"].into_iter().chain(keys);
    let header = header.chain([results.metric.as_str(), "best_epoch", "epochs", "failure", "seconds"]);
    let header: Vec<String> = header.map(str::to_owned).collect();
    std::iter::once(header).chain(results.records.iter().map(row)).map(|cells| csv_line(&cells)).collect()
}

fn row(record: &Record) -> Vec<String> {
    let (p, m) = (&record.proposal, record.outcome.as_ref().ok());
    let known = |text: Option<String>| text.unwrap_or_default();
    let mut row =
        vec![p.number.to_string(), p.rung.to_string(), known(p.budget.epochs.map(|e| e.to_string()))];
    row.extend(p.point.settings().iter().map(|(_, value)| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }));
    row.extend([
        known(m.map(|m| m.value.to_string())),
        known(m.map(|m| m.best_epoch.to_string())),
        known(m.map(|m| m.epochs.to_string())),
        known(record.outcome.as_ref().err().cloned()),
        known(m.map(|m| format!("{:.3}", m.seconds))),
    ]);
    row
}

/// The best configuration with a remark on where it comes from.
pub(super) fn best_toml(results: &Results) -> String {
    format!(
        "# {}\n# Chosen on validation among {} evaluations.\n\n{}",
        results.headline(),
        results.records.len(),
        results.best_toml
    )
}
