//! Differences from the reference method, over users and over seeds.

use super::results::{CellRow, DataBlock};
use equipoise_eval::{holm, paired_t};

/// A row's difference from the reference in one column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Difference {
    /// Relative change of the mean over seeds.
    pub change: Option<f64>,
    /// The same of the published numbers; absent where one is probably misprinted.
    pub published: Option<f64>,
    /// Two-sided p of the paired t test over users, each user's value being the mean over the shared seeds.
    pub users: Option<f64>,
    /// Two-sided p of the paired t test over the shared seeds, at least two.
    pub seeds: Option<f64>,
}

/// Differences of all rows, `[block][row][column]`. P-values are corrected after Holm, those over users and those
/// over seeds each as one family: all that the table shows.
pub fn differences(blocks: &[DataBlock], reference: &str) -> Vec<Vec<Vec<Difference>>> {
    let mut all: Vec<Vec<Vec<Difference>>> = blocks.iter().map(|b| block(b, reference)).collect();
    correct(&mut all, |d| &mut d.users);
    correct(&mut all, |d| &mut d.seeds);
    all
}

fn block(block: &DataBlock, reference: &str) -> Vec<Vec<Difference>> {
    let base = |row: &CellRow| {
        let same = |r: &&CellRow| {
            let (a, b) = (&r.settled.cell, &row.settled.cell);
            a.method == reference && a.backbone == b.backbone && b.method != reference
        };
        block.rows.iter().find(same)
    };
    let row = |row: &CellRow| {
        let column = |c: usize| base(row).map_or_else(Difference::default, |b| difference(b, row, c, block));
        (0..block.columns.len()).map(column).collect()
    };
    block.rows.iter().map(row).collect()
}

fn difference(base: &CellRow, row: &CellRow, column: usize, block: &DataBlock) -> Difference {
    let change = |from: f64, to: f64| Some(to / from - 1.0).filter(|v| v.is_finite());
    let sound = |row: &CellRow| row.published[column].filter(|p| p.likely.is_none()).map(|p| p.printed);
    let published = sound(base).zip(sound(row)).and_then(|(from, to)| change(from, to));
    let shared: Vec<u64> = base.measured.keys().filter(|s| row.measured.contains_key(s)).copied().collect();
    let values = |row: &CellRow| shared.iter().map(|s| row.measured[s].values[column]).collect::<Vec<f64>>();
    let (from, to) = (values(base), values(row));
    if shared.is_empty() || from.iter().chain(&to).any(|v| !v.is_finite()) {
        return Difference { published, ..Difference::default() };
    }
    let tested = block.columns[column].tested;
    Difference {
        change: change(mean(&from), mean(&to)),
        published,
        users: if tested { over_users(base, row, &shared, &block.columns[column].metric) } else { None },
        seeds: if tested { paired_t(&to, &from).ok().map(|t| t.p_value) } else { None },
    }
}

fn over_users(base: &CellRow, row: &CellRow, seeds: &[u64], metric: &str) -> Option<f64> {
    let averaged = |row: &CellRow| -> Option<(Vec<u32>, Vec<f64>)> {
        let mut users = Vec::new();
        let mut sums: Vec<f64> = Vec::new();
        for seed in seeds {
            let table = row.measured[seed].per_user.as_ref()?;
            let values = table.column(metric).ok()?;
            if sums.is_empty() {
                (users, sums) = (table.users.clone(), vec![0.0; values.len()]);
            }
            if table.users != users {
                return None;
            }
            sums.iter_mut().zip(values).for_each(|(sum, v)| *sum += v / seeds.len() as f64);
        }
        Some((users, sums))
    };
    let (from, to) = (averaged(base)?, averaged(row)?);
    if from.0 != to.0 {
        return None;
    }
    paired_t(&to.1, &from.1).ok().map(|t| t.p_value)
}

fn correct(all: &mut [Vec<Vec<Difference>>], field: fn(&mut Difference) -> &mut Option<f64>) {
    let mut places: Vec<&mut Option<f64>> = all.iter_mut().flatten().flatten().map(field).collect();
    places.retain(|p| p.is_some());
    let raw: Vec<f64> = places.iter().filter_map(|p| **p).collect();
    if let Ok(corrected) = holm(&raw) {
        for (place, p) in places.into_iter().zip(corrected) {
            *place = Some(p);
        }
    }
}

/// The arithmetic mean; not a number where there is none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample standard deviation; `None` below two values.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let m = mean(values);
    let sum: f64 = values.iter().map(|v| (v - m).powi(2)).sum();
    (values.len() > 1).then(|| (sum / (values.len() - 1) as f64).sqrt())
}
