//! All reviews as numbers: read, repeats merged, users and items with few of them left out.

use std::collections::HashSet;
use std::path::Path;

use equipoise_data::{DataError, LineFault, Lines};
use serde::Serialize;

use super::config::{AmazonConfig, BadLines};
use super::ids::Ids;
use super::review::{self, Columns, Release, Review};
use super::skipped::{Skipped, said_of};

/// One review: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) user: u32,
    pub(crate) item: u32,
    /// Seconds (2014, 2018) or milliseconds (2023); 0 where the review has no time.
    pub(crate) time: i64,
}

/// Reviews in the order of the file, and the ids that stand for their users and items.
pub(crate) struct Pool {
    pub(crate) users: Ids,
    pub(crate) items: Ids,
    pub(crate) rows: Vec<Row>,
}

/// What became of the lines of the reviews file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReviewCounts {
    /// Release that the lines are of.
    pub release: Option<Release>,
    /// Lines, a header left out.
    pub lines: u64,
    /// Blank lines.
    pub blank: u64,
    /// Lines left out because they could not be understood (`bad_lines = "skip"`).
    pub skipped: u64,
    /// Reviews of a user and item that had one before: the first is kept.
    pub repeated: usize,
    /// Users, items and reviews without repeats.
    pub found: Size,
    /// Reviews without a time.
    pub undated: u64,
    /// Users, items and reviews left out because users or items had too few (`core`).
    pub outside_core: Size,
}

/// How many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Users.
    pub users: usize,
    /// Items.
    pub items: usize,
    /// Reviews.
    pub reviews: usize,
}

impl Pool {
    /// Number of users, items and reviews.
    pub(crate) fn size(&self) -> Size {
        Size { users: self.users.len(), items: self.items.len(), reviews: self.rows.len() }
    }

    /// Reads every review.
    pub(crate) fn read(
        config: &AmazonConfig,
        counts: &mut ReviewCounts,
        skipped: &mut Skipped,
    ) -> Result<Pool, DataError> {
        let mut lines = Lines::open_objects(&config.reviews, None)?;
        let mut pool = Pool { users: Ids::default(), items: Ids::default(), rows: Vec::new() };
        let mut columns = None;
        let mut first_undated = None;
        while lines.advance()? {
            if lines.is_blank() {
                counts.lines += 1;
                counts.blank += 1;
                continue;
            }
            let read = match understood(&lines, &mut columns, counts) {
                Ok(None) => continue,
                Ok(Some(review)) => pool.add(review, counts, skipped),
                Err(fault) => Err(fault),
            };
            counts.lines += 1;
            match read {
                Ok(dated) if !dated => first_undated = first_undated.or(Some(lines.number())),
                Ok(_) => {}
                Err(fault) if config.bad_lines == BadLines::Skip && counts.release.is_some() => {
                    counts.skipped += 1;
                    skipped.line(lines.fault(fault));
                }
                Err(fault) => return Err(lines.fault(fault)),
            }
        }
        skipped.note(&config.reviews, &said(&lines, columns, counts));
        need_times(config, first_undated)?;
        pool.need_reviews(&config.reviews)?;
        Ok(pool)
    }

    /// Adds a review; whether it has a time.
    fn add(
        &mut self,
        review: Review,
        counts: &mut ReviewCounts,
        skipped: &mut Skipped,
    ) -> Result<bool, LineFault> {
        let release = *counts.release.get_or_insert(review.release);
        if !release.is_alike(review.release) {
            return Err(LineFault::whole(
                "a review of another release than the lines before; give one file of one release",
            ));
        }
        skipped.replaced += review.replaced;
        skipped.not_numbers += review.not_numbers;
        counts.undated += u64::from(review.time.is_none());
        let (user, item) = (self.users.intern(&review.user)?, self.items.intern(&review.item)?);
        self.rows.push(Row { user, item, time: review.time.unwrap_or(0) });
        Ok(review.time.is_some())
    }

    fn need_reviews(&self, file: &Path) -> Result<(), DataError> {
        if !self.rows.is_empty() {
            return Ok(());
        }
        let problem = "no review, expected one object per line; give a file of reviews".into();
        Err(DataError::Entry { file: file.to_owned(), place: "the whole file".into(), problem })
    }

    /// Keeps the first review of each user and item; returns how many were left out.
    pub(crate) fn merge(&mut self) -> usize {
        let before = self.rows.len();
        let mut seen: HashSet<(u32, u32)> = HashSet::with_capacity(before);
        self.rows.retain(|row| seen.insert((row.user, row.item)));
        before - self.rows.len()
    }

    /// Keeps the given rows and numbers users and items anew, by first appearance among them.
    pub(crate) fn keep(self, kept: &[bool]) -> Pool {
        let Pool { users: old_users, items: old_items, mut rows } = self;
        let (mut users, mut items) = (Renumber::new(old_users.len()), Renumber::new(old_items.len()));
        let mut kept = kept.iter();
        // In place: reviews are the largest thing held.
        rows.retain_mut(|row| {
            let keep = *kept.next().expect("one mark per row");
            if keep {
                (row.user, row.item) = (users.index(row.user), items.index(row.item));
            }
            keep
        });
        Pool { users: old_users.select(&users.kept), items: old_items.select(&items.kept), rows }
    }
}

/// What was found out about the file.
fn said(lines: &Lines, columns: Option<Columns>, counts: &ReviewCounts) -> Vec<String> {
    let release = counts.release.map(|release| {
        let from = match columns {
            Some(columns) => columns.said(),
            None => review::names(release).join(", "),
        };
        format!("reviews of the release of {} (user, item, time from {from})", release.year())
    });
    release.into_iter().chain(said_of(lines)).collect()
}

/// Reads the line as what the file holds; `None` for a header.
fn understood(
    lines: &Lines,
    columns: &mut Option<Columns>,
    counts: &ReviewCounts,
) -> Result<Option<Review>, LineFault> {
    let line = lines.text();
    if let Some(columns) = *columns {
        return review::row(line, columns).map(Some);
    }
    let braced = line.trim_ascii_start().starts_with(b"{");
    if braced || lines.is_array() || counts.release.is_some() {
        return review::object(line).map(Some);
    }
    let (found, header) = review::columns(line)?;
    *columns = Some(found);
    if header { Ok(None) } else { review::row(line, found).map(Some) }
}

fn need_times(config: &AmazonConfig, first_undated: Option<u64>) -> Result<(), DataError> {
    let (Some(line), true) = (first_undated, config.split.needs_times()) else {
        return Ok(());
    };
    let split = config.split.name();
    let problem = format!("a review without a time, which --split {split} needs; choose a split by chance");
    Err(DataError::Entry { file: config.reviews.clone(), place: format!("line {line}"), problem })
}

/// New indices by first appearance.
struct Renumber {
    new: Vec<u32>,
    /// Old indices in the new order.
    kept: Vec<u32>,
}

impl Renumber {
    fn new(count: usize) -> Renumber {
        Renumber { new: vec![u32::MAX; count], kept: Vec::new() }
    }

    fn index(&mut self, old: u32) -> u32 {
        let new = &mut self.new[old as usize];
        if *new == u32::MAX {
            *new = self.kept.len() as u32;
            self.kept.push(old);
        }
        *new
    }
}
