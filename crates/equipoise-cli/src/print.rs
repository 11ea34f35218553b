//! Results on stdout, talk on stderr.

use crate::failure::Failure;
use comfy_table::{Cell, CellAlignment, Table, presets::NOTHING};
use equipoise_eval::SAYS_NOTHING;
use equipoise_train::Metrics;
use serde::Serialize;
use std::io::Write;

/// Writes to stdout; a reader that went away (a closed pipe) is no failure.
pub fn out(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::failed(e)),
        _ => Ok(()),
    }
}

/// Says something on stderr; nobody listening is no failure, and no reason to stop working.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// One JSON document.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::failed)?;
    out(&format!("{text}\n"))
}

/// A table of numbers without lines: the first column to the left, the others to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    aligned(header, rows, CellAlignment::Right)
}

/// A table of words without lines: every column to the left.
pub fn words(header: &[&str], rows: &[Vec<String>]) -> String {
    aligned(header, rows, CellAlignment::Left)
}

fn aligned(header: &[&str], rows: &[Vec<String>], alignment: CellAlignment) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.iter().map(Cell::new));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(alignment);
    }
    let lines: Vec<String> = table.to_string().lines().map(|l| l.trim_end().to_owned()).collect();
    format!("{}\n", lines.join("\n"))
}

/// What must be said below metrics: which of them are the same for every model. Empty, or a line.
pub fn marks(says_nothing: Option<&str>) -> String {
    says_nothing.map_or(String::new(), |text| format!("{SAYS_NOTHING}: {text}\n"))
}

/// Metrics as a table: one row per metric, one column per cut-off.
pub fn metrics(metrics: &Metrics) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut ks: Vec<usize> = Vec::new();
    for (name, k) in metrics.keys().filter_map(|key| key.split_once('@')) {
        if !names.contains(&name) {
            names.push(name);
        }
        ks.extend(k.parse::<usize>().ok());
    }
    ks.sort_unstable();
    ks.dedup();
    let header: Vec<String> = ks.iter().map(|k| format!("@{k}")).collect();
    let header: Vec<&str> = [""].into_iter().chain(header.iter().map(String::as_str)).collect();
    let value =
        |name: &str, k: usize| metrics.get(&format!("{name}@{k}")).map_or("-".into(), |v| format!("{v:.4}"));
    let row =
        |name: &&str| [(*name).to_owned()].into_iter().chain(ks.iter().map(|&k| value(name, k))).collect();
    table(&header, &names.iter().map(row).collect::<Vec<Vec<String>>>())
}
