//! Interactions by raw id, gathered row by row from tables.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::gathered::{GatheredSplit, SPLITS};
use super::table_options::TableOptions;
use crate::error::DataError;
use crate::faults::Faults;
use crate::split::{Shares, SplitRule, Splitting};

/// Raw ids in the order of their first appearance.
#[derive(Debug, Default)]
pub struct Interner {
    ids: Vec<String>,
    index: HashMap<String, u32>,
}

impl Interner {
    /// Starts with ids that are known to be in this order.
    pub fn of(ids: Vec<String>) -> Interner {
        let index = ids.iter().cloned().zip(0..).collect();
        Interner { ids, index }
    }

    /// The index of `raw`, a new one if it was never seen; `None` once there are 2^32.
    pub fn index(&mut self, raw: &str) -> Option<u32> {
        if let Some(&known) = self.index.get(raw) {
            return Some(known);
        }
        let index = u32::try_from(self.ids.len()).ok()?;
        self.ids.push(raw.to_owned());
        self.index.insert(raw.to_owned(), index);
        Some(index)
    }

    /// Raw ids by index.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }
}

/// One row of a table, as far as it is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row<'a> {
    pub(crate) user: &'a str,
    pub(crate) item: &'a str,
    pub(crate) rating: Option<f64>,
    pub(crate) time: Option<i64>,
    /// 0 train, 1 validation, 2 test.
    pub(crate) split: Option<u8>,
}

struct Kept {
    user: u32,
    item: u32,
    time: Option<i64>,
    split: Option<u8>,
}

/// What was read so far.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) users: Interner,
    pub(crate) items: Interner,
    rows: Vec<Kept>,
    /// Rows below the threshold.
    below: usize,
    wrong: Vec<DataError>,
    more_wrong: usize,
}

impl Records {
    /// Takes a row in, or says what is wrong with it.
    pub(crate) fn push(&mut self, row: Row<'_>, options: &TableOptions) -> Result<(), String> {
        if row.user.is_empty() || row.item.is_empty() {
            let which = if row.user.is_empty() { "user" } else { "item" };
            return Err(format!("the {which} id is empty; fill it in or remove the row"));
        }
        if let (Some(least), Some(rating)) = (options.min_rating, row.rating)
            && rating < least
        {
            self.below += 1;
            return Ok(());
        }
        let indices = self.users.index(row.user).zip(self.items.index(row.item));
        let (user, item) = indices.ok_or("more than 2^32 ids; divide the table")?;
        self.rows.push(Kept { user, item, time: row.time, split: row.split });
        Ok(())
    }

    /// Notes a faulty row: the first ones in words, the others as a number.
    pub(crate) fn wrong(&mut self, file: &Path, place: String, problem: String) {
        if self.wrong.len() < Faults::LISTED {
            self.wrong.push(DataError::Entry { file: file.to_owned(), place, problem })
        } else {
            self.more_wrong += 1
        }
    }

    /// Hands over the faults, divides the rows where the table does not, and says what was merged or left out.
    pub(crate) fn finish(
        &mut self,
        file: &Path,
        options: &TableOptions,
        faults: &mut Faults,
        notes: &mut Vec<String>,
    ) -> Result<[Option<GatheredSplit>; 3], DataError> {
        for fault in std::mem::take(&mut self.wrong) {
            faults.add(fault)?;
        }
        if self.more_wrong > 0 {
            let (origin, count) = (file.display().to_string(), self.more_wrong);
            faults.add(DataError::More { origin, count, kind: "malformed row" })?;
        }
        if let (Some(least), 1..) = (options.min_rating, self.below) {
            let rows = self.below;
            notes.push(format!("{}: left {rows} rows out, rated below {least}.", file.display()));
        }
        let unsplit = self.rows.iter().filter(|row| row.split.is_none()).count();
        let idle = [("split", options.split.is_some()), ("shares", options.shares != Shares::default())];
        let idle = idle.iter().find(|(_, given)| *given);
        if let (0, Some((field, _)), false) = (unsplit, idle, self.rows.is_empty()) {
            let expected =
                "nothing, since the rows say their split (unless --split-column \"\" leaves that aside)";
            faults.add(DataError::Setting { field, found: "set".into(), expected: expected.into() })?;
        }
        if unsplit > 0 && faults.keep(self.divide(file, options, notes))?.is_none() {
            return Ok([None, None, None]);
        }
        let files = SPLITS.map(|name| format!("{} ({name})", file.display()));
        Ok(self.splits(files))
    }

    /// Places every row by the rule asked for; repeated interactions are merged first, else one copy could land
    /// in train and the other in test.
    fn divide(
        &mut self,
        file: &Path,
        options: &TableOptions,
        notes: &mut Vec<String>,
    ) -> Result<(), DataError> {
        let file = || file.to_owned();
        let rule = options.split.ok_or_else(|| DataError::Unsplit { file: file() })?;
        let splitting = Splitting { rule, shares: options.shares, seed: options.seed };
        splitting.check()?;
        let before = self.rows.len();
        // The earliest of equal pairs is kept: when the two met.
        self.rows.sort_by_key(|row| row.time);
        let mut seen = HashSet::with_capacity(before);
        self.rows.retain(|row| seen.insert((row.user, row.item)));
        let merged = before - self.rows.len();
        if merged > 0 {
            notes.push(format!("{}: merged {merged} repeated interactions.", file().display()));
        }
        let dated: Vec<_> = self.rows.iter().map(|row| (row.user, row.time)).collect();
        if rule == SplitRule::LeaveOneOut && dated.iter().any(|d| d.1.is_none()) {
            let name = file();
            notes.push(format!("{}: rows without a timestamp count as older, in row order.", name.display()));
        }
        let labels = splitting.divide(&dated).ok_or_else(|| DataError::Undated { file: file() })?;
        self.rows.iter_mut().zip(labels).for_each(|(row, label)| row.split = Some(label));
        Ok(())
    }

    /// The rows by split; `origins` says where each came from.
    pub(crate) fn splits(&mut self, origins: [String; 3]) -> [Option<GatheredSplit>; 3] {
        let dated = self.rows.iter().all(|row| row.time.is_some());
        let mut number = 0;
        origins.map(|origin| {
            let rows = self.rows.iter().filter(|row| row.split == Some(number));
            let pairs = rows.clone().map(|row| (row.user, row.item)).collect();
            let times = if dated { rows.filter_map(|row| row.time).collect() } else { Vec::new() };
            number += 1;
            Some(GatheredSplit::new(origin, pairs, times))
        })
    }

    /// The raw ids with the file they are from, as a data set lists them.
    pub(crate) fn listed(self, file: &Path) -> [Option<(PathBuf, Vec<String>)>; 2] {
        [self.users, self.items].map(|side| Some((file.to_owned(), side.ids)))
    }
}

/// What a cell says of the split.
pub(crate) fn split_named(cell: &str) -> Option<u8> {
    match cell.trim().to_lowercase().as_str() {
        "0" | "0.0" | "train" | "training" => Some(0),
        "1" | "1.0" | "validation" | "valid" | "val" | "dev" => Some(1),
        "2" | "2.0" | "test" => Some(2),
        _ => None,
    }
}

/// A moment from its text: a whole number, or a float whose fraction of a second is cut off.
pub(crate) fn moment(cell: &str) -> Option<i64> {
    let cell = cell.trim();
    cell.parse().ok().or_else(|| cell.parse().ok().and_then(whole))
}

/// A float as whole number, cut off towards 0.
pub(crate) fn whole(value: f64) -> Option<i64> {
    (value.is_finite() && value.abs() < 9.2e18).then_some(value as i64)
}
