//! Texts of an input in a message: whatever a file holds, the message about it stays short.

/// Most bytes of one text in a message.
const TEXT: usize = 120;

/// Most bytes of a list of names, or of a sentence that another library made of an input.
const LONG: usize = 300;

/// A text of an input in quotation marks, its special characters escaped. Of a text that takes more than 120 bytes, the
/// beginning is shown and its length is said.
///
/// ```
/// use equipoise_data::quoted;
/// assert_eq!(quoted("a\tb"), r#""a\tb""#);
/// assert!(quoted(&"x".repeat(400_000)).ends_with("...\" (400000 bytes)"));
/// ```
pub fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    for c in text.chars() {
        let escaped = c.escape_debug();
        if shown.len() + escaped.clone().map(char::len_utf8).sum::<usize>() > TEXT {
            return format!("{shown}...\" ({} bytes)", text.len());
        }
        // A message has quotation marks around the text alone, so that an apostrophe stays what it is.
        if c == '\'' { shown.push(c) } else { shown.extend(escaped) }
    }
    shown.push('"');
    shown
}

/// Names of an input in quotation marks with commas between them: as many as fit into 300 bytes, and how many more
/// there are.
///
/// ```
/// use equipoise_data::quoted_names;
/// assert_eq!(quoted_names(["a", "b"]), r#""a", "b""#);
/// assert_eq!(quoted_names([]), "none");
/// assert!(quoted_names(["column"; 1000]).ends_with(" and 970 more"));
/// ```
pub fn quoted_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let mut shown = String::new();
    for name in names.by_ref() {
        let comma = if shown.is_empty() { "" } else { ", " };
        let name = quoted(name);
        if shown.len() + comma.len() + name.len() > LONG {
            return format!("{shown} and {} more", 1 + names.count());
        }
        shown = shown + comma + &name;
    }
    if shown.is_empty() { "none".into() } else { shown }
}

/// A sentence that may quote an input at any length, such as another library's: at most 300 bytes, the middle left out.
///
/// ```
/// use equipoise_data::short;
/// assert_eq!(short("invalid type: integer `3`, expected a list"), "invalid type: integer `3`, expected a list");
/// let long = format!("invalid type: string {:?}, expected a list", "x".repeat(400_000));
/// assert!(short(&long).len() < 310 && short(&long).ends_with("x\", expected a list"));
/// ```
pub fn short(sentence: &str) -> String {
    clipped(sentence, LONG)
}

/// At most `most` bytes of a text and the dots that stand for its middle; two thirds of what is shown is its beginning.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(most / 3 * 2);
    let tail = text.ceil_char_boundary(text.len() - most / 3);
    format!("{} ... {}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_text_the_message_is_bounded_in_bytes() {
        for c in ['x', '"', '\u{feff}', '\n', '漢', '😀', '\u{202e}'] {
            let long: String = std::iter::repeat_n(c, 100_000).collect();
            assert!(quoted(&long).len() < 150, "{}", quoted(&long));
            assert!(quoted_names([long.as_str(); 50]).len() < 330);
            assert!(short(&long).len() < 310);
        }
        assert_eq!(quoted("it's \"a\"\n"), "\"it's \\\"a\\\"\\n\"");
    }

    #[test]
    fn a_text_that_fits_is_shown_whole() {
        let text = "x".repeat(TEXT - 1);
        assert_eq!(quoted(&text), format!("{text:?}"));
        assert!(quoted(&"x".repeat(TEXT)).contains("..."));
    }
}
