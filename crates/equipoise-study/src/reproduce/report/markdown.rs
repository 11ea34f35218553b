//! The table in Markdown.

use super::pages::Pages;
use super::sheet::{Entry, Sheet};
use std::fmt::Write;

pub(super) fn markdown(pages: &Pages) -> String {
    let mut text = format!("# {}\n\nOf *{}*, repeated.\n", pages.title, pages.paper);
    list(&mut text, &pages.headline);
    for sheet in &pages.sheets {
        let _ = write!(text, "\n## {}\n\n{}", line(&sheet.title), table(sheet));
    }
    for figure in &pages.figures {
        let _ = write!(text, "\n## {}, seed {}\n\n", line(&figure.title), figure.seed);
        text += "| curve | best validation | epoch |\n|---|---|---|\n";
        for curve in &figure.curves {
            let best = curve.points.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
            let (epoch, value) =
                best.map_or(("–".into(), "–".into()), |(e, v)| (e.to_string(), format!("{v:.4}")));
            let _ = writeln!(text, "| {} | {value} | {epoch} |", line(&curve.label));
        }
    }
    section(&mut text, "What differs from the paper's set-up", &pages.notes.differences);
    section(&mut text, "How to read this", &pages.notes.reading);
    chosen(&mut text, pages);
    let problems: Vec<String> =
        pages.notes.problems.iter().map(|(cell, why)| format!("`{cell}`: {}", line(why))).collect();
    if !problems.is_empty() {
        section(&mut text, "What is missing", &problems);
    }
    text
}

fn chosen(text: &mut String, pages: &Pages) {
    if pages.notes.chosen.is_empty() {
        return;
    }
    let _ = write!(
        text,
        "\n## Chosen on validation\n\n| data | backbone | method | settings | validation {} |\n|---|---|---|---|---|\n",
        pages.metric
    );
    for row in &pages.notes.chosen {
        let row: Vec<String> = row.iter().map(|entry| line(entry)).collect();
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}

fn section(text: &mut String, title: &str, sentences: &[String]) {
    let _ = write!(text, "\n## {title}\n");
    list(text, sentences);
}

fn list(text: &mut String, sentences: &[String]) {
    if !sentences.is_empty() {
        text.push('\n');
    }
    for sentence in sentences {
        let _ = writeln!(text, "- {}", line(sentence));
    }
}

fn table(sheet: &Sheet) -> String {
    let row = |entries: &[Entry]| {
        let cells: Vec<String> = entries.iter().map(|e| line(&e.text)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule: Vec<&str> = (0..sheet.header.len()).map(|k| if k < 2 { "---" } else { "---:" }).collect();
    let mut text = row(&sheet.header) + &format!("|{}|\n", rule.join("|"));
    text.extend(sheet.rows.iter().map(|r| row(r)));
    text
}

/// One line that does not break a table.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|")
}
