//! A point of the search space.

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;
use toml::Value;

/// One value for each searched setting, in the space's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point(Vec<(String, Value)>);

impl Point {
    /// A point from settings, such as `("train.lr", 0.001)`.
    pub fn new(settings: Vec<(String, Value)>) -> Point {
        Point(settings)
    }

    /// Its settings.
    pub fn settings(&self) -> &[(String, Value)] {
        &self.0
    }

    /// The value of a setting.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The value of a numeric setting.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Value::Float(v) => Some(*v),
            Value::Integer(v) => Some(*v as f64),
            _ => None,
        }
    }
}

/// `train.lr = 0.001, train.reg = 0.01`: every digit, so that it reads back as the same point.
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, (key, value)) in self.0.iter().enumerate() {
            let comma = if k == 0 { "" } else { ", " };
            write!(f, "{comma}{key} = {value}")?;
        }
        Ok(())
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A value for people: numbers with at most four significant digits.
pub fn short(value: &Value) -> String {
    match value {
        Value::Float(v) => digits(*v),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn digits(v: f64) -> String {
    let plain = v == 0.0 || (1e-3..1e5).contains(&v.abs());
    let rounded: f64 = format!("{v:.3e}").parse().unwrap_or(v);
    if plain { format!("{rounded}") } else { format!("{rounded:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shortened_for_people_and_whole_in_files() {
        let short = |v: f64| short(&Value::Float(v));
        assert_eq!(short(0.001), "0.001");
        assert_eq!(short(0.000_123_456), "1.235e-4");
        assert_eq!(short(12.345_67), "12.35");
        assert_eq!(short(0.0), "0");
        let point = Point::new(vec![("train.lr".into(), Value::Float(0.1 + 0.2))]);
        assert_eq!(point.to_string(), "train.lr = 0.30000000000000004");
    }
}
