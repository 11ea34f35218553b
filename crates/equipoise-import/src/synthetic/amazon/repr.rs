//! Values as Python's `repr` writes them, for lines of metadata.

use std::fmt::Write;

use serde_json::Value;

/// The value as a Python literal in ASCII.
pub(crate) fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (n, (key, member)) in members.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                write_text(key, out);
                out.push_str(": ");
                write_value(member, out);
            }
            out.push('}');
        }
    }
}

/// In single quotes, unless that would need an escape and double quotes would not.
fn write_text(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    if !text.is_ascii() {
        out.push('u');
    }
    out.push(quote);
    for character in text.chars() {
        let written = match character {
            '\\' => out.write_str("\\\\"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            c if c == quote => write!(out, "\\{c}"),
            ' '..='~' => out.write_char(character),
            '\0'..='\u{ff}' => write!(out, "\\x{:02x}", character as u32),
            '\u{100}'..='\u{ffff}' => write!(out, "\\u{:04x}", character as u32),
            _ => write!(out, "\\U{:08x}", character as u32),
        };
        written.expect("writing to memory");
    }
    out.push(quote);
}
