//! Differences from the reference method, over users and over seeds.

use super::results::{CellRow, DataBlock};
use equipoise_eval::{PerUser, holm, paired_t, two_way_interval};

/// A row's difference from the reference in one column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Difference {
    /// Relative change of the mean over seeds.
    pub change: Option<f64>,
    /// The middle 95 % of that change when users and seeds are drawn anew: [`two_way_interval`].
    pub interval: Option<[f64; 2]>,
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
    let metric = &block.columns[column].metric;
    let paired =
        if tested { by_user(base, &shared, metric).zip(by_user(row, &shared, metric)) } else { None };
    let paired = paired.filter(|((of_base, _), (of_row, _))| of_base == of_row);
    Difference {
        change: change(mean(&from), mean(&to)),
        interval: paired.as_ref().and_then(|((_, from), (_, to))| two_way_interval(from, to)),
        published,
        users: paired.as_ref().and_then(|((_, from), (_, to))| over_users(from, to)),
        seeds: if tested { paired_t(&to, &from).ok().map(|t| t.p_value) } else { None },
    }
}

/// The evaluated users, and their values in each of the seeds; `None` if a seed lacks them or has other users.
fn by_user<'r>(row: &'r CellRow, seeds: &[u64], metric: &str) -> Option<(&'r [u32], Vec<&'r [f64]>)> {
    let tables: Option<Vec<&PerUser>> =
        seeds.iter().map(|seed| row.measured[seed].per_user.as_ref()).collect();
    let tables = tables?;
    let users = &tables.first()?.users;
    let values: Option<Vec<&[f64]>> = tables.iter().map(|table| table.column(metric).ok()).collect();
    tables.iter().all(|table| table.users == *users).then_some((users.as_slice(), values?))
}

/// The p value over users, each with the mean of its values in all seeds.
fn over_users(from: &[&[f64]], to: &[&[f64]]) -> Option<f64> {
    let averaged = |values: &[&[f64]]| -> Vec<f64> {
        let mut sums = vec![0.0; values[0].len()];
        for of_seed in values {
            sums.iter_mut().zip(*of_seed).for_each(|(sum, v)| *sum += v / values.len() as f64);
        }
        sums
    };
    paired_t(&averaged(to), &averaged(from)).ok().map(|t| t.p_value)
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
