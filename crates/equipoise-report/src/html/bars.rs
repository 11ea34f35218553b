//! The channels against their teachers: one bar each, with the teacher as the mark to reach.

use maud::{Markup, html};

use super::{document::colour, scale::at};
use crate::audit::{Audit, finite};
use crate::words::{number, percent, short_name};

const ROW: f64 = 62.0;
const HEAD: f64 = 8.0;
const FOOT: f64 = 40.0;
/// The largest value ends here (per cent of the width), so that a label fits after every bar.
const FULL: f64 = 78.0;

/// One bar: the whole model or a channel.
struct Bar {
    name: String,
    class: String,
    value: f64,
    plain: Option<f64>,
    teacher: Option<f64>,
}

/// The chart and its key. Lengths are per cent of the width and letters keep their size, so that
/// it reads the same on a phone and on a desk.
pub(super) fn render(audit: &Audit) -> Markup {
    let bars = gather(audit);
    let most = largest(audit, &bars);
    let references = references(audit);
    let bottom = HEAD + ROW * bars.len() as f64;
    html! {
        figure.bars {
            svg width="100%" height=(at(bottom + FOOT)) role="img" aria-label=(summary(audit, &bars)) {
                (pattern())
                @for (row, bar) in bars.iter().enumerate() {
                    (draw(bar, HEAD + ROW * row as f64, most))
                }
                // Words come after all lines, with a halo, to stay legible where they cross.
                @for reference in &references { (reference_line(reference, bottom, most)) }
                @for reference in &references { (reference_label(reference, bottom, most)) }
                @for (row, bar) in bars.iter().enumerate() {
                    (words(bar, HEAD + ROW * row as f64, most))
                }
            }
            (key(audit))
        }
    }
}

fn gather(audit: &Audit) -> Vec<Bar> {
    let whole = Bar {
        name: "Whole model".into(),
        class: "ink".into(),
        value: audit.whole,
        plain: audit.plain_whole(),
        teacher: None,
    };
    let channels = audit.modalities.iter().enumerate().map(|(i, m)| Bar {
        name: short_name(&m.name, 18),
        class: colour(i),
        value: m.channel,
        plain: audit.plain_channel(&m.name),
        teacher: m.teacher.and_then(finite),
    });
    std::iter::once(whole).chain(channels).collect()
}

fn largest(audit: &Audit, bars: &[Bar]) -> f64 {
    bars.iter()
        .flat_map(|bar| [Some(bar.value), bar.plain, bar.teacher])
        .chain([audit.popularity, audit.ids_only])
        .flatten()
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max)
}

/// Length of `value` in per cent of the width.
fn length(value: f64, most: f64) -> f64 {
    if value.is_finite() && value > 0.0 && most > 0.0 { (value / most).min(1.0) * FULL } else { 0.0 }
}

fn share(percent: f64) -> String {
    format!("{percent:.2}%")
}

fn draw(bar: &Bar, top: f64, most: f64) -> Markup {
    let end = length(bar.value, most);
    html! {
        g class=(bar.class) {
            rect.track x="0" y=(at(top + 22.0)) width="100%" height="14" rx="3" {}
            @if let Some(teacher) = bar.teacher {
                @let mark = length(teacher, most);
                @if mark > end {
                    rect.gap x=(share(end)) y=(at(top + 22.0)) width=(share(mark - end)) height="14" {}
                }
            }
            rect.bar x="0" y=(at(top + 22.0)) width=(share(end)) height="14" rx="3" {}
            @if let Some(teacher) = bar.teacher {
                @let mark = share(length(teacher, most));
                line.mark x1=(mark) x2=(mark) y1=(at(top + 18.0)) y2=(at(top + 40.0)) {}
            }
            @if let Some(plain) = bar.plain.and_then(finite) {
                @let mark = length(plain, most);
                rect.plain x="0" y=(at(top + 40.0)) width=(share(mark)) height="5" rx="2" {}
            }
        }
    }
}

fn words(bar: &Bar, top: f64, most: f64) -> Markup {
    let y = at(top + 14.0);
    html! {
        g class=(bar.class) {
            text.name.halo x="0" y=(y) { (bar.name) }
            text.value.halo x="100%" y=(y) text-anchor="end" { (reading(bar)) }
            @if let Some(plain) = bar.plain.and_then(finite) {
                @let mark = share(length(plain, most));
                text.small.halo x=(mark) dx="6" y=(at(top + 47.5)) { (number(plain)) }
            }
        }
    }
}

fn reading(bar: &Bar) -> Markup {
    let gap = bar.teacher.filter(|&t| t > 0.0);
    html! {
        tspan.strong { (number(bar.value)) }
        @if let Some(teacher) = gap {
            " of " (number(teacher)) " · " (percent(bar.value / teacher).replace(' ', "\u{a0}"))
        }
    }
}

/// A value that every bar is held against: its name, itself, and the row of its label.
type Reference = (&'static str, f64, u8);

fn references(audit: &Audit) -> Vec<Reference> {
    [("popularity", audit.popularity), ("IDs alone", audit.ids_only)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.and_then(finite)?)))
        .zip(0..)
        .map(|((name, value), row)| (name, value, row))
        .collect()
}

fn reference_height(row: u8, bottom: f64) -> f64 {
    bottom + 10.0 + 15.0 * f64::from(row)
}

/// A dotted line through all bars.
fn reference_line(&(_, value, row): &Reference, bottom: f64, most: f64) -> Markup {
    let mark = share(length(value, most));
    let end = at(reference_height(row, bottom) + 3.0);
    html! { line.reference x1=(mark) x2=(mark) y1=(at(HEAD + 18.0)) y2=(end) {} }
}

fn reference_label(&(name, value, row): &Reference, bottom: f64, most: f64) -> Markup {
    let mark = length(value, most);
    let (anchor, dx) = if mark < 50.0 { ("start", "5") } else { ("end", "-5") };
    let y = at(reference_height(row, bottom));
    html! {
        text.small.halo x=(share(mark)) dx=(dx) y=(y) text-anchor=(anchor) { (name) " " (number(value)) }
    }
}

/// Hatching for the gap: told from the bar without colour.
fn pattern() -> Markup {
    html! {
        defs {
            pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                line.hatch x1="0" y1="0" x2="0" y2="6" {}
            }
        }
    }
}

fn key(audit: &Audit) -> Markup {
    let teachers = audit.modalities.iter().any(|m| m.teacher.is_some());
    html! {
        ul.key {
            li { span.swatch.solid {} "this run" }
            @if teachers {
                li { span.swatch.tick {} "its teacher" }
                li { span.swatch.hatched {} "the gap" }
            }
            @if audit.plain.is_some() { li { span.swatch.thin {} "without balancing" } }
            @if audit.popularity.is_some() || audit.ids_only.is_some() {
                li { span.swatch.dotted {} "references" }
            }
        }
    }
}

fn summary(audit: &Audit, bars: &[Bar]) -> String {
    let readings: Vec<String> = bars
        .iter()
        .map(|bar| match bar.teacher {
            Some(teacher) => {
                format!("{} {} of its teacher's {}", bar.name, number(bar.value), number(teacher))
            }
            None => format!("{} {}", bar.name, number(bar.value)),
        })
        .collect();
    format!("Bar chart of {}: {}.", audit.metric, readings.join("; "))
}
