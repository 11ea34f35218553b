//! Conditions on the attributes of items.

use crate::error::RecommendError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A condition on an item's attributes. A condition on an attribute with several values, such as categories, holds if it holds
/// for one of them; `all_of` wants each of its values among them. An item without the attribute passes `missing` alone.
///
/// ```
/// use equipoise_recommend::Filter;
/// let filter: Filter = serde_json::from_str(
///     r#"{"and": [{"any_of": {"category": ["shoes", "boots"]}}, {"range": {"price": {"max": 50}}}, {"not": {"missing": "picture"}}]}"#,
/// )?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(no_recursion))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Filter {
    /// Each attribute has this value.
    Equals(BTreeMap<String, Value>),
    /// Each attribute has one of these values.
    AnyOf(BTreeMap<String, Vec<Value>>),
    /// Each attribute has all of these values.
    AllOf(BTreeMap<String, Vec<Value>>),
    /// Each attribute is a number within these bounds, which are part of the range.
    Range(BTreeMap<String, Bounds>),
    /// The item has no such attribute.
    Missing(String),
    /// Every condition holds.
    And(Vec<Filter>),
    /// One of the conditions holds.
    Or(Vec<Filter>),
    /// The condition does not hold.
    Not(Box<Filter>),
}

/// Bounds of a range; each may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// Least value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl Filter {
    /// Names every attribute that it reads.
    pub(crate) fn attributes<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Filter::Equals(map) => names.extend(map.keys().map(String::as_str)),
            Filter::AnyOf(map) | Filter::AllOf(map) => names.extend(map.keys().map(String::as_str)),
            Filter::Range(map) => names.extend(map.keys().map(String::as_str)),
            Filter::Missing(name) => names.push(name),
            Filter::And(all) | Filter::Or(all) => all.iter().for_each(|f| f.attributes(names)),
            Filter::Not(inner) => inner.attributes(names),
        }
    }

    /// Checks the filter against the attributes that some item has.
    ///
    /// # Errors
    /// An attribute that no item has, a range without bounds, or one that is empty.
    pub(crate) fn check(&self, known: impl Fn(&str) -> bool, all: &[String]) -> Result<(), RecommendError> {
        let mut names = Vec::new();
        self.attributes(&mut names);
        if let Some(name) = names.into_iter().find(|name| !known(name)) {
            let problem = match all {
                [] => format!(
                    "no item has an attribute {name:?}, nor any other; items.jsonl of the model has none"
                ),
                _ => format!("no item has an attribute {name:?}, only {}", all.join(", ")),
            };
            return Err(RecommendError::field("filter", problem));
        }
        self.check_ranges()
    }

    fn check_ranges(&self) -> Result<(), RecommendError> {
        match self {
            Filter::Range(map) => {
                let empty = |b: &Bounds| b.min.unwrap_or(f64::NEG_INFINITY) > b.max.unwrap_or(f64::INFINITY);
                let bad = |b: &Bounds| (b.min.is_none() && b.max.is_none()) || empty(b);
                match map.iter().find(|(_, bounds)| bad(bounds)) {
                    Some((name, _)) => Err(RecommendError::field(
                        format!("filter.range.{name}"),
                        "expected `min`, `max` or both, with min at most max",
                    )),
                    None => Ok(()),
                }
            }
            Filter::And(all) | Filter::Or(all) => all.iter().try_for_each(Filter::check_ranges),
            Filter::Not(inner) => inner.check_ranges(),
            Filter::Equals(_) | Filter::AnyOf(_) | Filter::AllOf(_) | Filter::Missing(_) => Ok(()),
        }
    }

    /// Whether an item with these attributes passes.
    pub(crate) fn passes(&self, attributes: &Map<String, Value>) -> bool {
        let values = |name: &str| values(attributes.get(name));
        match self {
            Filter::Equals(map) => map.iter().all(|(name, want)| values(name).iter().any(|v| same(v, want))),
            Filter::AnyOf(map) => map
                .iter()
                .all(|(name, wants)| values(name).iter().any(|v| wants.iter().any(|want| same(v, want)))),
            Filter::AllOf(map) => map
                .iter()
                .all(|(name, wants)| wants.iter().all(|want| values(name).iter().any(|v| same(v, want)))),
            Filter::Range(map) => map.iter().all(|(name, bounds)| {
                let within =
                    |v: f64| bounds.min.is_none_or(|min| v >= min) && bounds.max.is_none_or(|max| v <= max);
                values(name).iter().filter_map(|v| v.as_f64()).any(within)
            }),
            Filter::Missing(name) => values(name).is_empty(),
            Filter::And(all) => all.iter().all(|f| f.passes(attributes)),
            Filter::Or(all) => all.iter().any(|f| f.passes(attributes)),
            Filter::Not(inner) => !inner.passes(attributes),
        }
    }
}

/// The values of an attribute: none, one, or those of a list.
fn values(attribute: Option<&Value>) -> &[Value] {
    match attribute {
        None | Some(Value::Null) => &[],
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
    }
}

/// Whether two values are equal; numbers by their value, so that 1 is 1.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn passes(filter: Value, item: Value) -> bool {
        let filter: Filter = serde_json::from_value(filter).expect("a filter");
        filter.passes(item.as_object().expect("attributes"))
    }

    #[test]
    fn each_condition_means_what_it_says() {
        let item = json!({"brand": "A", "category": ["shoes", "red"], "price": 20, "note": null});
        for (filter, expected) in [
            (json!({"equals": {"brand": "A"}}), true),
            (json!({"equals": {"brand": "A", "price": 20.0}}), true),
            (json!({"equals": {"brand": "B"}}), false),
            (json!({"equals": {"category": "red"}}), true),
            (json!({"any_of": {"category": ["hats", "red"]}}), true),
            (json!({"any_of": {"category": []}}), false),
            (json!({"all_of": {"category": ["shoes", "red"]}}), true),
            (json!({"all_of": {"category": ["shoes", "blue"]}}), false),
            (json!({"range": {"price": {"min": 20}}}), true),
            (json!({"range": {"price": {"max": 19.9}}}), false),
            (json!({"range": {"brand": {"max": 19.9}}}), false),
            (json!({"missing": "note"}), true),
            (json!({"missing": "price"}), false),
            (json!({"not": {"missing": "price"}}), true),
            (json!({"and": [{"equals": {"brand": "A"}}, {"missing": "price"}]}), false),
            (json!({"or": [{"equals": {"brand": "A"}}, {"missing": "price"}]}), true),
            (json!({"or": []}), false),
        ] {
            assert_eq!(passes(filter.clone(), item.clone()), expected, "{filter}");
        }
    }

    #[test]
    fn unknown_words_attributes_and_empty_ranges_are_refused() {
        assert!(serde_json::from_value::<Filter>(json!({"equal": {"brand": "A"}})).is_err());
        assert!(serde_json::from_value::<Filter>(json!({"range": {"price": {"least": 1}}})).is_err());
        let check = |filter: Value| {
            let filter: Filter = serde_json::from_value(filter).expect("a filter");
            filter.check(|name| name == "price", &["price".into()])
        };
        assert!(check(json!({"range": {"price": {"min": 1}}})).is_ok());
        for wrong in [
            json!({"missing": "colour"}),
            json!({"range": {"price": {}}}),
            json!({"not": {"range": {"price": {"min": 2, "max": 1}}}}),
        ] {
            assert!(check(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
