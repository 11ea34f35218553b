//! What every page is made of: a document that makes no request, sections, sentences and colours.

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(super) const STYLE: &str = include_str!("style.css");
/// Forbids the page every request, so that "self-contained" is enforced and not only meant.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A page with the style sheet in it, `extra` rules of its own after it, and no way out.
pub fn document(title: &str, extra: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(extra)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// A section with a heading and, unless it is empty, a sentence before the content.
pub fn section(title: &str, intro: &str, content: Markup) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if !intro.is_empty() { p.intro { (intro) } }
            (content)
        }
    }
}

/// The class that carries a modality's colour; six colours, then round again.
pub fn colour(index: usize) -> String {
    format!("m{}", index % 6)
}

/// A sentence in which commands stand between backquotes.
pub fn prose(text: &str) -> Markup {
    html! {
        @for (i, part) in breakless(text).split('`').enumerate() {
            @if i % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Keeps a number and its per cent sign on one line.
pub fn breakless(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}
