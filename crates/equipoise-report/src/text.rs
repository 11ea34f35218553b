//! The report for the terminal.

use std::fmt::Write;

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::audit::{Audit, ModalityAudit, finite};
use crate::fusion::{calibrated, weaker};
use crate::headline::headline;
use crate::quantities;
use crate::verdict::{ModalityVerdict, standard_error, verdicts};
use crate::words::{change, count, name, number, percent};

/// Prose is broken at this column; the widest table row with short names is as wide.
const WIDTH: usize = 96;

const MEASURED: [&str; 6] = ["modality", "channel", "teacher", "gap", "reached", "without"];

/// An aligned report for a terminal of 100 columns: the headline, the whole model and its
/// references, one row per modality, one sentence per modality. Values that are not known show as
/// `-`. Ends with a newline.
#[must_use]
pub fn text_report(audit: &Audit) -> String {
    let judged = verdicts(audit);
    let mut out = String::new();
    for block in [
        title(audit),
        wrap(&headline(audit), ""),
        references(audit),
        weights(audit),
        exhausted(audit),
        modality_table(audit, &judged),
        missing(audit),
        sentences(&judged),
    ] {
        if block.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&block);
    }
    out
}

fn title(audit: &Audit) -> String {
    format!(
        "Imbalance report of {}: {} on {}, balance {}, seed {}\n",
        name(&audit.run),
        name(&audit.backbone),
        name(&audit.dataset),
        name(&audit.balance),
        audit.seed
    )
}

/// The whole model and what it is held against, one line each.
fn references(audit: &Audit) -> String {
    let whole = finite(audit.whole);
    let error = standard_error(audit.whole, audit.evaluated_users);
    let mut out = format!(
        "{} on the {} split, {} users",
        name(&audit.metric),
        name(&audit.split),
        count(audit.evaluated_users)
    );
    if error.is_finite() {
        let _ = write!(out, ", standard error about {}", number(error));
    }
    out.push('\n');
    let mut rows = vec![vec!["whole model".to_string(), cell(whole), String::new()]];
    for (label, value) in [
        ("calibrated weights", audit.calibrated().and_then(|found| finite(found.value))),
        ("without balancing", audit.plain_whole()),
        ("without balancing, calibrated", audit.plain_calibrated()),
        ("IDs alone", audit.ids_only.and_then(finite)),
        ("model of IDs alone", audit.ids_model.and_then(finite)),
        ("popularity", audit.popularity.and_then(finite)),
    ] {
        if let Some(value) = value {
            let note = whole
                .filter(|_| value > 0.0)
                .map_or_else(String::new, |w| format!("whole model {}", change(value, w)));
            rows.push(vec![label.to_string(), cell(Some(value)), note]);
        }
    }
    out + &align(&rows, 2)
}

fn modality_table(audit: &Audit, judged: &[ModalityVerdict]) -> String {
    if judged.is_empty() {
        return String::new();
    }
    let names = quantities::of(&audit.balance);
    let balancing = [Some(names.weight), names.ratio, names.effect];
    let kept = balancing.each_ref().map(Option::is_some);
    let words = balancing.iter().flatten().map(|q| q.word);
    let columns: Vec<String> =
        MEASURED.into_iter().chain(words).chain(["verdict"]).map(String::from).collect();
    let last = columns.len() - 1;
    let mut rows = vec![columns];
    rows.extend(audit.modalities.iter().zip(judged).map(|(m, verdict)| row(m, verdict, kept)));
    align(&rows, last)
}

/// How the calibrated weights came about, unless the headline says so.
fn weights(audit: &Audit) -> String {
    match audit.calibrated() {
        Some(found) if weaker(audit).is_none() => wrap(&calibrated(audit, found), ""),
        _ => String::new(),
    }
}

/// Which metrics do not depend on the model.
fn exhausted(audit: &Audit) -> String {
    let text = audit.says_nothing().map(|text| wrap(&format!("These metrics say nothing. {text}."), ""));
    text.unwrap_or_default()
}

/// A line for each modality that some items lack.
fn missing(audit: &Audit) -> String {
    let mut out = String::new();
    for modality in &audit.modalities {
        let Some(missing) = &modality.missing else { continue };
        let value = |v: Option<f64>| v.and_then(finite).map_or_else(|| "not measured".into(), number);
        let text = format!(
            "{} is missing for {} of {} items; {} is {} over held-out items that have it and {} over those that lack it.",
            name(&modality.name),
            count(missing.items),
            count(audit.items),
            name(&missing.metric),
            value(missing.has),
            value(missing.lacks)
        );
        out.push_str(&wrap(&text, ""));
    }
    out
}

fn row(modality: &ModalityAudit, verdict: &ModalityVerdict, kept: [bool; 3]) -> Vec<String> {
    let measured = [
        name(&modality.name),
        cell(Some(modality.channel)),
        cell(modality.teacher),
        cell(verdict.gap),
        verdict.ratio.map_or_else(|| "-".into(), percent),
        cell(Some(modality.without)),
    ];
    let balancing = [modality.weight, modality.rho, modality.effect].into_iter().zip(kept);
    let balancing = balancing.filter(|(_, kept)| *kept).map(|(value, _)| cell(value));
    measured.into_iter().chain(balancing).chain([verdict.verdict.label().into()]).collect()
}

fn cell(value: Option<f64>) -> String {
    value.and_then(finite).map_or_else(|| "-".into(), number)
}

/// Columns two spaces apart: the first and those from `left_from` on to the left, numbers to the
/// right.
fn align(rows: &[Vec<String>], left_from: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|c| rows.iter().filter_map(|row| row.get(c)).map(|text| text.chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (c, text) in row.iter().enumerate() {
            let padding = " ".repeat(widths[c] - text.chars().count());
            let left = c == 0 || c >= left_from;
            let (before, after) = if left { ("", &*padding) } else { (&*padding, "") };
            let _ = write!(line, "  {before}{text}{after}");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn sentences(judged: &[ModalityVerdict]) -> String {
    judged.iter().map(|verdict| wrap(&verdict.sentence, "  ")).collect()
}

/// Breaks `text` at spaces; the first line starts with `- ` under an indent, if there is one.
fn wrap(text: &str, indent: &str) -> String {
    let first = if indent.is_empty() { String::new() } else { format!("{indent}- ") };
    let hanging = " ".repeat(first.len());
    let options = Options::new(WIDTH).initial_indent(&first).subsequent_indent(&hanging).break_words(false);
    let options = options.word_separator(WordSeparator::Custom(unbreakable));
    textwrap::fill(text, options.word_splitter(WordSplitter::NoHyphenation)) + "\n"
}

/// The words of `text`, where a command between backquotes is one word: it is there to be copied.
fn unbreakable(text: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut quoted = false;
    let ends = move |c| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    };
    Box::new(text.split_inclusive(ends).map(Word::from))
}
