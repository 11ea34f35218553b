//! Comma-separated values (RFC 4180): one line per number, so that any program can pivot them.

use super::super::compare::{Difference, deviation, mean};
use super::super::results::{CellRow, DataBlock};
use super::super::settings::words;
use super::pages::Figure;
use crate::csv_line::csv_line;

fn header(names: &str) -> String {
    names.replace(' ', ",") + "\n"
}

/// A number with every digit; empty where there is none.
fn number(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or_else(String::new, |v| v.to_string())
}

fn place(row: &CellRow) -> Vec<String> {
    let cell = &row.settled.cell;
    vec![cell.dataset.clone(), cell.backbone.clone(), cell.method.clone()]
}

/// Means over seeds, published numbers, changes and tests.
pub(super) fn means(blocks: &[DataBlock], differences: &[Vec<Vec<Difference>>], table: &str) -> String {
    let mut text = header(
        "table dataset backbone method quantity mean deviation seeds published likely change change_low change_high published_change p_users p_seeds problem",
    );
    for (block, differences) in blocks.iter().zip(differences) {
        for (row, differences) in block.rows.iter().zip(differences) {
            for (c, (column, d)) in block.columns.iter().zip(differences).enumerate() {
                let values: Vec<f64> = row.measured.values().map(|m| m.values[c]).collect();
                let published = row.published[c];
                let mut fields = vec![table.to_owned()];
                fields.extend(place(row));
                fields.push(column.title.clone());
                fields.extend([
                    number(Some(mean(&values))),
                    number(deviation(&values)),
                    values.len().to_string(),
                ]);
                fields
                    .extend([number(published.map(|p| p.printed)), number(published.and_then(|p| p.likely))]);
                let [low, high] = d.interval.map_or([None; 2], |ends| ends.map(Some));
                fields.extend([d.change, low, high, d.published, d.users, d.seeds].map(number));
                let problems: Vec<String> = row.problems.iter().map(ToString::to_string).collect();
                fields.push(problems.join("; "));
                text += &csv_line(&fields);
            }
        }
    }
    text
}

/// Every seed's test metrics.
pub(super) fn runs(blocks: &[DataBlock]) -> String {
    let mut text = header("dataset backbone method seed quantity value");
    for block in blocks {
        for row in &block.rows {
            for (seed, measured) in &row.measured {
                for (column, value) in block.columns.iter().zip(&measured.values) {
                    let fields = [vec![seed.to_string(), column.title.clone(), number(Some(*value))]];
                    text += &csv_line(&[place(row), fields.concat()].concat());
                }
            }
        }
    }
    text
}

/// What a table shows below its metrics: channels of each model, groups of items and users, weights chosen after training.
pub(super) fn parts(blocks: &[DataBlock]) -> String {
    let mut text = header("dataset backbone method seed of part value");
    for row in blocks.iter().flat_map(|b| &b.rows) {
        for (seed, measured) in &row.measured {
            let all = [
                ("channels", &measured.channels),
                ("groups", &measured.groups),
                ("calibrated", &measured.calibrated),
            ];
            for (of, parts) in all {
                for (part, value) in parts {
                    let fields = [seed.to_string(), of.to_owned(), part.clone(), number(Some(*value))];
                    text += &csv_line(&[place(row), fields.to_vec()].concat());
                }
            }
        }
    }
    text
}

/// What each seed cost, and the settings it ran with.
pub(super) fn costs(blocks: &[DataBlock]) -> String {
    let mut text = header("dataset backbone method seed epochs seconds_per_epoch peak_memory_bytes settings");
    for row in blocks.iter().flat_map(|b| &b.rows) {
        let settings = row.settled.chosen.as_ref().map_or_else(|_| String::new(), |c| words(&c.point()));
        for (seed, measured) in &row.measured {
            let cost = measured.cost;
            let mut fields = place(row);
            fields.push(seed.to_string());
            fields.extend([Some(cost.epochs), Some(cost.seconds), cost.memory].map(number));
            fields.push(settings.clone());
            text += &csv_line(&fields);
        }
    }
    text
}

/// The points of every curve.
pub(super) fn curves(figures: &[Figure]) -> String {
    let mut text = header("figure seed curve epoch validation");
    for figure in figures {
        for curve in &figure.curves {
            for (epoch, value) in &curve.points {
                let fields = [figure.title.clone(), figure.seed.to_string(), curve.label.clone()];
                text += &csv_line(&[fields.to_vec(), vec![epoch.to_string(), number(Some(*value))]].concat());
            }
        }
    }
    text
}
