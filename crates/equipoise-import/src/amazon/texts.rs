//! The texts and categories of items, and what is shown of them, streamed from the metadata to files of the data set.
//!
//! ```text
//! texts.jsonl              {"id": "<raw item id>", "text": "..."}   one line for each item that has a text
//! 5-core/categories.json   {"<item>": ["widest", ..., "narrowest"], ...}
//! items.jsonl              {"id": "<raw item id>", "title": ..., "brand": ..., "price": ..., "picture": ..., "categories": [...]}
//! ```
//!
//! Lines come in the order of the metadata; texts are never held together.

use std::path::Path;

use equipoise_data::{DataError, ITEM_INFOS, LineFault, Lines};
use serde::Serialize;
use serde_json::json;

use super::config::{AmazonConfig, BadLines};
use super::ids::Ids;
use super::meta::{id, meta};
use super::review::Release;
use super::skipped::{Skipped, said_of};
use crate::item_table::line;
use crate::stream::Stream;

/// Name of the file of texts.
pub(crate) const TEXTS: &str = "texts.jsonl";

/// What became of the lines of the metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MetaCounts {
    /// Release that the first line about an item of the data set is of.
    pub release: Option<Release>,
    /// Lines.
    pub lines: u64,
    /// Blank lines.
    pub blank: u64,
    /// Lines left out because they could not be understood (`bad_lines = "skip"`).
    pub skipped: u64,
    /// Lines about items that are not in the data set.
    pub unknown: u64,
    /// Further lines about an item: the first is kept.
    pub repeated: u64,
    /// Items of the data set without metadata.
    pub items_without: usize,
    /// Items with metadata that hold no text.
    pub items_without_text: usize,
    /// Items with metadata that hold no category.
    pub items_without_category: usize,
    /// Texts in which entities of HTML were decoded.
    pub decoded_texts: u64,
    /// Prices that are no amount and were left out.
    pub odd_prices: u64,
}

/// Writes the texts and categories of the items; returns the counts.
///
/// # Errors
/// A line that cannot be understood, unless such lines are to be skipped; no item found; file system faults.
pub(crate) fn write(
    file: &Path,
    items: &Ids,
    dir: &Path,
    config: &AmazonConfig,
    skipped: &mut Skipped,
) -> Result<MetaCounts, DataError> {
    let mut lines = Lines::open_objects(file, None)?;
    let mut counts = MetaCounts::default();
    let mut out = Out::create(dir)?;
    let mut seen = vec![false; items.len()];
    while lines.advance()? {
        counts.lines += 1;
        if lines.is_blank() {
            counts.blank += 1;
            continue;
        }
        match item(lines.text(), items, &mut seen, &mut counts) {
            Ok(None) => {}
            Ok(Some(item)) => match meta(lines.text()) {
                Ok(found) => {
                    seen[item as usize] = true;
                    skipped.replaced += found.replaced;
                    skipped.not_numbers += found.not_numbers;
                    counts.release.get_or_insert(found.release);
                    out.write(item, &items.names()[item as usize], &found, config, &mut counts)?;
                }
                Err(fault) => skip(&lines, fault, config, &mut counts, skipped)?,
            },
            Err(fault) => skip(&lines, fault, config, &mut counts, skipped)?,
        }
    }
    out.finish()?;
    skipped.note(file, &said(&lines, &counts));
    counts.items_without = seen.iter().filter(|seen| !**seen).count();
    if counts.items_without == items.len() {
        let problem = "no item of the reviews; give the metadata of the same category".into();
        return Err(DataError::Entry { file: file.to_owned(), place: "the whole file".into(), problem });
    }
    Ok(counts)
}

/// What was found out about the file.
fn said(lines: &Lines, counts: &MetaCounts) -> Vec<String> {
    let release = counts.release.map(|release| {
        let ids = if release == Release::Amazon2023 { "parent_asin" } else { "asin" };
        let labels = if release == Release::Amazon2018 { "category" } else { "categories" };
        format!("metadata of the release of {}, items from {ids}, categories from {labels}", release.year())
    });
    release.into_iter().chain(said_of(lines)).collect()
}

/// The item that the line is about, if it is one of the data set and comes for the first time.
fn item(
    line: &[u8],
    items: &Ids,
    seen: &mut [bool],
    counts: &mut MetaCounts,
) -> Result<Option<u32>, LineFault> {
    let Some(item) = items.find(&id(line)?) else {
        counts.unknown += 1;
        return Ok(None);
    };
    if seen[item as usize] {
        counts.repeated += 1;
        return Ok(None);
    }
    Ok(Some(item))
}

fn skip(
    lines: &Lines,
    fault: LineFault,
    config: &AmazonConfig,
    counts: &mut MetaCounts,
    skipped: &mut Skipped,
) -> Result<(), DataError> {
    let fault = lines.fault(fault);
    if config.bad_lines == BadLines::Refuse {
        return Err(fault);
    }
    counts.skipped += 1;
    skipped.line(fault);
    Ok(())
}

/// The files under way.
struct Out {
    texts: Stream,
    infos: Stream,
    categories: Stream,
    any_category: bool,
}

impl Out {
    fn create(dir: &Path) -> Result<Out, DataError> {
        let texts = Stream::create(dir.join(TEXTS))?;
        let infos = Stream::create(dir.join(ITEM_INFOS))?;
        let mut categories = Stream::create(dir.join("5-core/categories.json"))?;
        categories.write(b"{")?;
        Ok(Out { texts, infos, categories, any_category: false })
    }

    fn write(
        &mut self,
        item: u32,
        raw: &str,
        meta: &super::meta::Meta,
        config: &AmazonConfig,
        counts: &mut MetaCounts,
    ) -> Result<(), DataError> {
        let (text, decoded) = meta.text(config.text);
        counts.decoded_texts += u64::from(decoded);
        if text.trim().is_empty() {
            counts.items_without_text += 1
        } else {
            self.texts.write(format!("{}\n", json!({ "id": raw, "text": text })).as_bytes())?
        }
        counts.odd_prices += u64::from(meta.has_odd_price());
        let shown = meta.shown();
        if !shown.is_empty() {
            self.infos.write(line(raw, shown).as_bytes())?;
        }
        let path = meta.category();
        if path.is_empty() {
            counts.items_without_category += 1;
            return Ok(());
        }
        let comma = if self.any_category { "," } else { "" };
        self.any_category = true;
        self.categories.write(format!("{comma}\n\"{item}\": {}", json!(path)).as_bytes())
    }

    fn finish(mut self) -> Result<(), DataError> {
        self.categories.write(b"\n}\n")?;
        self.categories.finish()?;
        self.infos.finish()?;
        self.texts.finish()
    }
}
