//! Interactions by raw id, gathered row by row from tables.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::gathered::{GatheredSplit, SPLITS};
use super::moments::{Clock, Moment, is_absent};
use super::row_counts::RowCounts;
use super::table_options::TableOptions;
use crate::error::DataError;
use crate::faults::Faults;
use crate::quoted::quoted;
use crate::split::{Shares, SplitRule, Splitting};
use crate::text::TextRows;

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
    /// Ids with the blanks around them.
    pub(crate) user: &'a str,
    pub(crate) item: &'a str,
    /// Finite; `None` where there is no rating.
    pub(crate) rating: Option<f64>,
    pub(crate) time: Option<Moment>,
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
    clock: Clock,
    /// Rows merged with an equal one.
    merged: usize,
    /// Rows left out: below the threshold, without a rating where there is one.
    below: usize,
    left_unrated: usize,
    /// The lowest and the highest rating of the rows that are kept.
    ratings: Option<(f64, f64)>,
    /// Rows whose ids have blanks around them.
    padded: usize,
    /// Rows that say the header again.
    repeated_headers: usize,
    /// Rows kept without a rating, and without a time.
    unrated: usize,
    undated: usize,
    /// The first faulty rows, and the number of all.
    wrong: Vec<DataError>,
    wrong_rows: usize,
    /// What reading the files has to say.
    notes: Vec<String>,
    /// Whether a file could not be read, so that rows are missing.
    pub(crate) incomplete: bool,
}

impl Records {
    /// Takes a row in, or says what is wrong with it.
    pub(crate) fn push(&mut self, row: Row<'_>, options: &TableOptions) -> Result<(), String> {
        let row = self.without_blanks(row);
        if row.user.is_empty() || row.item.is_empty() {
            let which = if row.user.is_empty() { "user" } else { "item" };
            return Err(format!("the {which} id is empty; fill it in or remove the row"));
        }
        let rows = &mut self.rows;
        let finer =
            |factor| rows.iter_mut().filter_map(|row| row.time.as_mut()).for_each(|time| *time *= factor);
        // The time of a row that is left out counts too: whether a column is sound does not depend on the ratings.
        let time = row.time.map(|moment| self.clock.read(moment, finer)).transpose()?;
        match (options.min_rating, row.rating) {
            (Some(_), None) => self.left_unrated += 1,
            (Some(least), Some(rating)) if rating < least => self.below += 1,
            (Some(_), Some(_)) | (None, _) => self.keep(&row, time)?,
        }
        Ok(())
    }

    fn without_blanks<'a>(&mut self, row: Row<'a>) -> Row<'a> {
        let (user, item) = (row.user.trim(), row.item.trim());
        self.padded += usize::from((user.len(), item.len()) != (row.user.len(), row.item.len()));
        Row { user, item, ..row }
    }

    fn keep(&mut self, row: &Row<'_>, time: Option<i64>) -> Result<(), String> {
        let indices = self.users.index(row.user).zip(self.items.index(row.item));
        let (user, item) = indices.ok_or("more than 2^32 ids; divide the table")?;
        self.rows.try_reserve(1).map_err(|_| format!("{} rows do not fit in memory", self.rows.len()))?;
        self.unrated += usize::from(row.rating.is_none());
        self.undated += usize::from(time.is_none());
        if let Some(rating) = row.rating {
            let (low, high) = self.ratings.unwrap_or((rating, rating));
            self.ratings = Some((low.min(rating), high.max(rating)));
        }
        self.rows.push(Kept { user, item, time, split: row.split });
        Ok(())
    }

    /// Notes what the rows of a text had that was understood leniently, and counts the headers that it repeats.
    pub(crate) fn finish_text(&mut self, text: &TextRows) {
        self.repeated_headers += text.repeated_headers();
        self.notes.extend(text.notes());
    }

    /// What became of the rows so far. Rows that are equal and in one split are merged later, with the data set whole.
    pub(crate) fn counts(&self, options: &TableOptions) -> RowCounts {
        let mut counts =
            RowCounts { read: self.rows.len() + self.merged, merged: self.merged, ..RowCounts::default() };
        let below = options.min_rating.map(|least| format!("rated below {least}"));
        counts.leave_out(below.unwrap_or_default(), self.below);
        counts.leave_out("without a rating", self.left_unrated);
        counts.leave_out("faulty", self.wrong_rows);
        counts.leave_out("a repeated header", self.repeated_headers);
        counts
    }

    /// Notes a faulty row: the first ones in words, the others as a number.
    pub(crate) fn wrong(&mut self, file: &Path, place: String, problem: String) {
        self.wrong_rows += 1;
        if self.wrong.len() < Faults::LISTED {
            self.wrong.push(DataError::Entry { file: file.to_owned(), place, problem });
        }
    }

    /// Notes what was guessed, passed over or understood leniently.
    pub(crate) fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }

    /// Notes how the columns of a file are read, if there is anything to say.
    pub(crate) fn said(&mut self, file: &Path, said: &[String]) {
        if !said.is_empty() {
            self.note(format!("{}: {}.", file.display(), said.join("; ")));
        }
    }

    /// Notes a table without interactions, if nothing else is wrong with it.
    ///
    /// # Errors
    /// The fault, when loading.
    pub(crate) fn refuse_empty(
        &self,
        file: &Path,
        options: &TableOptions,
        faults: &mut Faults,
    ) -> Result<(), DataError> {
        if self.incomplete || !self.rows.is_empty() || self.wrong_rows > 0 {
            return Ok(());
        }
        let counts = self.counts(options);
        let found = if counts.read == 0 { "there is no row".into() } else { format!("rows {counts}") };
        let problem = format!("no interaction: {found}; give a table that has some");
        faults.add(DataError::Entry { file: file.to_owned(), place: "the whole table".into(), problem })
    }

    /// Hands over the faults, divides the rows where the table does not, and says what was merged or left out.
    pub(crate) fn finish(
        &mut self,
        file: &Path,
        options: &TableOptions,
        faults: &mut Faults,
        notes: &mut Vec<String>,
    ) -> Result<[Option<GatheredSplit>; 3], DataError> {
        notes.append(&mut self.notes);
        let listed = self.wrong.len();
        for fault in std::mem::take(&mut self.wrong) {
            faults.add(fault)?;
        }
        if self.wrong_rows > listed {
            let (origin, count) = (file.display().to_string(), self.wrong_rows - listed);
            faults.add(DataError::More { origin, count, kind: "malformed row" })?;
        }
        self.say_what_is_left_out(file, options, notes);
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

    fn say_what_is_left_out(&self, file: &Path, options: &TableOptions, notes: &mut Vec<String>) {
        let (file, kept) = (file.display(), self.rows.len());
        if let Some(least) = options.min_rating {
            let (below, unrated) = (self.below, self.left_unrated);
            if below > 0 {
                notes.push(format!("{file}: left {below} rows out, rated below {least}."));
            }
            if unrated > 0 {
                notes.push(format!("{file}: left {unrated} rows out, without a rating."));
            }
        } else if (1..kept).contains(&self.unrated) {
            notes.push(format!(
                "{file}: {} of {kept} rows are without a rating and are kept as positives.",
                self.unrated
            ));
        }
        if let (None, Some((low, high))) = (options.min_rating, self.ratings.filter(|(low, high)| low < high))
        {
            notes.push(format!(
                "{file}: every rating from {low} to {high} counts as an interaction; --min-rating leaves low ones out."
            ));
        }
        if self.padded > 0 {
            notes.push(format!(
                "{file}: ids of {} rows have blanks around them, which do not count.",
                self.padded
            ));
        }
        if (1..kept).contains(&self.undated) {
            let undated = self.undated;
            notes.push(format!(
                "{file}: {undated} of {kept} rows have no timestamp, so that none is kept with the data."
            ));
        }
        notes.extend(self.clock.notes().into_iter().map(|note| format!("{file}: {note}.")));
        for (ids, what) in [(&self.users, "user"), (&self.items, "item")] {
            let suspect = ids.ids().iter().filter(|id| is_absent(id));
            for id in suspect {
                notes.push(format!(
                    "{file}: {what} id {} is taken as it stands; remove its rows if it means none.",
                    quoted(id)
                ));
            }
        }
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
        self.merged += merged;
        if merged > 0 {
            notes.push(format!("{}: merged {merged} repeated interactions.", file().display()));
        }
        let dated: Vec<_> = self.rows.iter().map(|row| (row.user, row.time)).collect();
        if rule == SplitRule::LeaveOneOut && dated.iter().any(|d| d.1.is_none()) {
            let name = file();
            let undated = dated.iter().filter(|d| d.1.is_none()).count();
            let of = dated.len();
            notes.push(format!(
                "{}: {undated} of {of} rows without a timestamp count as older, in row order.",
                name.display()
            ));
        }
        if rule == SplitRule::LeaveOneOut {
            let (tied, users) = (self.tied(), self.users.ids().len());
            if tied > 0 {
                notes.push(format!(
                    "{}: {tied} of {users} users have items of one moment among their last; of these the later row \
                     counts as later.",
                    file().display()
                ));
            }
        }
        let labels = splitting.divide(&dated).ok_or_else(|| DataError::Undated { file: file() })?;
        self.rows.iter_mut().zip(labels).for_each(|(row, label)| row.split = Some(label));
        Ok(())
    }

    /// Users of whose last items, in order of time, moments do not say which are held out: those whose last three or
    /// two share one. The rows are in the order of their times.
    fn tied(&self) -> usize {
        let mut last = vec![(0, [None; 3]); self.users.ids().len()];
        for row in &self.rows {
            let (count, [_, second, third]) = last[row.user as usize];
            last[row.user as usize] = (count + 1, [second, third, row.time]);
        }
        let same = |a: Option<i64>, b: Option<i64>| a.is_some() && a == b;
        last.iter().filter(|(count, [a, b, c])| *count >= 3 && (same(*a, *b) || same(*b, *c))).count()
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

/// The split that a cell says.
///
/// # Errors
/// If it says none.
pub(crate) fn split_of(cell: &str) -> Result<u8, String> {
    let expected = "expected train, validation, test, or 0, 1, 2; correct it";
    split_named(cell).ok_or_else(|| format!("split {}, {expected}", quoted(cell)))
}

/// The rating that a cell says; `None` for an empty one, NaN and words for no value.
///
/// # Errors
/// If it is no number, or infinite.
pub(crate) fn rating(cell: &str) -> Result<Option<f64>, String> {
    let cell = cell.trim();
    if is_absent(cell) {
        return Ok(None);
    }
    let value = cell.parse().ok().filter(|value: &f64| value.is_finite());
    let expected =
        "expected a finite number; correct it, or leave the column aside with --rating-column \"\"";
    value.map(Some).ok_or_else(|| format!("rating {}, {expected}", quoted(cell)))
}
