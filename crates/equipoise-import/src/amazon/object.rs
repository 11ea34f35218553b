//! Members of the object on a line, which may be JSON or a Python literal.

use std::fmt;

use equipoise_data::{LineFault, short, without_nan};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::literal::Literals;

/// The members wanted of one object, in the order of the names; `None` for one that is absent or null.
pub(crate) struct Members<const N: usize> {
    pub(crate) values: [Option<Value>; N],
    /// Halves of surrogate pairs that were replaced.
    pub(crate) replaced: u64,
    /// Values `NaN` or infinite on the line: they count as absent.
    pub(crate) not_numbers: u64,
}

/// Reads the members called `names`; of a name that occurs twice, the last. Other members are checked and built
/// nowhere.
///
/// # Errors
/// The fault of the reader that came further: JSON is tried first.
pub(crate) fn members<const N: usize>(line: &[u8], names: &[&str; N]) -> Result<Members<N>, LineFault> {
    let mut values = [const { None }; N];
    let Err(json) = read_json(line, names, &mut values) else {
        return Ok(Members { values, replaced: 0, not_numbers: 0 });
    };
    values = [const { None }; N];
    if let Some((text, not_numbers)) = without_nan(line)
        && read_json(&text, names, &mut values).is_ok()
    {
        return Ok(Members { values, replaced: 0, not_numbers });
    }
    values = [const { None }; N];
    match read_python(line, names, &mut values) {
        Ok(replaced) => Ok(Members { values, replaced, not_numbers: 0 }),
        Err(python) => Err(further(json, python)),
    }
}

/// Reads a Python literal; returns the halves of surrogate pairs that were replaced.
fn read_python(line: &[u8], names: &[&str], values: &mut [Option<Value>]) -> Result<u64, LineFault> {
    let mut literals = Literals::new(line)?;
    let place = |key: &str| names.iter().position(|name| *name == key);
    literals.dict(
        |key| place(key).is_some(),
        |key, value| {
            if let Some(place) = place(key) {
                values[place] = some(value);
            }
        },
    )?;
    Ok(literals.replaced)
}

fn some(value: Value) -> Option<Value> {
    if value.is_null() { None } else { Some(value) }
}

fn further(json: LineFault, python: LineFault) -> LineFault {
    let (kind, fault) = if json.byte >= python.byte { ("JSON", json) } else { ("a Python literal", python) };
    LineFault {
        problem: format!(
            "read as {kind}: {}; repair the line or download the file again",
            short(&fault.problem)
        ),
        ..fault
    }
}

fn read_json(line: &[u8], names: &[&str], values: &mut [Option<Value>]) -> Result<(), LineFault> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let read = Object { names, values }.deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|error| {
        let text = error.to_string();
        let problem = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]).to_owned();
        let byte = if error.is_eof() { line.len() + 1 } else { error.column().max(1) };
        LineFault { byte: Some(byte), problem }
    })
}

struct Object<'a> {
    names: &'a [&'a str],
    values: &'a mut [Option<Value>],
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(Key(self.names))? {
            match place {
                Some(place) => self.values[place] = some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Position of a key among the names.
struct Key<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NAMES: [&str; 3] = ["a", "b", "c"];

    #[test]
    fn json_and_python_give_the_same_members() {
        let json = br#"{"x": [1, {"y": null}], "b": "1", "a": [true], "c": null, "b": "2"}"#;
        let python = br#"{'x': [1, {'y': None}], 'b': '1', 'a': [True], 'c': None, 'b': "2"}"#;
        let expected = [Some(json!([true])), Some(json!("2")), None];
        for line in [&json[..], &python[..]] {
            let found = members(line, &NAMES).map(|m| m.values);
            assert_eq!(found, Ok(expected.clone()), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn the_fault_is_that_of_the_reader_that_came_further() {
        for (line, byte, word) in [
            (r#"{"a": "x", "b": nul}"#, 20, "JSON"),
            ("{'a': 'x', 'b': nul}", 17, "a Python literal"),
            (r#"{"a": "x""#, 9, "JSON"),
            ("[1]", 1, "JSON"),
            ("", 1, "JSON"),
        ] {
            let fault = members(line.as_bytes(), &NAMES).err().expect(line);
            assert!(fault.problem.contains(word), "{line}: {}", fault.problem);
            assert!(fault.byte.is_some_and(|b| b.abs_diff(byte) <= 1), "{line}: {:?}", fault);
        }
    }
}
