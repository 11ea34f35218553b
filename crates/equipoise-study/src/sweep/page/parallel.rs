//! Parallel coordinates: a line for each trial through its value of every setting to the metric.

use maud::{Markup, html};

use super::axis::Axis;
use crate::search::Record;
use crate::sweep::results::Results;
use equipoise_report::page::{Scale, at};
use equipoise_report::words::short_name;
use std::collections::BTreeMap;

const HEIGHT: f64 = 300.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 286.0;
const MARGIN: f64 = 64.0;
/// Between two axes: at least, and when there are few.
const GAP: (f64, f64) = (110.0, 190.0);
/// Lines that are drawn: more are a blot.
const LINES: usize = 500;

/// One axis: its name, its marks (share from below, label).
type Marks = (String, Vec<(f64, String)>);

/// The chart, scrolled sideways where the page is narrower.
pub(super) fn render(results: &Results) -> Markup {
    let settings = results.space.dimensions();
    let lines = latest(results);
    let y = Scale::spanning(lines.iter().map(|(_, value)| *value), false, 0.0, 1.0);
    let mut marks: Vec<Marks> = settings.iter().map(|(key, d)| (key.clone(), Axis::new(d).ticks())).collect();
    let metric = y.ticks().into_iter().map(|t| (y.place(t), y.label(t))).collect();
    marks.push((format!("validation.{}", results.metric), metric));
    let gap = (760.0 / settings.len() as f64).clamp(GAP.0, GAP.1);
    let width = 2.0 * MARGIN + gap * settings.len() as f64;
    let place = |k: usize| MARGIN + gap * k as f64;
    let best = lines.len().div_ceil(10);
    // The best come last, on top.
    let shown = lines.iter().take(LINES).enumerate().rev();
    html! {
        figure.parallel style={ "--least: " (at(width * 0.8)) "px; max-width: " (at(width * 1.3)) "px" } {
            svg viewBox={ "0 0 " (at(width)) " " (HEIGHT) } role="img" aria-label=(label(results)) {
                @for (rank, (record, value)) in shown {
                    g class=(class(rank, best)) { polyline points=(path(results, record, y.place(*value), place)) {} }
                }
                @for (k, (name, marks)) in marks.iter().enumerate() { (axis(name, marks, place(k))) }
            }
        }
        @if lines.len() > LINES { p.note { "The best " (LINES) " trials." } }
    }
}

/// The last evaluation of each trial, the best first.
fn latest(results: &Results) -> Vec<(&Record, f64)> {
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    for (record, _) in results.ranked() {
        let rung = last.entry(record.proposal.number).or_default();
        *rung = record.proposal.rung.max(*rung);
    }
    let ranked = results.ranked().into_iter();
    ranked.filter(|(r, _)| last.get(&r.proposal.number) == Some(&r.proposal.rung)).collect()
}

fn class(rank: usize, best: usize) -> &'static str {
    match rank {
        0 => "m1",
        rank if rank < best => "m0",
        _ => "plain",
    }
}

fn path(results: &Results, record: &Record, value: f64, place: impl Fn(usize) -> f64) -> String {
    let point = &record.proposal.point;
    let shares = results.space.dimensions().iter().map(|(key, dimension)| {
        // Every record has every setting.
        point.get(key).and_then(|v| Axis::new(dimension).share(v)).unwrap_or(0.0)
    });
    let corners = shares.chain([value]).enumerate();
    corners.map(|(k, share)| format!("{},{}", at(place(k)), at(up(share)))).collect::<Vec<_>>().join(" ")
}

fn up(share: f64) -> f64 {
    BOTTOM - share * (BOTTOM - TOP)
}

/// The axis with its name in two lines, as `balance.ckd` over `tau`, and its marks on the left.
fn axis(name: &str, marks: &[(f64, String)], x: f64) -> Markup {
    let (section, last) = name.rsplit_once('.').unwrap_or(("", name));
    html! {
        line x1=(at(x)) x2=(at(x)) y1=(at(TOP)) y2=(at(BOTTOM)) {}
        text.small x=(at(x)) y="16" text-anchor="middle" { (short_name(section, 18)) }
        text.name x=(at(x)) y="32" text-anchor="middle" { (short_name(last, 16)) }
        @for (share, label) in marks {
            text.small.halo x=(at(x - 6.0)) y=(at(up(*share) + 3.5)) text-anchor="end" { (label) }
        }
    }
}

fn label(results: &Results) -> String {
    let metric = &results.metric;
    short_name(
        &format!("Parallel coordinates of all settings and validation {metric}, one line a trial."),
        200,
    )
}
