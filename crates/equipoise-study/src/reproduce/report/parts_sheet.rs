//! Tables of what models are made of and for whom they are good.

use super::super::paper::Paper;
use super::super::results::{CellRow, DataBlock, SeedResult};
use super::sheet::{Sheet, backbone, dash, dataset, mean_and_deviation, own};

/// Parts of a measured seed by label.
type Parts = fn(&SeedResult) -> &[(String, f64)];

/// The tables of a data set: its channels, its groups, calibrated models; none of what was not measured.
pub(super) fn sheets(paper: &Paper, block: &DataBlock) -> Vec<Sheet> {
    let main = block.columns.iter().find(|column| column.tested);
    let metric = main.map_or("", |column| column.metric.as_str());
    let titled = |what: &str| format!("{}: {metric} of {what}", dataset(paper, &block.dataset));
    let all: [(&str, Parts); 3] = [
        ("channels", |m| &m.channels),
        ("items by popularity, users by history", |m| &m.groups),
        ("models with weights of modalities that validation chose after training", |m| &m.calibrated),
    ];
    all.into_iter().filter_map(|(what, of)| sheet(paper, block, titled(what), of)).collect()
}

fn sheet(paper: &Paper, block: &DataBlock, title: String, of: Parts) -> Option<Sheet> {
    let mut labels: Vec<&str> = Vec::new();
    for (label, _) in block.rows.iter().flat_map(|row| row.measured.values()).flat_map(of) {
        if !labels.contains(&label.as_str()) {
            labels.push(label);
        }
    }
    let measured = |row: &&CellRow| row.measured.values().any(|m| !of(m).is_empty());
    let row = |row: &CellRow| {
        let cell = &row.settled.cell;
        let names = [backbone(paper, &cell.backbone), paper.method_title(&cell.method)].map(own);
        names.into_iter().chain(labels.iter().map(|label| own(value(row, label, of)))).collect()
    };
    let rows: Vec<Vec<_>> = block.rows.iter().filter(measured).map(row).collect();
    let header = ["backbone", "method"].into_iter().chain(labels.iter().copied()).map(own).collect();
    (!rows.is_empty()).then_some(Sheet { title, header, rows })
}

/// Mean ± standard deviation over the seeds that have the part.
fn value(row: &CellRow, label: &str, of: Parts) -> String {
    let found = |m: &SeedResult| of(m).iter().find(|(l, _)| l == label).map(|(_, value)| *value);
    let values: Vec<f64> = row.measured.values().filter_map(found).collect();
    if values.is_empty() { dash() } else { mean_and_deviation(&values) }
}
