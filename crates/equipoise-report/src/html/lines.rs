//! One small line chart: curves with their names at their ends.

use maud::{Markup, html};

use super::scale::{Scale, at};

pub(super) const WIDTH: f64 = 360.0;
pub(super) const HEIGHT: f64 = 214.0;
const LEFT: f64 = 38.0;
const RIGHT: f64 = 286.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 182.0;
const LABEL_GAP: f64 = 13.0;

/// A curve; `class` names its colour and dash in the style sheet.
pub struct Line {
    /// What it is.
    pub label: String,
    /// The class that carries its colour.
    pub class: String,
    /// Its points, by x.
    pub points: Vec<(f64, f64)>,
}

/// A chart of curves over epochs.
pub struct Panel {
    /// Shown above the chart.
    pub title: String,
    /// What the chart shows, for those who do not see it.
    pub summary: String,
    /// Drawn in this order: the last on top.
    pub lines: Vec<Line>,
    /// Values that the vertical axis must span besides those of the lines (panels side by side
    /// share an axis).
    pub reach: Vec<f64>,
}

impl Panel {
    /// The chart, or a sentence where no curve has a finite point.
    pub fn render(&self) -> Markup {
        html! {
            figure.panel {
                figcaption { (self.title) }
                @if self.has_curves() {
                    svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(self.label()) {
                        (self.curves())
                    }
                } @else {
                    p.nothing { "No values were recorded." }
                }
            }
        }
    }

    /// Whether any curve has a point.
    pub(super) fn has_curves(&self) -> bool {
        self.lines.iter().any(|line| !line.points.is_empty())
    }

    /// What the chart shows, for those who do not see it.
    pub(super) fn label(&self) -> String {
        format!("{}. {}", self.title, self.summary)
    }

    /// Axes and curves without the frame around them.
    pub(super) fn curves(&self) -> Markup {
        let lines: Vec<&Line> = self.lines.iter().filter(|line| !line.points.is_empty()).collect();
        let points = || lines.iter().flat_map(|l| l.points.iter().copied());
        let x = Scale::spanning(points().map(|p| p.0), true, LEFT, RIGHT);
        let values = points().map(|p| p.1).chain(self.reach.iter().copied());
        let y = Scale::spanning(values, true, BOTTOM, TOP).rounded_up();
        html! {
            (axes(&x, &y))
            @for line in &lines { (curve(line, &x, &y)) }
            (end_labels(&lines, &y))
        }
    }
}

/// Keeps the finite points and sorts them by epoch.
pub fn points(raw: impl Iterator<Item = (usize, f64)>) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> =
        raw.filter(|(_, value)| value.is_finite()).map(|(epoch, value)| (epoch as f64, value)).collect();
    kept.sort_by(|a, b| a.0.total_cmp(&b.0));
    kept
}

fn axes(x: &Scale, y: &Scale) -> Markup {
    html! {
        @for tick in y.ticks() {
            @let place = y.place(tick);
            line.grid.zero[tick == 0.0] x1=(at(LEFT)) x2=(at(RIGHT)) y1=(at(place)) y2=(at(place)) {}
            text.tick x=(at(LEFT - 6.0)) y=(at(place + 3.5)) text-anchor="end" { (y.label(tick)) }
        }
        @for tick in whole_ticks(x) {
            text.tick x=(at(x.place(tick))) y=(at(BOTTOM + 15.0)) text-anchor="middle" { (x.label(tick)) }
        }
        text.tick x=(at(RIGHT)) y=(at(BOTTOM + 29.0)) text-anchor="end" { "epoch" }
    }
}

/// Epochs are counted in whole numbers: a tick at 0.5 means nothing.
fn whole_ticks(x: &Scale) -> impl Iterator<Item = f64> {
    x.ticks().into_iter().filter(|tick| tick.fract() == 0.0)
}

fn curve(line: &Line, x: &Scale, y: &Scale) -> Markup {
    let path: Vec<String> = line
        .points
        .iter()
        .map(|&(epoch, value)| format!("{},{}", at(x.place(epoch)), at(y.place(value))))
        .collect();
    let last = line.points.last().copied();
    html! {
        g class=(line.class) {
            @if path.len() > 1 { polyline points=(path.join(" ")) {} }
            // A lone point would leave no trace as a line.
            @if let Some((epoch, value)) = last {
                circle cx=(at(x.place(epoch))) cy=(at(y.place(value))) r="2.6" {}
            }
        }
    }
}

fn end_labels(lines: &[&Line], y: &Scale) -> Markup {
    let ends: Vec<f64> =
        lines.iter().map(|line| line.points.last().map_or(BOTTOM, |p| y.place(p.1))).collect();
    let places = spread(&ends);
    html! {
        @for (line, place) in lines.iter().zip(places) {
            g class=(line.class) {
                text.end x=(at(RIGHT + 8.0)) y=(at(place + 4.0)) { (line.label) }
            }
        }
    }
}

/// Moves labels apart until each is [`LABEL_GAP`] from the next, in their own order, and keeps
/// them inside the frame as long as they fit there.
fn spread(wanted: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let mut places = wanted.to_vec();
    let mut least = TOP;
    for &i in &order {
        places[i] = places[i].max(least);
        least = places[i] + LABEL_GAP;
    }
    let mut most = BOTTOM;
    for &i in order.iter().rev() {
        places[i] = places[i].min(most);
        most = places[i] - LABEL_GAP;
    }
    places
}

/// Panels in one, two or three columns.
pub fn grid(panels: &[Panel]) -> Markup {
    let columns = match panels.len() {
        1 => "cols-1",
        2 | 4 => "cols-2",
        _ => "cols-3",
    };
    html! { div class={ "panels " (columns) } { @for panel in panels { (panel.render()) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_labels_are_spread_in_order_and_far_ones_stay() {
        let places = spread(&[100.0, 98.0, 20.0]);
        assert_eq!(places[2], 20.0);
        assert!(places[0] - places[1] >= LABEL_GAP);
    }

    #[test]
    fn labels_at_the_bottom_are_pushed_up() {
        let places = spread(&[BOTTOM, BOTTOM, BOTTOM]);
        assert_eq!(places, [BOTTOM - 2.0 * LABEL_GAP, BOTTOM - LABEL_GAP, BOTTOM]);
    }
}
