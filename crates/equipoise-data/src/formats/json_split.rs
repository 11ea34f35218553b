//! A split as JSON: `{"user id": [item id, ...], ...}`.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::gathered::GatheredSplit;
use crate::error::DataError;
use crate::faults::Faults;
use crate::quoted::quoted;
use crate::text::json;

const SHAPE: &str = "{\"user id\": [item ids], ...}";

/// Reads one split file.
///
/// # Errors
/// When loading, the first fault; when checking, none: faults go to `faults` and what could be
/// understood is returned.
pub(crate) fn read(file: &Path, faults: &mut Faults) -> Result<Option<GatheredSplit>, DataError> {
    if !file.is_file() {
        let expected = "the interactions of one split as {\"user id\": [item ids], ...}";
        let file = file.to_owned();
        faults.add(DataError::MissingFile { file, expected })?;
        return Ok(None);
    }
    let mut contents = Contents::default();
    // What came before the damage is no split: nothing is half read.
    if faults.keep(json::read(file, SHAPE, Users(&mut contents)))?.is_none() {
        return Ok(None);
    }
    let origin = file.display().to_string();
    let entries = contents.faults.into_iter().map(|(place, problem)| DataError::Entry {
        file: file.to_owned(),
        place,
        problem,
    });
    faults.add_all(entries, &origin, "malformed entry")?;
    let mut users: Vec<u32> = contents.seen.into_iter().collect();
    users.sort_unstable();
    let pairs = contents.pairs;
    Ok(Some(GatheredSplit { origin, users, pairs, times: Vec::new() }))
}

#[derive(Default)]
struct Contents {
    pairs: Vec<(u32, u32)>,
    seen: HashSet<u32>,
    /// Place and problem.
    faults: Vec<(String, String)>,
}

impl Contents {
    fn user(&mut self, key: &str) -> Option<u32> {
        let digits = !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
        let fault = match key.parse().ok().filter(|_| digits) {
            Some(user) if self.seen.insert(user) => return Some(user),
            Some(_) => "the user occurs twice, expected one list per user; join the lists",
            None => "the user id is no index, expected a whole number from 0 in quotes; number the users",
        };
        self.faults.push((format!("user {}", quoted(key)), fault.to_owned()));
        None
    }
}

/// The outer object.
struct Users<'a>(&'a mut Contents);

impl<'de> DeserializeSeed<'de> for Users<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Users<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from user ids to lists of item ids")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let user = self.0.user(&key);
            let contents = &mut *self.0;
            map.next_value_seed(Items { contents, key: &key, user })?;
        }
        Ok(())
    }
}

/// The list of one user.
struct Items<'a> {
    contents: &'a mut Contents,
    key: &'a str,
    /// `None` if the key was faulty: the list is then read for its faults only.
    user: Option<u32>,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of item ids for user {}", quoted(self.key))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut position = 0;
        while let Some(entry) = list.next_element::<Entry>()? {
            position += 1;
            match (entry, self.user) {
                (Entry::Item(item), Some(user)) => self.contents.pairs.push((user, item)),
                (Entry::Item(_), None) => {}
                (Entry::Other(found), _) => {
                    let place = format!("user {}, entry {position}", quoted(self.key));
                    let problem = format!(
                        "item id {found}, expected a whole number from 0 to {}; number the items from 0",
                        u32::MAX
                    );
                    self.contents.faults.push((place, problem));
                }
            }
        }
        Ok(())
    }
}

/// One entry of a list: an item id, or what stands in its place.
enum Entry {
    Item(u32),
    Other(String),
}

impl<'de> de::Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item id")
    }

    fn visit_u64<E>(self, value: u64) -> Result<Entry, E> {
        Ok(u32::try_from(value).map_or_else(|_| Entry::Other(value.to_string()), Entry::Item))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Entry, E> {
        Ok(Entry::Other(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Entry, E> {
        Ok(Entry::Other(format!("{value:?}")))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Entry, E> {
        Ok(Entry::Other(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Entry, E> {
        Ok(Entry::Other("null".into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Entry, E> {
        Ok(Entry::Other(quoted(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry::Other("[a list]".into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Entry::Other("{an object}".into()))
    }
}
