//! A data set's table as text, the same for every page.

use super::super::cells::TEACHER;
use super::super::compare::{Difference, deviation, mean};
use super::super::missing::MissingResult;
use super::super::paper::{Paper, Published};
use super::super::plan::ReproductionPlan;
use super::super::results::{CellRow, DataBlock};
use equipoise_jobs::Fault;

/// One entry of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// As shown.
    pub text: String,
    /// Whether it is the paper's.
    pub published: bool,
}

/// A data set's table.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The data set, in print.
    pub title: String,
    /// Headings: backbone and method first.
    pub header: Vec<Entry>,
    /// Rows.
    pub rows: Vec<Vec<Entry>>,
}

pub(super) fn own(text: impl Into<String>) -> Entry {
    Entry { text: text.into(), published: false }
}

fn theirs(text: impl Into<String>) -> Entry {
    Entry { text: text.into(), published: true }
}

/// The name in print of a backbone.
pub(super) fn backbone(paper: &Paper, name: &str) -> String {
    paper.backbones.get(name).map_or_else(|| name.to_owned(), |b| b.title.clone())
}

/// The name in print of a data set.
pub(super) fn dataset(paper: &Paper, name: &str) -> String {
    paper.datasets.get(name).map_or_else(|| name.to_owned(), |d| d.title.clone())
}

/// What a column's entries need.
struct Shape {
    column: usize,
    published: bool,
    tested: bool,
    users: bool,
}

pub(super) fn sheet(
    paper: &Paper,
    plan: &ReproductionPlan,
    block: &DataBlock,
    differences: &[Vec<Difference>],
) -> Sheet {
    let shapes: Vec<Shape> = (0..block.columns.len())
        .map(|c| Shape {
            column: c,
            published: block.rows.iter().any(|r| r.published[c].is_some()),
            tested: block.columns[c].tested && block.rows.len() > 1,
            users: differences.iter().any(|row| row[c].users.is_some()),
        })
        .collect();
    let mut header = vec![own("backbone"), own("method")];
    header.extend(shapes.iter().flat_map(|s| headings(s, &block.columns[s.column].title)));
    header.extend(["seeds", "epochs", "s/epoch", "MiB"].map(own));
    let row = |(row, differences): (&CellRow, &Vec<Difference>)| {
        let cell = &row.settled.cell;
        let mut entries = vec![own(backbone(paper, &cell.backbone)), own(paper.method_title(&cell.method))];
        entries.extend(shapes.iter().flat_map(|s| values(s, row, &differences[s.column])));
        entries.extend(costs(row, plan.seeds));
        entries
    };
    let rows = block.rows.iter().zip(differences).map(row).collect();
    Sheet { title: dataset(paper, &block.dataset), header, rows }
}

fn headings(shape: &Shape, title: &str) -> Vec<Entry> {
    let mut list = vec![own(title)];
    if shape.published {
        list.push(theirs("paper"));
    }
    if shape.tested {
        list.push(own("change"));
        if shape.users {
            list.push(own("95 %"));
        }
        if shape.published {
            list.push(theirs("paper's"));
        }
        if shape.users {
            list.push(own("p users"));
        }
        list.push(own("p seeds"));
    }
    list
}

fn values(shape: &Shape, row: &CellRow, difference: &Difference) -> Vec<Entry> {
    let seeds: Vec<f64> = row.measured.values().map(|m| m.values[shape.column]).collect();
    let mut list = vec![own(spread(&seeds, row))];
    let change = |v: Option<f64>| v.map_or_else(dash, |v| format!("{:+.1} %", 100.0 * v));
    if shape.published {
        list.push(theirs(row.published[shape.column].map_or_else(dash, printed)));
    }
    if shape.tested {
        list.push(own(change(difference.change)));
        if shape.users {
            list.push(own(difference.interval.map_or_else(dash, interval)));
        }
        if shape.published {
            list.push(theirs(change(difference.published)));
        }
        if shape.users {
            list.push(own(difference.users.map_or_else(dash, p_value)));
        }
        list.push(own(difference.seeds.map_or_else(dash, p_value)));
    }
    list
}

/// From and to, in per cent.
fn interval([low, high]: [f64; 2]) -> String {
    format!("{:+.1} to {:+.1}", 100.0 * low, 100.0 * high)
}

fn costs(row: &CellRow, seeds: u64) -> Vec<Entry> {
    let of = |what: fn(&super::super::results::RunCost) -> Option<f64>| {
        let values: Vec<f64> = row.measured.values().filter_map(|m| what(&m.cost)).collect();
        (!values.is_empty()).then(|| mean(&values))
    };
    vec![
        own(format!("{}/{seeds}", row.measured.len())),
        own(of(|c| Some(c.epochs)).map_or_else(dash, |v| format!("{v:.0}"))),
        own(of(|c| Some(c.seconds)).map_or_else(dash, |v| format!("{v:.2}"))),
        own(of(|c| c.memory).map_or_else(dash, |v| format!("{:.0}", v / (1 << 20) as f64))),
    ]
}

pub(super) fn dash() -> String {
    "–".into()
}

/// Mean ± standard deviation over seeds, or why there is none.
fn spread(values: &[f64], row: &CellRow) -> String {
    if values.is_empty() { missing(row).into() } else { mean_and_deviation(values) }
}

/// Mean ± standard deviation; a dash if the mean is no number.
pub(super) fn mean_and_deviation(values: &[f64]) -> String {
    let m = mean(values);
    if !m.is_finite() {
        return dash();
    }
    match deviation(values).filter(|_| values.iter().any(|&value| value != 0.0)) {
        Some(deviation) => format!("{} ± {}", number(m), decimals(deviation, digits(m))),
        None => number(m),
    }
}

/// Why a row has no numbers, in a word or two.
fn missing(row: &CellRow) -> &'static str {
    let is = |kind: fn(&MissingResult) -> bool| row.problems.iter().any(|p| kind(&p.failure));
    let stopped = |missing: &MissingResult| matches!(missing, MissingResult::Fault(Fault::Interrupted));
    if row.problems.iter().any(|p| matches!(p.failure, MissingResult::Fault(_)) && !stopped(&p.failure)) {
        "failed"
    } else if is(|missing| matches!(missing, MissingResult::Unsupported(_))) {
        "unsupported"
    } else {
        "not run"
    }
}

fn digits(value: f64) -> usize {
    if value.abs() < 0.01 { 5 } else { 4 }
}

fn decimals(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

/// A metric: four decimals, five below 0.01; what is nothing at all is 0.
fn number(value: f64) -> String {
    if value == 0.0 { "0".into() } else { decimals(value, digits(value)) }
}

fn printed(published: Published) -> String {
    match published.likely {
        Some(likely) => format!("{} ({}?)", published.printed, likely),
        None => format!("{:.4}", published.printed),
    }
}

fn p_value(p: f64) -> String {
    if p < 1e-4 { "< 0.0001".into() } else { format!("{p:.4}") }
}

/// What the table says, a sentence per method: how often it is better than the reference in the tested columns.
pub(super) fn headline(
    paper: &Paper,
    plan: &ReproductionPlan,
    blocks: &[DataBlock],
    differences: &[Vec<Vec<Difference>>],
) -> Vec<String> {
    let mut methods: Vec<&str> = Vec::new();
    for row in blocks.iter().flat_map(|b| &b.rows) {
        let method = row.settled.cell.method.as_str();
        if method != plan.table.reference && method != TEACHER && !methods.contains(&method) {
            methods.push(method);
        }
    }
    let against = paper.method_title(&plan.table.reference);
    methods
        .into_iter()
        .filter_map(|m| sentence(&paper.method_title(m), m, &against, blocks, differences))
        .collect()
}

/// The least and the largest change, of several.
fn extremes(known: &[&&Difference]) -> Option<[f64; 2]> {
    let changes = || known.iter().filter_map(|d| d.change);
    let found = [changes().reduce(f64::min)?, changes().reduce(f64::max)?];
    (known.len() > 1).then_some(found)
}

fn sentence(
    title: &str,
    method: &str,
    against: &str,
    blocks: &[DataBlock],
    differences: &[Vec<Vec<Difference>>],
) -> Option<String> {
    let rows =
        blocks.iter().zip(differences).flat_map(|(b, d)| b.rows.iter().zip(d).map(move |(r, d)| (b, r, d)));
    let of_method = rows.filter(|(_, row, _)| row.settled.cell.method == method);
    let tested: Vec<&Difference> = of_method
        .flat_map(|(b, _, d)| b.columns.iter().zip(d).filter(|(c, _)| c.tested).map(|(_, d)| d))
        .collect();
    let known: Vec<&&Difference> = tested.iter().filter(|d| d.change.is_some()).collect();
    if known.is_empty() {
        return None;
    }
    let better = known.iter().filter(|d| d.change > Some(0.0)).count();
    let beyond_chance = known.iter().filter(|d| d.seeds.is_some_and(|p| p < 0.05)).count();
    let published = tested.iter().filter(|d| d.published.is_some()).count();
    let published_better = tested.iter().filter(|d| d.published > Some(0.0)).count();
    let mut text = format!(
        "{title} is above {against} in {better} of {} comparisons; {beyond_chance} differ from it beyond chance over \
         seeds (p < 0.05 after Holm)",
        known.len()
    );
    if let Some([least, most]) = extremes(&known) {
        text += &format!("; changes from {:+.1} % to {:+.1} %", 100.0 * least, 100.0 * most);
    }
    if published > 0 {
        text += &format!("; in the paper it is above in {published_better} of {published}");
    }
    Some(text + ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_have_a_decimal_more_and_nothing_has_none() {
        assert_eq!(mean_and_deviation(&[0.25, 0.27]), "0.2600 ± 0.0141");
        assert_eq!(mean_and_deviation(&[0.005, 0.006]), "0.00550 ± 0.00071");
        assert_eq!(mean_and_deviation(&[0.0, 0.0]), "0");
        assert_eq!(mean_and_deviation(&[-0.01, 0.01]), "0 ± 0.01414");
        assert_eq!(mean_and_deviation(&[f64::NAN]), dash());
    }
}
