//! The page of a repeated table or figure.

use maud::{Markup, html};

use super::pages::{Figure, Pages};
use super::sheet::{Entry, Sheet};
use crate::reproduce::results::Curve;
use equipoise_report::page::{Line, Panel, breakless, colour, document, grid, points, prose, section};
use equipoise_report::words::{name, short_name};

/// Tables of many columns, and the paper's numbers set back.
const EXTRA: &str = ".wide table { font-size: .85rem; } .wide th, .wide td { padding: .35rem .9rem .35rem 0; white-space: nowrap; }
.published { color: var(--soft); } .wide tr.first td, .wide tr.first th { border-top: 1px solid var(--soft); }
.sentences { padding-left: 1.2rem; max-width: 48rem; } .sentences li { margin-top: .4rem; overflow-wrap: anywhere; }";

/// A complete HTML document; it makes no request.
pub(crate) fn reproduction(pages: &Pages) -> String {
    document(&name(&pages.title), EXTRA, &body(pages))
}

fn body(pages: &Pages) -> Markup {
    let notes = &pages.notes;
    html! {
        header {
            p.kicker { "Reproduction" }
            h1 { (pages.paper) }
            p.headline { (pages.title) }
            (sentences(&pages.headline))
        }
        main {
            @for figure in &pages.figures {
                (section(&figure.title, &figure_intro(figure, pages), grid(&panels(figure))))
            }
            @for sheet in &pages.sheets {
                (section(&sheet.title, &format!("Test split, {}.", pages.seeds()), table(sheet)))
            }
            @if !notes.problems.is_empty() {
                (section("What is missing", "", html! {
                    ul.sentences {
                        @for (cell, why) in &notes.problems { li { code { (cell) } ": " (prose(&name(why))) } }
                    }
                }))
            }
            (section("What differs from the paper’s set-up", "", sentences(&notes.differences)))
            (section("How to read this", "", sentences(&notes.reading)))
            @if !notes.chosen.is_empty() {
                (section("Chosen on validation", "", chosen(pages)))
            }
        }
        footer { "Equipoise " (env!("CARGO_PKG_VERSION")) }
    }
}

fn sentences(list: &[String]) -> Markup {
    html! { ul.sentences { @for sentence in list { li { (breakless(&name(sentence))) } } } }
}

fn table(sheet: &Sheet) -> Markup {
    let same = |a: &[Entry], b: &[Entry]| a[0] == b[0];
    html! {
        div.scroll.wide tabindex="0" role="region" aria-label={ "Results on " (sheet.title) } {
            table {
                thead { tr { @for (k, entry) in sheet.header.iter().enumerate() { (heading(entry, k)) } } }
                tbody {
                    @for (k, row) in sheet.rows.iter().enumerate() {
                        @let first = k > 0 && !same(row, &sheet.rows[k - 1]);
                        tr.first[first] { @for (k, entry) in row.iter().enumerate() { (cell(entry, k)) } }
                    }
                }
            }
        }
    }
}

fn heading(entry: &Entry, column: usize) -> Markup {
    html! { th.number[column > 1].published[entry.published] scope="col" { (entry.text) } }
}

fn cell(entry: &Entry, column: usize) -> Markup {
    html! { td.number[column > 1].published[entry.published] { (breakless(&name(&entry.text))) } }
}

fn chosen(pages: &Pages) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Settings chosen on validation" {
            table {
                thead {
                    tr {
                        @for title in ["data", "backbone", "method", "settings"] { th scope="col" { (title) } }
                        th.number scope="col" { "validation " (pages.metric) }
                    }
                }
                tbody {
                    @for row in &pages.notes.chosen {
                        tr { @for (k, text) in row.iter().enumerate() { td.number[k == 4] { (name(text)) } } }
                    }
                }
            }
        }
    }
}

fn figure_intro(figure: &Figure, pages: &Pages) -> String {
    format!(
        "Validation {} over epochs, seed {}: the multimodal model, each channel (the other modalities silenced) and each \
         uni-modal teacher, all on one scale.",
        pages.metric, figure.seed
    )
}

/// One panel per modality, the whole model in each, on one vertical axis.
pub(super) fn panels(figure: &Figure) -> Vec<Panel> {
    let reach: Vec<f64> = figure.curves.iter().flat_map(|c| c.points.iter().map(|p| p.1)).collect();
    let whole = figure.curves.iter().find(|c| c.modality.is_none());
    let channels = figure.curves.iter().filter(|c| c.modality.is_some() && !c.teacher);
    let panels: Vec<Panel> = channels
        .map(|channel| {
            let teacher = figure.curves.iter().find(|c| c.modality == channel.modality && c.teacher);
            let modality = channel.label.trim_end_matches(" channel");
            let shown = [(whole, "multimodal"), (Some(channel), "channel"), (teacher, "teacher")];
            Panel {
                title: short_name(modality, 40),
                summary: format!("The multimodal model, its {} channel and its teacher.", name(modality)),
                lines: shown.into_iter().filter_map(|(curve, label)| Some(line(curve?, label))).collect(),
                reach: reach.clone(),
            }
        })
        .collect();
    panels
}

fn line(curve: &Curve, label: &str) -> Line {
    let class = match curve.modality {
        None => "ink".into(),
        Some(m) if curve.teacher => format!("{} dashed", colour(m)),
        Some(m) => colour(m),
    };
    Line { label: label.into(), class, points: points(curve.points.iter().copied()) }
}
