//! Python literals, as the metadata of 2014 are written: `{'asin': 'B00', 'price': 3.5, 'related': None}`.
//!
//! ```text
//! value  = string | number | None | True | False | list | tuple | dict
//! string = [u] '...' or "...", with Python's escapes
//! dict   = { string : value, ... }
//! ```
//!
//! Text is read and never run. What Python's `repr` cannot have written (sets, calls, names, bytes, joined
//! strings) is refused with its place. Strings mean what they mean in Python 3; the two halves of a surrogate pair
//! make one character, half a pair is replaced by U+FFFD and counted.

use equipoise_data::LineFault;
use serde_json::{Map, Number, Value};

use super::literal_text::Strings;

/// Lists within lists: deeper ones are no metadata, and would use up the stack.
const DEEPEST: usize = 64;

/// A reader of one literal.
pub(crate) struct Literals<'a> {
    text: &'a str,
    place: usize,
    /// Halves of surrogate pairs that were replaced.
    pub(crate) replaced: u64,
}

impl<'a> Literals<'a> {
    pub(crate) fn new(line: &'a [u8]) -> Result<Literals<'a>, LineFault> {
        let text = std::str::from_utf8(line).map_err(|error| LineFault {
            byte: Some(error.valid_up_to() + 1),
            problem: "not UTF-8; repair the line or download the file again".into(),
        })?;
        Ok(Literals { text, place: 0, replaced: 0 })
    }

    /// The members of the one dict that the line must be, handed to `member` if `wanted` wants their key; what is
    /// not wanted is checked and built nowhere.
    pub(crate) fn dict(
        &mut self,
        mut wanted: impl FnMut(&str) -> bool,
        mut member: impl FnMut(&str, Value),
    ) -> Result<(), LineFault> {
        self.expect(b'{')?;
        while !self.take(b'}') {
            let key = self.key()?;
            let keep = wanted(&key);
            let value = self.value(keep, 1)?;
            if keep {
                member(&key, value);
            }
            if !self.take(b',') {
                self.expect(b'}')?;
                break;
            }
        }
        self.end()
    }

    /// The one value that the line must be.
    #[cfg(test)]
    pub(crate) fn only(&mut self) -> Result<Value, LineFault> {
        let value = self.value(true, 0)?;
        self.end()?;
        Ok(value)
    }

    fn key(&mut self) -> Result<String, LineFault> {
        if !self.at_string() {
            return Err(self.wrong("a quoted key"));
        }
        let key = self.string(true)?;
        self.expect(b':')?;
        Ok(key)
    }

    /// `Null` for what is not kept.
    fn value(&mut self, keep: bool, depth: usize) -> Result<Value, LineFault> {
        if depth > DEEPEST {
            return Err(self.wrong(&format!("at most {DEEPEST} levels of brackets")));
        }
        if self.at_string() {
            let text = self.string(keep)?;
            return Ok(if keep { Value::String(text) } else { Value::Null });
        }
        match self.peek() {
            Some(b'[') => self.list(keep, depth),
            Some(b'(') => self.tuple(keep, depth),
            Some(b'{') => self.map(keep, depth),
            Some(b'+' | b'-' | b'.' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn list(&mut self, keep: bool, depth: usize) -> Result<Value, LineFault> {
        self.expect(b'[')?;
        let (items, _) = self.items(b']', keep, depth)?;
        Ok(Value::Array(items))
    }

    /// `(a,)` is a tuple, `(a)` is `a`.
    fn tuple(&mut self, keep: bool, depth: usize) -> Result<Value, LineFault> {
        self.expect(b'(')?;
        let (mut items, commas) = self.items(b')', keep, depth)?;
        match (commas, items.len()) {
            (0, 1) => Ok(items.remove(0)),
            _ => Ok(Value::Array(items)),
        }
    }

    /// Values up to `close`, and the number of commas.
    fn items(&mut self, close: u8, keep: bool, depth: usize) -> Result<(Vec<Value>, usize), LineFault> {
        let (mut items, mut commas) = (Vec::new(), 0);
        while !self.take(close) {
            let value = self.value(keep, depth + 1)?;
            if keep {
                items.push(value);
            }
            if !self.take(b',') {
                self.expect(close)?;
                break;
            }
            commas += 1;
        }
        Ok((items, commas))
    }

    fn map(&mut self, keep: bool, depth: usize) -> Result<Value, LineFault> {
        self.expect(b'{')?;
        let mut members = Map::new();
        while !self.take(b'}') {
            let key = self.key()?;
            let value = self.value(keep, depth + 1)?;
            if keep {
                members.insert(key, value);
            }
            if !self.take(b',') {
                self.expect(b'}')?;
                break;
            }
        }
        Ok(Value::Object(members))
    }

    fn word(&mut self) -> Result<Value, LineFault> {
        let rest = &self.text[self.place..];
        let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let value = match &rest[..length] {
            "None" => Value::Null,
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            _ => return Err(self.wrong("a string, a number, a list, a dict, None, True or False")),
        };
        self.place += length;
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, LineFault> {
        let rest = &self.text.as_bytes()[self.place..];
        let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_');
        let length = rest.iter().take_while(|b| part(b)).count();
        let written = &self.text[self.place..self.place + length];
        // Python 2 wrote long integers as 12L.
        let digits = written.strip_suffix('L').unwrap_or(written);
        let value = parse_number(digits).filter(|n| digits.len() == length || !n.is_f64());
        let value = value.ok_or_else(|| self.wrong("a whole or decimal number within range"))?;
        self.place += length;
        Ok(Value::Number(value))
    }

    fn at_string(&mut self) -> bool {
        let quote = |byte: Option<&u8>| matches!(byte, Some(b'\'' | b'"'));
        self.peek();
        let rest = &self.text.as_bytes()[self.place..];
        quote(rest.first()) || (matches!(rest.first(), Some(b'u' | b'U')) && quote(rest.get(1)))
    }

    /// The string at the place; empty if it is not kept.
    fn string(&mut self, keep: bool) -> Result<String, LineFault> {
        let prefix = usize::from(matches!(self.peek(), Some(b'u' | b'U')));
        let mut strings = Strings::new(self.text, self.place + prefix, keep);
        let text = strings.read()?;
        self.place = strings.place;
        self.replaced += strings.replaced;
        Ok(text)
    }

    fn end(&mut self) -> Result<(), LineFault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong("the end of the line")),
        }
    }

    /// Next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.place..];
        self.place += rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\x0c')).count();
        self.text.as_bytes().get(self.place).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), LineFault> {
        if self.take(byte) {
            return Ok(());
        }
        Err(self.wrong(&format!("'{}'", byte as char)))
    }

    fn wrong(&self, expected: &str) -> LineFault {
        let found = match self.text[self.place..].chars().next() {
            Some(c) => format!("'{}'", c.escape_debug()),
            None => "the end of the line".into(),
        };
        LineFault { byte: Some(self.place + 1), problem: format!("expected {expected}, found {found}") }
    }
}

/// A decimal number; integers that no 64 bits hold become decimals, as they would in JSON.
fn parse_number(text: &str) -> Option<Number> {
    let digits = text.trim_start_matches(['+', '-']);
    let sign = text.len() - digits.len();
    if sign > 1 || digits.bytes().any(|b| !matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    let whole = digits.bytes().all(|b| b.is_ascii_digit());
    // 007 is an error in Python 3 and another number in Python 2.
    if whole && digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    if whole && let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests;
