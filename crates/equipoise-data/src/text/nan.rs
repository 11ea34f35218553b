//! `NaN` in JSON, which Python's `json.dumps` writes for a value that is missing.

/// Words that JSON does not have. The longer ones come first.
const WORDS: [&[u8]; 4] = [b"-Infinity", b"Infinity", b"NaN", b"nan"];

/// The text with `null` in the place of every `NaN` and `Infinity` outside of strings, and how many there were; `None`
/// if there was none.
///
/// ```
/// use equipoise_data::without_nan;
/// let (text, count) = without_nan(br#"{"a": NaN, "b": "NaN"}"#).expect("one NaN");
/// assert_eq!((&text[..], count), (&br#"{"a": null, "b": "NaN"}"#[..], 1));
/// assert_eq!(without_nan(b"{}"), None);
/// ```
pub fn without_nan(text: &[u8]) -> Option<(Vec<u8>, u64)> {
    let (mut out, mut count) = (Vec::with_capacity(text.len() + 8), 0);
    let (mut place, mut quoted) = (0, false);
    while place < text.len() {
        let rest = &text[place..];
        let word =
            WORDS.iter().find(|word| !quoted && rest.starts_with(word) && ends_word(text, place, word.len()));
        let taken = match (word, rest[0]) {
            (Some(word), _) => {
                out.extend_from_slice(b"null");
                count += 1;
                place += word.len();
                continue;
            }
            (None, b'\\') if quoted => 2.min(rest.len()),
            (None, b'"') => {
                quoted = !quoted;
                1
            }
            (None, _) => 1,
        };
        out.extend_from_slice(&rest[..taken]);
        place += taken;
    }
    (count > 0).then_some((out, count))
}

/// Whether the word at `place` stands by itself.
fn ends_word(text: &[u8], place: usize, length: usize) -> bool {
    let letter = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let before = place.checked_sub(1).and_then(|place| text.get(place));
    !letter(before) && !letter(text.get(place + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_outside_of_strings_are_replaced() {
        for (text, expected) in [
            (r#"[NaN,-Infinity,Infinity]"#, Some(("[null,null,null]", 3))),
            (r#"{"NaN": "a \" NaN", "b": NaN}"#, Some((r#"{"NaN": "a \" NaN", "b": null}"#, 1))),
            (r#"{"a": NaNs, "b": xNaN}"#, None),
            (r#"{"a": "NaN\\"}"#, None),
            ("", None),
        ] {
            let found = without_nan(text.as_bytes());
            let expected = expected.map(|(text, count)| (text.as_bytes().to_vec(), count));
            assert_eq!(found, expected, "{text}");
        }
    }
}
