//! One line into cells.

use std::borrow::Cow;

use super::quotes::{Quotes, unquoted};
use super::separator::Separator;

/// The cells of a line that ends outside of quotes, blanks around them left out.
pub(super) fn split(line: &str, separator: &Separator, quotes: Quotes) -> Vec<String> {
    let bare = |cell: &str| {
        let cell = cell.trim();
        let inner = if quotes == Quotes::Standard { unquoted(cell) } else { None };
        inner.map_or_else(|| cell.to_owned(), |inner| inner.trim().to_owned())
    };
    match separator {
        Separator::Byte(byte) => line.split(char::from(*byte)).map(bare).collect(),
        Separator::Text(text) => line.split(text.as_str()).map(bare).collect(),
        Separator::Blanks => blank_cells(line, quotes).map(Cow::into_owned).collect(),
    }
}

/// The cells of a line between blanks and tabs. A cell that starts with a quotation mark lasts to the mark before the
/// next blank, if there is one.
pub(super) fn blank_cells(line: &str, quotes: Quotes) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = line.trim();
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        if quotes == Quotes::Standard
            && let Some((cell, after)) = quoted_cell(rest)
        {
            rest = after;
            return Some(Cow::Owned(cell));
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (cell, after) = rest.split_at(end);
        rest = after;
        Some(Cow::Borrowed(cell))
    })
}

/// A quoted cell at the start of a text, and what follows it.
fn quoted_cell(text: &str) -> Option<(String, &str)> {
    if !text.starts_with('"') {
        return None;
    }
    let ends = text.match_indices('"').skip(1).map(|(at, mark)| at + mark.len());
    let mut ends = ends.filter(|&end| text[end..].chars().next().is_none_or(char::is_whitespace));
    ends.find_map(|end| unquoted(&text[..end]).map(|cell| (cell, &text[end..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_between_blanks_may_be_quoted() {
        for (line, expected) in [
            ("  a \t b  c ", &["a", "b", "c"][..]),
            ("\"a b\" \"c \"\"d\"\"\" e", &["a b", "c \"d\"", "e"]),
            ("\"a b c", &["\"a", "b", "c"]),
            ("5\" wide", &["5\"", "wide"]),
            ("", &[]),
        ] {
            let found: Vec<_> = blank_cells(line, Quotes::Standard).collect();
            assert_eq!(found, expected, "{line}");
        }
        let found: Vec<_> = blank_cells("\"a b\"", Quotes::None).collect();
        assert_eq!(found, ["\"a", "b\""]);
    }
}
