//! Objects of a file of JSON, and what their members say.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::quoted::{quoted, short};
use crate::text::{LineFault, without_nan};

/// Whole floats from here on may stand for several whole numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The object of a line. Python's `json.dumps` writes `NaN` for a value that is missing: such values become null and are
/// counted.
///
/// # Errors
/// If the line is no object, or a member stands in it twice.
pub(super) fn object(line: &[u8], not_numbers: &mut u64) -> Result<Map<String, Value>, LineFault> {
    let wrong = |error: serde_json::Error| {
        if line.starts_with(b"{'") || line.starts_with(b"{u'") {
            let problem =
                "Python's notation, with its quotation marks, expected JSON; write the file with json.dumps";
            return LineFault::whole(problem.to_owned());
        }
        let open = if error.is_eof() { " (one JSON object over several lines?)" } else { "" };
        let problem = format!(
            "{}{open}, expected one JSON object per line; repair the line",
            short(&error.to_string())
        );
        LineFault::whole(problem)
    };
    let read = serde_json::from_slice(line).or_else(|error| {
        let (text, count) = without_nan(line).ok_or_else(|| wrong(error))?;
        *not_numbers += count;
        serde_json::from_slice(&text).map_err(wrong)
    });
    read.map(|Unique(members)| members)
}

/// An object each of whose members stands in it once.
struct Unique(Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut given: A) -> Result<Unique, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = given.next_entry::<String, Value>()? {
                    if members.contains_key(&name) {
                        return Err(A::Error::custom(format!(
                            "{} stands in the object twice",
                            quoted(&name)
                        )));
                    }
                    members.insert(name, value);
                }
                Ok(Unique(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// A raw id: a text, or a whole number in decimals, as in other tables.
///
/// # Errors
/// What is wrong with it, to be followed by what to do: a number that is not whole, or whose digits JSON does not keep.
pub(super) fn id(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        Value::Number(number) => match number.as_f64().filter(|value| value.fract() == 0.0) {
            Some(whole) if whole.abs() < EXACT => Ok(format!("{whole:.0}")),
            Some(_) => Err("is a number of more digits than are kept"),
            None => Err("is a number that is not whole"),
        },
        Value::Null => Err("is null"),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err("is no text and no number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_twice_is_refused() {
        let read = |text: &str| object(text.as_bytes(), &mut 0).map_err(|fault| fault.problem);
        assert_eq!(read(r#"{"a": {"b": 1}, "b": NaN}"#).expect("each once").len(), 2);
        for text in [r#"{"a": 1, "b": 2, "a": 1}"#, r#"{"a": NaN, "a": 1}"#] {
            let problem = read(text).expect_err(text);
            assert!(problem.contains("\"a\" stands in the object twice"), "{problem}");
        }
        for text in ["{'a': 1}", "{u'a': u'b'}"] {
            assert!(read(text).expect_err(text).starts_with("Python's notation"));
        }
        assert!(read("[1]").expect_err("an array").contains("expected one JSON object per line"));
    }

    #[test]
    fn ids_keep_every_digit_or_are_refused() {
        for (text, expected) in [
            ("\"a 1\"", Ok("a 1")),
            ("7", Ok("7")),
            ("-7", Ok("-7")),
            ("18446744073709551615", Ok("18446744073709551615")),
            ("4.0", Ok("4")),
            ("1e3", Ok("1000")),
            ("0.5", Err("not whole")),
            ("184467440737095516160", Err("more digits")),
            ("9007199254740993.0", Err("more digits")),
            ("null", Err("null")),
            ("{\"$oid\": \"5\"}", Err("no text and no number")),
        ] {
            match (id(&serde_json::from_str(text).expect("JSON")), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{text}: {found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
