//! The parts of a score as one bar: what adds to it to the right of zero, what takes from it to the left.

use super::words::{colour, signed};
use equipoise_recommend::{IDS, ListItem, ServedModel};
use maud::{Markup, html};

/// The span of all bars of a list, so that their lengths can be compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    low: f64,
    high: f64,
}

/// One part as it lies in the bar.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece<'a> {
    name: &'a str,
    from: f64,
    to: f64,
}

impl Span {
    /// The span of these items; it holds zero.
    pub(crate) fn of(items: &[ListItem]) -> Span {
        let sum = |item: &ListItem, sign: f64| item.parts.values().map(|v| (v * sign).max(0.0)).sum::<f64>();
        let most = |sign| items.iter().map(|item| sum(item, sign)).fold(0.0, f64::max);
        Span { low: -most(-1.0), high: most(1.0) }
    }

    /// Where a value lies, in per cent of the width.
    fn at(self, value: f64) -> f64 {
        let width = self.high - self.low;
        if width > 0.0 { 100.0 * (value - self.low) / width } else { 0.0 }
    }
}

/// The parts of an item, ids first, then the modalities in the order of the model.
pub(crate) fn parts<'a>(model: &'a ServedModel, item: &ListItem) -> Vec<(&'a str, f64)> {
    let names = [IDS].into_iter().chain(model.modalities().iter().map(String::as_str));
    names.filter_map(|name| Some((name, *item.parts.get(name)?))).collect()
}

/// The bar of an item. The numbers stand below it in words, so that it is not read aloud.
pub(crate) fn bar(model: &ServedModel, item: &ListItem, span: Span) -> Markup {
    let zero = percent(span.at(0.0));
    let score = percent(span.at(f64::from(item.score)));
    html! {
        svg.parts-bar width="100%" height="18" aria-hidden="true" {
            rect.track x="0" y="4" width="100%" height="10" rx="2" {}
            @for piece in pieces(&parts(model, item)) {
                @let (from, to) = (span.at(piece.from), span.at(piece.to));
                rect class=(format!("part {}", colour(model, piece.name)))
                    x=(percent(from)) y="4" width=(percent(to - from)) height="10" {}
            }
            line.zero x1=(zero) x2=(zero) y1="1" y2="17" {}
            line.mark x1=(score) x2=(score) y1="1" y2="17" {}
        }
    }
}

/// The parts in words; each value stands in full in `value`.
pub(crate) fn legend(model: &ServedModel, item: &ListItem) -> Markup {
    html! {
        ul.parts {
            @for (name, value) in parts(model, item) {
                li class=(colour(model, name)) {
                    span.dot {} span.name { (name) } " "
                    data value=(value) { (signed(value)) }
                }
            }
        }
    }
}

fn pieces<'a>(parts: &[(&'a str, f64)]) -> Vec<Piece<'a>> {
    let (mut above, mut below) = (0.0, 0.0);
    let piece = |&(name, value): &(&'a str, f64)| {
        if value >= 0.0 {
            above += value;
            Piece { name, from: above - value, to: above }
        } else {
            below += value;
            Piece { name, from: below, to: below - value }
        }
    };
    parts.iter().map(piece).collect()
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(parts: &[(&str, f64)]) -> ListItem {
        let parts = parts.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
        ListItem { parts, ..ListItem::default() }
    }

    #[test]
    fn what_takes_from_a_score_lies_left_of_zero_and_pieces_do_not_overlap() {
        let parts = [("ids", 1.0), ("image", -0.5), ("text", 2.0), ("audio", -0.25)];
        let pieces = pieces(&parts);
        let ends: Vec<(f64, f64)> = pieces.iter().map(|p| (p.from, p.to)).collect();
        assert_eq!(ends, [(0.0, 1.0), (-0.5, 0.0), (1.0, 3.0), (-0.75, -0.5)]);
    }

    #[test]
    fn the_span_holds_all_bars_and_zero() {
        let items = [item(&[("ids", 1.0), ("image", -0.5)]), item(&[("ids", -2.0), ("image", 3.0)])];
        let span = Span::of(&items);
        assert_eq!(span, Span { low: -2.0, high: 3.0 });
        assert_eq!((span.at(-2.0), span.at(0.0), span.at(3.0)), (0.0, 40.0, 100.0));
        assert_eq!(Span::of(&[]).at(0.0), 0.0);
        assert_eq!(Span::of(&[item(&[("ids", 2.0)])]).low, 0.0);
    }
}
