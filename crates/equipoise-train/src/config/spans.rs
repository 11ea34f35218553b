//! Where each key of a TOML text stands.

use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// Line (from 1) of every dotted key whose value is not a table; empty when the text is no TOML.
pub fn lines(text: &str) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    if let Ok(table) = DeTable::parse(text) {
        walk(text, "", table.get_ref(), &mut lines);
    }
    lines
}

fn walk(text: &str, prefix: &str, table: &DeTable, lines: &mut BTreeMap<String, usize>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        match value.get_ref() {
            DeValue::Table(inner) => walk(text, &key, inner, lines),
            _ => {
                lines.insert(key, 1 + text[..name.span().start].matches('\n').count());
            }
        }
    }
}
