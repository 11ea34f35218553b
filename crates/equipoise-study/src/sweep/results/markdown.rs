//! The report as Markdown.

use super::{Results, settings};
use crate::search::{Record, short};
use std::fmt::Write;

/// Headline, facts, all trials with the best first, and what failed.
pub fn markdown(results: &Results) -> String {
    let mut text = format!("# Search `{}`\n\n{}\n\n", results.name, results.headline());
    let facts = [
        ("data set", results.dataset.clone()),
        ("backbone", results.backbone.clone()),
        ("balance", results.balance.clone()),
        ("method", format!("{}, seed {}", results.method.as_str(), results.seed)),
        ("evaluations", format!("{} of {}", results.records.len(), results.total)),
        ("failed", results.failed().count().to_string()),
    ];
    text += "| | |\n|---|---|\n";
    for (name, value) in facts {
        row(&mut text, &[name.to_owned(), value]);
    }
    text += "\nThe metric is measured on validation; a search sees no test data. ";
    text += "`best.toml` is the best configuration: `equipoise train --config best.toml`.\n";
    text += &trials(results);
    text += &failures(results);
    text
}

fn trials(results: &Results) -> String {
    let keys: Vec<String> = results.space.dimensions().iter().map(|(key, _)| format!("`{key}`")).collect();
    let budget = results.has_rungs().then(|| "budget".to_owned());
    let ends = |first: &str, last: [&str; 2]| -> Vec<String> {
        let last = last.map(str::to_owned);
        [first.to_owned()].into_iter().chain(budget.clone()).chain(keys.clone()).chain(last).collect()
    };
    let header = ends("trial", [&results.metric, "best epoch"]);
    let mut text = "\n## Trials\n\n".to_owned();
    row(&mut text, &header);
    text += &format!("|{}\n", "---|".repeat(header.len()));
    for (record, value) in results.ranked() {
        let p = &record.proposal;
        let mut cells = vec![p.number.to_string()];
        cells.extend(budget.as_ref().map(|_| p.budget.epochs.map_or("-".into(), |e| e.to_string())));
        cells.extend(p.point.settings().iter().map(|(_, v)| short(v)));
        cells.push(format!("{value:.5}"));
        cells.push(record.outcome.as_ref().map_or("-".into(), |m| m.best_epoch.to_string()));
        row(&mut text, &cells);
    }
    text
}

fn failures(results: &Results) -> String {
    let mut text = String::new();
    for (record, reason) in results.failed() {
        if text.is_empty() {
            text += "\n## Failed\n\n";
        }
        text += &item(record, reason);
    }
    text
}

fn item(record: &Record, reason: &str) -> String {
    let reason = reason.replace('\n', " ");
    format!("- trial {} ({}): {reason}\n", record.proposal.number, settings(&record.proposal.point))
}

fn row(text: &mut String, cells: &[String]) {
    // A bar within a cell would end it.
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    writeln!(text, "| {} |", cells.join(" | ")).expect("text grows");
}
