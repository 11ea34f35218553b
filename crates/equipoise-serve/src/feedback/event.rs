//! What happened between a user and an item.

use crate::limits;
use crate::problem::Problem;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt::{self, Formatter};
use std::time::{SystemTime, UNIX_EPOCH};
use utoipa::ToSchema;

/// Largest weight of an event.
pub const LARGEST_EVENT_WEIGHT: f64 = 1000.0;
/// Most characters of a kind.
const LONGEST_KIND: usize = 50;
/// Largest time: the end of the year 9999.
const LATEST: f64 = 253_402_300_799.0;

/// Events to keep.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackRequest {
    /// The events, in the order in which they happened.
    #[serde(deserialize_with = "objects")]
    #[schema(min_items = 1, max_items = 1000)]
    pub events: Vec<FeedbackEvent>,
    /// Whether the answer waits until the events are on the disk, at most about a second. Otherwise they are kept within a
    /// second, and an end of the machine or the program in between loses them.
    #[serde(default)]
    #[schema(default = false)]
    pub durable: bool,
}

/// What happened between a user and an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackEvent {
    /// Raw id of the user, whom no model needs to know.
    #[schema(min_length = 1, max_length = 1000)]
    pub user: String,
    /// Raw id of the item. One that no model knows is kept for the next training.
    #[schema(min_length = 1, max_length = 1000)]
    pub item: String,
    /// What happened, such as `click` or `purchase`.
    #[serde(default = "usual")]
    #[schema(min_length = 1, max_length = 50, default = "interaction")]
    pub kind: String,
    /// How much it counts: above 0 the item is liked, with 0 it was seen and is left out of lists.
    #[serde(default = "one")]
    #[schema(minimum = 0.0, maximum = 1000.0, default = 1.0)]
    pub weight: f64,
    /// When it happened, in seconds since 1970; now if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 253_402_300_799.0)]
    pub time: Option<f64>,
    /// An id of the event: of two events with one id the first is kept, so that a request may be sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1000)]
    pub id: Option<String>,
}

/// Reads events that are objects: the derived reader takes a list for one as well, its entries for the fields in their order.
fn objects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FeedbackEvent>, D::Error> {
    struct Named(FeedbackEvent);
    struct Map;

    impl<'de> Visitor<'de> for Map {
        type Value = Named;

        fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
            f.write_str("an object of `user`, `item` and more")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Named, A::Error> {
            FeedbackEvent::deserialize(MapAccessDeserializer::new(map)).map(Named)
        }
    }

    impl<'de> Deserialize<'de> for Named {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named, D::Error> {
            deserializer.deserialize_map(Map)
        }
    }

    Ok(Vec::<Named>::deserialize(deserializer)?.into_iter().map(|Named(event)| event).collect())
}

fn usual() -> String {
    "interaction".to_owned()
}

fn one() -> f64 {
    1.0
}

impl FeedbackRequest {
    /// Checks the events.
    ///
    /// # Errors
    /// No event or too many, a field out of its range.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.events.is_empty() {
            return Err(Problem::field("events", "no event; give at least one"));
        }
        limits::length("events", self.events.len())?;
        self.events.iter().enumerate().try_for_each(|(place, event)| event.check(&format!("events[{place}]")))
    }
}

impl FeedbackEvent {
    fn check(&self, at: &str) -> Result<(), Problem> {
        limits::id(&format!("{at}.user"), &self.user)?;
        limits::id(&format!("{at}.item"), &self.item)?;
        self.id.iter().try_for_each(|id| limits::id(&format!("{at}.id"), id))?;
        let texts = [
            ("user", Some(&self.user)),
            ("item", Some(&self.item)),
            ("kind", Some(&self.kind)),
            ("id", self.id.as_ref()),
        ];
        if let Some((field, _)) = texts.iter().find(|(_, text)| text.is_some_and(|text| text.contains('\0')))
        {
            return Err(Problem::field(format!("{at}.{field}"), "a character of code 0, which no id has"));
        }
        if !(1..=LONGEST_KIND).contains(&self.kind.chars().count()) {
            let detail = format!("{} characters, expected 1 to {LONGEST_KIND}", self.kind.chars().count());
            return Err(Problem::field(format!("{at}.kind"), detail));
        }
        if !(0.0..=LARGEST_EVENT_WEIGHT).contains(&self.weight) {
            let detail =
                format!("{}, expected a number from 0 (seen only) to {LARGEST_EVENT_WEIGHT}", self.weight);
            return Err(Problem::field(format!("{at}.weight"), detail));
        }
        match self.time {
            Some(time) if !(0.0..=LATEST).contains(&time) => {
                let detail = format!("{time}, expected seconds since 1970, at most {LATEST}");
                Err(Problem::field(format!("{at}.time"), detail))
            }
            _ => Ok(()),
        }
    }

    /// The same with a time.
    pub(crate) fn dated(mut self) -> FeedbackEvent {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.time.get_or_insert((now.as_secs_f64() * 1e3).round() / 1e3);
        self
    }
}
