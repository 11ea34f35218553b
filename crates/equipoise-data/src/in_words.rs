//! What `serde` says of a value, in the words of this project.

/// What `serde` calls a type, after `expected`, and what people do.
const TYPES: [(&str, &str); 14] = [
    ("usize", "a whole number from 0"),
    ("u8", "a whole number from 0"),
    ("u16", "a whole number from 0"),
    ("u32", "a whole number from 0"),
    ("u64", "a whole number from 0"),
    ("isize", "a whole number"),
    ("i32", "a whole number"),
    ("i64", "a whole number"),
    ("f32", "a number"),
    ("f64", "a number"),
    ("a boolean", "true or false"),
    ("a string", "a text"),
    ("a sequence", "a list"),
    ("a map", "an object"),
];

/// A message of `serde` without the names of Rust's types, and without a line and a column, which belong to a text that only this
/// program has seen.
///
/// ```
/// use equipoise_data::in_words;
/// let message = "invalid value: integer `-1`, expected usize at line 1 column 8";
/// assert_eq!(in_words(message), "invalid value: integer `-1`, expected a whole number from 0");
/// assert_eq!(in_words("unknown field `usize`"), "unknown field `usize`");
/// ```
pub fn in_words(message: &str) -> String {
    let text = without_place(message);
    let Some((before, expected)) = text.rsplit_once("expected ") else { return text.to_owned() };
    match TYPES.iter().find(|(name, _)| *name == expected) {
        Some((_, words)) => format!("{before}expected {words}"),
        None => text.to_owned(),
    }
}

/// The message less ` at line 1 column 8` at its end.
fn without_place(message: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let place = message.rsplit_once(" at line ").filter(|(_, place)| match place.split_once(" column ") {
        Some((line, column)) => digits(line) && digits(column),
        None => digits(place),
    });
    place.map_or(message, |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;

    fn said<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
        in_words(&serde_json::from_str::<T>(json).unwrap_err().to_string())
    }

    #[test]
    fn every_type_that_settings_have_is_said_in_words() {
        assert_eq!(said::<usize>("-1"), "invalid value: integer `-1`, expected a whole number from 0");
        assert_eq!(said::<u16>("70000"), "invalid value: integer `70000`, expected a whole number from 0");
        assert_eq!(said::<i64>("\"x\""), "invalid type: string \"x\", expected a whole number");
        assert_eq!(said::<f64>("true"), "invalid type: boolean `true`, expected a number");
        assert_eq!(said::<bool>("3"), "invalid type: integer `3`, expected true or false");
        assert_eq!(said::<String>("3"), "invalid type: integer `3`, expected a text");
        assert_eq!(said::<Vec<u8>>("3"), "invalid type: integer `3`, expected a list");
        assert_eq!(
            said::<std::collections::BTreeMap<String, u8>>("3"),
            "invalid type: integer `3`, expected an object"
        );
    }

    #[test]
    fn texts_of_an_input_are_left_as_they_are() {
        assert_eq!(
            in_words("string \"expected u8 at line 2\", expected one of a"),
            "string \"expected u8 at line 2\", expected one of a"
        );
        assert_eq!(in_words("stopped at line x column 3"), "stopped at line x column 3");
    }
}
