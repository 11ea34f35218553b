//! The numbers behind the charts.

use maud::{Markup, html};

use super::document::{breakless, colour};
use crate::audit::{Audit, ModalityAudit, finite};
use crate::quantities;
use crate::verdict::{ModalityVerdict, standard_error};
use crate::words::{count, name, number, percent};

/// One line of the modality table: what it is, a gloss, and its value for a modality.
type Quantity = (&'static str, &'static str, fn(&ModalityAudit, &ModalityVerdict) -> String);

const MEASURED: [Quantity; 8] = [
    ("verdict", "", |_, v| v.verdict.label().into()),
    ("channel", "the IDs and this modality alone", |m, _| shown(Some(m.channel))),
    ("teacher", "trained with this modality alone", |m, _| shown(m.teacher)),
    ("gap", "teacher − channel", |_, v| shown(v.gap)),
    ("reached", "channel / teacher", |_, v| v.ratio.map_or_else(absent, percent)),
    ("teacher’s IDs", "the teacher, its modality silenced", |m, _| shown(m.teacher_ids_only)),
    ("content", "its share of the teacher, at most", |_, v| v.content.map_or_else(absent, percent)),
    ("without", "the whole model, this one silenced", |m, _| shown(Some(m.without))),
];

/// A modality's value of a number of the balancer's.
type Value = fn(&ModalityAudit) -> Option<f64>;

/// A number of the balancer's: its sign, its name, and its value.
type Balancing = (&'static str, String, Value);

/// The balancer's numbers in the last epoch.
fn balancing(audit: &Audit) -> Vec<Balancing> {
    let names = quantities::of(&audit.balance);
    let all: [(_, Value); 3] =
        [(Some(names.weight), |m| m.weight), (names.ratio, |m| m.rho), (names.effect, |m| m.effect)];
    let row = |(quantity, value): (Option<quantities::Quantity>, _)| {
        quantity.map(|q| (q.symbol, format!("{}, last epoch", q.title.to_lowercase()), value))
    };
    all.into_iter().filter_map(row).collect()
}

/// Shown where some items are known to lack a modality.
const MISSING: [Quantity; 3] = [
    ("missing", "items that lack it", |m, _| {
        m.missing.as_ref().map_or_else(absent, |found| count(found.items))
    }),
    ("items with it", "recall over held-out items that have it", |m, _| {
        shown(m.missing.as_ref().and_then(|found| found.has))
    }),
    ("items without it", "recall over held-out items that lack it", |m, _| {
        shown(m.missing.as_ref().and_then(|found| found.lacks))
    }),
];

/// The lines of the modality table.
fn measured(audit: &Audit) -> Vec<Quantity> {
    let missing = audit.modalities.iter().any(|modality| modality.missing.is_some());
    MEASURED.into_iter().chain(MISSING.into_iter().filter(|_| missing)).collect()
}

fn absent() -> String {
    "–".into()
}

fn shown(value: Option<f64>) -> String {
    value.and_then(finite).map_or_else(absent, number)
}

/// Quantities down, modalities across: three modalities fit on a phone.
pub(super) fn modalities(audit: &Audit, judged: &[ModalityVerdict]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Numbers by modality" {
            table {
                thead {
                    tr {
                        th scope="col" { (name(&audit.metric)) }
                        @for (i, modality) in audit.modalities.iter().enumerate() {
                            th.number scope="col" { span class={ "dot " (colour(i)) } {} (name(&modality.name)) }
                        }
                    }
                }
                tbody {
                    @for (label, gloss, value) in measured(audit) {
                        tr {
                            (heading(label, gloss))
                            @for (modality, verdict) in audit.modalities.iter().zip(judged) {
                                td.number { (breakless(&value(modality, verdict))) }
                            }
                        }
                    }
                    @for (label, gloss, value) in balancing(audit) {
                        tr {
                            (heading(label, &gloss))
                            @for modality in &audit.modalities {
                                td.number { (breakless(&shown(value(modality)))) }
                            }
                        }
                    }
                    tr {
                        (heading("width", "features per item"))
                        @for modality in &audit.modalities { td.number { (count(modality.width)) } }
                    }
                }
            }
        }
    }
}

fn heading(label: &str, gloss: &str) -> Markup {
    html! { th scope="row" { (label) @if !gloss.is_empty() { small { (gloss) } } } }
}

/// All metrics of the whole model.
pub(super) fn metrics(audit: &Audit) -> Markup {
    html! {
        table.narrow {
            thead {
                tr {
                    th scope="col" { "metric" }
                    th.number scope="col" { "whole model, " (name(&audit.split)) }
                }
            }
            tbody {
                @for (metric, value) in &audit.metrics {
                    tr {
                        th scope="row" { (name(metric)) }
                        td.number { (shown(Some(*value))) }
                    }
                }
            }
        }
    }
}

/// What the run is and what it was measured on.
pub(super) fn facts(audit: &Audit) -> Markup {
    let facts = [
        ("backbone", name(&audit.backbone)),
        ("balance", name(&audit.balance)),
        ("data set", name(&audit.dataset)),
        ("seed", audit.seed.to_string()),
        ("measured", format!("{}, {}", name(&audit.metric), name(&audit.split))),
        ("users evaluated", format!("{} of {}", count(audit.evaluated_users), count(audit.users))),
        ("items", count(audit.items)),
        ("interactions", count(audit.interactions)),
    ];
    html! {
        dl.facts {
            @for (term, value) in facts { div { dt { (term) } dd { (value) } } }
        }
    }
}

/// The whole model and what it is held against, as large figures.
pub(super) fn figures(audit: &Audit) -> Markup {
    let whole = finite(audit.whole);
    let references = [
        ("calibrated weights", audit.calibrated().and_then(|found| finite(found.value))),
        ("without balancing", audit.plain_whole()),
        ("without balancing, calibrated", audit.plain_calibrated()),
        ("IDs alone", audit.ids_only.and_then(finite)),
        ("model of IDs alone", audit.ids_model.and_then(finite)),
        ("popularity", audit.popularity.and_then(finite)),
    ];
    let error = standard_error(audit.whole, audit.evaluated_users);
    html! {
        dl.figures {
            div.lead {
                dt { "whole model" }
                dd { (shown(whole)) @if error.is_finite() { small { "± " (number(error)) } } }
            }
            @for (label, value) in references {
                @if let Some(value) = value {
                    div { dt { (label) } dd { (number(value)) } }
                }
            }
        }
    }
}
