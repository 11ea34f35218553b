//! Charts as one SVG file, for a document that cannot hold a page.

use maud::{Markup, PreEscaped, html};

use super::document::STYLE;
use super::lines::{HEIGHT, Panel, WIDTH};

/// Height of a row: a chart below its title.
const ROW: f64 = HEIGHT + 28.0;
/// Columns of a single row before it goes on below.
const COLUMNS: usize = 3;
/// Names at the ends of curves may reach beyond the last chart.
const MARGIN: f64 = 20.0;

/// The panels of each row side by side; those of a single row three abreast. Panels without curves are left out; `None` if
/// nothing is left.
pub fn picture(rows: &[Vec<Panel>]) -> Option<String> {
    let drawn: Vec<Vec<&Panel>> =
        rows.iter().map(|row| row.iter().filter(|panel| panel.has_curves()).collect()).collect();
    let columns = match &drawn[..] {
        [_] => COLUMNS,
        rows => rows.iter().map(Vec::len).max().unwrap_or(0),
    };
    let panels: Vec<&Panel> = drawn.into_iter().flatten().collect();
    if panels.is_empty() {
        return None;
    }
    let width = WIDTH * columns.min(panels.len()) as f64 + MARGIN;
    let height = ROW * panels.len().div_ceil(columns) as f64;
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) } width=(width)
            font-family="system-ui, sans-serif" {
            style { (PreEscaped(STYLE)) }
            rect width=(width) height=(height) style="fill: var(--paper)" {}
            @for (k, panel) in panels.iter().enumerate() {
                (placed(panel, (k % columns) as f64 * WIDTH, (k / columns) as f64 * ROW))
            }
        }
    };
    Some(format!("{}\n", picture.into_string()))
}

fn placed(panel: &Panel, x: f64, y: f64) -> Markup {
    html! {
        text x=(x + 38.0) y=(y + 16.0) font-size="13" font-weight="600" style="fill: var(--ink)" { (panel.title) }
        svg class="panel" overflow="visible" x=(x) y=(y + 20.0) width=(WIDTH) height=(HEIGHT)
            viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(panel.label()) {
            (panel.curves())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::Line;
    use super::*;

    fn panel(title: &str, points: Vec<(f64, f64)>) -> Panel {
        let line = Line { label: "channel".into(), class: "ink".into(), points };
        Panel { title: title.into(), summary: "A curve.".into(), lines: vec![line], reach: Vec::new() }
    }

    #[test]
    fn a_single_row_goes_on_below_and_panels_without_curves_are_left_out() {
        let mut row: Vec<Panel> =
            ["a", "b", "c", "d"].map(|title| panel(title, vec![(1.0, 0.1), (2.0, 0.2)])).into();
        row.push(panel("empty", Vec::new()));
        let svg = picture(&[row]).unwrap();
        assert!(svg.contains("viewBox=\"0 0 1100 484\"") && !svg.contains(">empty<"), "{svg}");
        assert_eq!(svg.matches("<polyline").count(), 4);
        assert!(picture(&[vec![panel("empty", Vec::new())]]).is_none());
    }

    #[test]
    fn several_rows_are_as_wide_as_the_widest() {
        let row = |n: usize| (0..n).map(|_| panel("a", vec![(1.0, 0.1)])).collect::<Vec<_>>();
        assert!(picture(&[row(2), row(2)]).unwrap().contains("viewBox=\"0 0 740 484\""));
    }
}
