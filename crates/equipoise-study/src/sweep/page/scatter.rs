//! The metric against one setting: a point for each evaluation.

use maud::{Markup, html};

use super::axis::Axis;
use crate::search::{Dimension, Record};
use crate::sweep::results::Results;
use equipoise_report::page::{Scale, at};
use equipoise_report::words::name;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 214.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 346.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 182.0;

/// One panel for each setting, on a shared vertical axis.
pub(super) fn panels(results: &Results) -> Markup {
    let ranked = results.ranked();
    let y = Scale::spanning(ranked.iter().map(|(_, value)| *value), false, BOTTOM, TOP).rounded_up();
    let columns = match results.space.dimensions().len() {
        1 => "cols-1",
        2 | 4 => "cols-2",
        _ => "cols-3",
    };
    html! {
        div class={ "panels " (columns) } {
            @for (key, dimension) in results.space.dimensions() {
                (panel(results, key, dimension, &ranked, &y))
            }
        }
    }
}

fn panel(
    results: &Results,
    key: &str,
    dimension: &Dimension,
    ranked: &[(&Record, f64)],
    y: &Scale,
) -> Markup {
    let axis = Axis::new(dimension);
    let label = format!("Scatter plot of validation {} against {key}, one point a trial.", results.metric);
    let last = ranked.iter().map(|(r, _)| r.proposal.rung).max();
    // The best is drawn last, on top.
    let points = ranked.iter().enumerate().rev().filter_map(|(rank, (record, value))| {
        let share = axis.share(record.proposal.point.get(key)?)?;
        let (class, radius) = match rank {
            0 => ("m1", "5"),
            _ if Some(record.proposal.rung) == last => ("m0", "3"),
            _ => ("plain", "2.5"),
        };
        Some((class, radius, across(share), y.place(*value)))
    });
    html! {
        figure.panel {
            figcaption { (name(key)) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(name(&label)) {
                (frame(&axis, y))
                @for (class, radius, x, y) in points {
                    g class=(class) { circle cx=(at(x)) cy=(at(y)) r=(radius) {} }
                }
            }
        }
    }
}

fn across(share: f64) -> f64 {
    LEFT + share * (RIGHT - LEFT)
}

fn frame(axis: &Axis, y: &Scale) -> Markup {
    html! {
        @for tick in y.ticks() {
            @let place = y.place(tick);
            line.grid x1=(at(LEFT)) x2=(at(RIGHT)) y1=(at(place)) y2=(at(place)) {}
            text.tick x=(at(LEFT - 6.0)) y=(at(place + 3.5)) text-anchor="end" { (y.label(tick)) }
        }
        @for (share, label) in axis.ticks() {
            text.tick x=(at(across(share))) y=(at(BOTTOM + 17.0)) text-anchor="middle" { (label) }
        }
    }
}
