//! Raw ids by index, one behind the other in memory.

use hashbrown::HashTable;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::ops::{Index, Range};

/// Raw ids in the order of their indices: `ids[k]` is the id of index `k`.
///
/// The texts lie one behind the other, so that an id takes its bytes and eight more.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Ids {
    text: String,
    /// Where each id ends in `text`.
    ends: Vec<usize>,
}

impl Ids {
    /// Number of ids.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id of an index, if there is one.
    pub fn get(&self, index: usize) -> Option<&str> {
        (index < self.len()).then(|| &self[index])
    }

    /// The first id, if there is one.
    pub fn first(&self) -> Option<&str> {
        self.get(0)
    }

    /// All ids in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator + Clone {
        self.range(0..self.len())
    }

    /// The ids of some indices in order.
    ///
    /// # Panics
    /// When the iterator reaches an index beyond the ids.
    pub fn range(
        &self,
        indices: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator + Clone {
        indices.map(|index| &self[index])
    }

    /// Adds an id behind the others.
    pub fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
    }

    /// Each id as a text of its own.
    pub fn to_vec(&self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }

    fn shrink(mut self) -> Ids {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        self
    }
}

impl Index<usize> for Ids {
    type Output = str;

    fn index(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }
}

impl<S: AsRef<str>> FromIterator<S> for Ids {
    fn from_iter<I: IntoIterator<Item = S>>(ids: I) -> Ids {
        let mut all = Ids::default();
        ids.into_iter().for_each(|id| all.push(id.as_ref()));
        all.shrink()
    }
}

impl From<Vec<String>> for Ids {
    fn from(ids: Vec<String>) -> Ids {
        ids.into_iter().collect()
    }
}

impl<S: AsRef<str>> PartialEq<[S]> for Ids {
    fn eq(&self, other: &[S]) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}

impl<S: AsRef<str>, const N: usize> PartialEq<[S; N]> for Ids {
    fn eq(&self, other: &[S; N]) -> bool {
        *self == other[..]
    }
}

impl<S: AsRef<str>, const N: usize> PartialEq<[S; N]> for &Ids {
    fn eq(&self, other: &[S; N]) -> bool {
        **self == other[..]
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Ids {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ids, D::Error> {
        struct Collects;
        impl<'de> Visitor<'de> for Collects {
            type Value = Ids;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut ids: A) -> Result<Ids, A::Error> {
                let mut all = Ids::default();
                // An owned text also where the input has escapes, which cannot be borrowed.
                while let Some(id) = ids.next_element::<std::borrow::Cow<str>>()? {
                    all.push(&id);
                }
                Ok(all.shrink())
            }
        }
        deserializer.deserialize_seq(Collects)
    }
}

/// Ids with a table that finds the index of each.
#[derive(Clone, Default)]
pub(crate) struct IndexedIds {
    ids: Ids,
    table: HashTable<u32>,
    hasher: RandomState,
}

impl IndexedIds {
    /// The ids with their table.
    ///
    /// # Errors
    /// The first id that occurs twice.
    pub(crate) fn new(ids: Ids) -> Result<IndexedIds, String> {
        let hasher = RandomState::new();
        let mut table = HashTable::with_capacity(ids.len());
        for (index, id) in ids.iter().enumerate() {
            let hash = hasher.hash_one(id);
            if table.find(hash, |&other: &u32| &ids[other as usize] == id).is_some() {
                return Err(id.to_owned());
            }
            table.insert_unique(hash, index as u32, |&other| hasher.hash_one(&ids[other as usize]));
        }
        Ok(IndexedIds { ids, table, hasher })
    }

    /// The ids.
    pub(crate) fn ids(&self) -> &Ids {
        &self.ids
    }

    /// The index of an id.
    pub(crate) fn index_of(&self, id: &str) -> Option<u32> {
        self.table.find(self.hasher.hash_one(id), |&index| &self.ids[index as usize] == id).copied()
    }
}

impl fmt::Debug for IndexedIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ids.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_are_those_that_were_given(ids in prop::collection::vec(".{0,6}", 0..20)) {
            let kept = Ids::from(ids.clone());
            prop_assert_eq!(kept.to_vec(), ids.clone());
            prop_assert_eq!(kept.iter().rev().collect::<Vec<_>>(), ids.iter().rev().collect::<Vec<_>>());
            prop_assert_eq!(kept.get(ids.len()), None);
            let json = serde_json::to_string(&ids).expect("texts");
            prop_assert_eq!(&serde_json::to_string(&kept).expect("texts"), &json);
            prop_assert_eq!(serde_json::from_str::<Ids>(&json).expect("a list of texts"), kept);
        }

        #[test]
        fn the_table_finds_each_and_only_those(ids in prop::collection::vec("[ab]{0,3}", 0..20), other in "[ab]{0,4}") {
            let first_twice = (0..ids.len()).find(|&k| ids[..k].contains(&ids[k]));
            match (IndexedIds::new(Ids::from(ids.clone())), first_twice) {
                (Ok(indexed), None) => {
                    for (k, id) in ids.iter().enumerate() {
                        prop_assert_eq!(indexed.index_of(id), Some(k as u32));
                    }
                    let place = ids.iter().position(|id| *id == other).map(|k| k as u32);
                    prop_assert_eq!(indexed.index_of(&other), place);
                }
                (Err(repeated), Some(k)) => prop_assert_eq!(&repeated, &ids[k]),
                (found, expected) => prop_assert!(false, "{:?}, but {:?} occurs twice", found, expected),
            }
        }
    }
}
