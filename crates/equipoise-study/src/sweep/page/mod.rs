//! The page of a search: what is best, the metric against each setting, all settings at once, the trials.

use maud::{Markup, html};

use crate::search::{Record, short};
use crate::sweep::results::Results;
use crate::sweep::results::settings;
use equipoise_report::page::{document, section};
use equipoise_report::words::{count, name};

mod axis;
mod parallel;
mod scatter;

/// Rows of the table on the page; `trials.csv` has all.
const ROWS: usize = 25;

/// A complete HTML document: facts, charts as inline SVG, the best trials, failures, the best configuration.
///
/// It makes no request, follows the reader's light or dark preference, stacks on a phone and prints.
#[must_use]
pub fn sweep_page(results: &Results) -> String {
    document(&format!("Search: {}", name(&results.name)), "", &body(results))
}

fn body(results: &Results) -> Markup {
    let valued = results.ranked().len();
    html! {
        header {
            p.kicker { "Search" }
            h1 { (name(&results.name)) }
            p.headline { (name(&results.headline())) }
            (facts(results))
        }
        main {
            @if valued > 0 {
                (section("Each setting", &each_intro(results), scatter::panels(results)))
                (section("All settings together", TOGETHER, parallel::render(results)))
                (section("Best trials", "", trials(results)))
            }
            @if results.failed().next().is_some() { (section("Failed trials", "", failures(results))) }
            @if !results.best_toml.is_empty() {
                details {
                    summary { "Best configuration" }
                    pre tabindex="0" { code { (results.best_toml) } }
                }
            }
        }
        footer { "Equipoise " (name(&results.version)) }
    }
}

const TOGETHER: &str = "One line for each trial, through its value of every setting to the metric on the right. The best \
                        tenth is drawn in colour.";

fn each_intro(results: &Results) -> String {
    let metric = name(&results.metric);
    let rungs = if results.has_rungs() { " Grey points had a smaller budget." } else { "" };
    format!("Validation {metric} of every trial; the best is marked. A search sees no test data.{rungs}")
}

fn facts(results: &Results) -> Markup {
    let facts = [
        ("backbone", name(&results.backbone)),
        ("balance", name(&results.balance)),
        ("data set", name(&results.dataset)),
        ("method", results.method.as_str().to_owned()),
        ("seed of the search", results.seed.to_string()),
        ("measured", format!("{}, validation", name(&results.metric))),
        ("evaluations", format!("{} of {}", count(results.records.len()), count(results.total))),
        ("failed", count(results.failed().count())),
    ];
    html! {
        dl.facts { @for (term, value) in facts { div { dt { (term) } dd { (value) } } } }
    }
}

fn trials(results: &Results) -> Markup {
    let ranked = results.ranked();
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th scope="col" { "trial" }
                        @if results.has_rungs() { th.number scope="col" { "budget" } }
                        @for (key, _) in results.space.dimensions() { th.number scope="col" { (name(key)) } }
                        th.number scope="col" { (name(&results.metric)) }
                        th.number scope="col" { "best epoch" }
                    }
                }
                tbody { @for (record, value) in ranked.iter().take(ROWS) { (row(results, record, *value)) } }
            }
        }
        @if ranked.len() > ROWS {
            p.note { "The best " (ROWS) " of " (count(ranked.len())) "; trials.csv has all." }
        }
    }
}

fn row(results: &Results, record: &Record, value: f64) -> Markup {
    let budget = record.proposal.budget.epochs;
    html! {
        tr {
            th scope="row" { (record.proposal.number) }
            @if results.has_rungs() { td.number { @if let Some(epochs) = budget { (epochs) } } }
            @for (_, setting) in record.proposal.point.settings() { td.number { (name(&short(setting))) } }
            td.number { (format!("{value:.5}")) }
            td.number { @if let Ok(measured) = &record.outcome { (measured.best_epoch) } }
        }
    }
}

fn failures(results: &Results) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { th scope="col" { "trial" } th scope="col" { "settings" } th scope="col" { "why" } } }
                tbody {
                    @for (record, reason) in results.failed() {
                        tr {
                            th scope="row" { (record.proposal.number) }
                            td { (name(&settings(&record.proposal.point))) }
                            td { (name(reason)) }
                        }
                    }
                }
            }
        }
    }
}
