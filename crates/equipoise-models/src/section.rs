//! Sections of a configuration by name. Only the entries of a registry know their types.
//!
//! A backbone or a balancer brings settings of its own: any type that serde reads and writes. A configuration keeps the
//! settings that were given and has the defaults of all others, those of entries registered at run time included.

use serde::de::value::Error as NoValue;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, Visitor};
use serde::{Deserializer, Serialize, Serializer};
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The traits that settings of an entry need. Implemented for every type that has them.
///
/// Derive `Serialize` and `Deserialize` with `#[serde(default, deny_unknown_fields)]`, so that a setting that is left
/// out has its default and a mistyped one is refused.
pub trait Settings:
    Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T> Settings for T where
    T: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

/// Settings of a type that is not known here.
pub trait Section: Any + Debug + Send + Sync + erased_serde::Serialize {
    /// A copy.
    fn boxed(&self) -> Box<dyn Section>;
    /// Whether the other is of the same type and has the same values.
    fn equals(&self, other: &dyn Section) -> bool;
    /// Whether every value is the default.
    fn is_default(&self) -> bool;
}

impl<T: Settings> Section for T {
    fn boxed(&self) -> Box<dyn Section> {
        Box::new(self.clone())
    }

    fn equals(&self, other: &dyn Section) -> bool {
        typed::<T>(other) == Some(self)
    }

    fn is_default(&self) -> bool {
        *self == T::default()
    }
}

/// The settings, if they are of type `T`.
pub fn typed<T: Settings>(section: &dyn Section) -> Option<&T> {
    (section as &dyn Any).downcast_ref()
}

type Parse = fn(&mut dyn erased_serde::Deserializer<'_>) -> Result<Box<dyn Section>, erased_serde::Error>;

/// How the section of one type of settings is read.
#[derive(Clone, Copy)]
pub struct SectionType {
    default: fn() -> Box<dyn Section>,
    parse: Parse,
    holds: fn(&dyn Section) -> bool,
    fields: fn() -> &'static [&'static str],
}

impl SectionType {
    /// The type of a section that holds `T`.
    pub const fn of<T: Settings>() -> SectionType {
        SectionType {
            default: || Box::new(T::default()),
            parse: |input| erased_serde::deserialize::<T>(input).map(|settings| settings.boxed()),
            holds: |section| typed::<T>(section).is_some(),
            fields: fields_of::<T>,
        }
    }

    /// The defaults.
    pub fn default_section(&self) -> Box<dyn Section> {
        (self.default)()
    }

    /// Names of the settings, those without a default value included.
    pub fn fields(&self) -> &'static [&'static str] {
        (self.fields)()
    }
}

impl<'de> DeserializeSeed<'de> for SectionType {
    type Value = Box<dyn Section>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Box<dyn Section>, D::Error> {
        let parsed = (self.parse)(&mut <dyn erased_serde::Deserializer<'_>>::erase(input));
        // A format may add where it is on lines of its own, and adds it again to the error that is made here.
        parsed.map_err(|fault| D::Error::custom(fault.to_string().lines().next().unwrap_or_default()))
    }
}

/// Sections by name: those that were given. Whatever is not here has its defaults.
#[derive(Default)]
pub struct Sections {
    given: BTreeMap<String, Box<dyn Section>>,
}

impl Sections {
    /// The settings of that name; the defaults where none of that type were given.
    pub fn get<T: Settings>(&self, name: &str) -> T {
        self.given.get(name).and_then(|section| typed::<T>(section.as_ref())).cloned().unwrap_or_default()
    }

    /// The settings of that name, to be changed.
    pub fn get_mut<T: Settings>(&mut self, name: &str) -> &mut T {
        let settings: T = self.get(name);
        self.insert(name, Box::new(settings));
        let section = self.given.get_mut(name).expect("it was put there just now");
        (section.as_mut() as &mut dyn Any).downcast_mut().expect("it is of type `T`, as it was put there")
    }

    /// Puts a section in the place of another of that name.
    pub fn insert(&mut self, name: &str, section: Box<dyn Section>) {
        self.given.insert(name.to_owned(), section);
    }

    /// The section of that name and type: what was given, or the defaults.
    pub fn of(&self, name: &str, of: SectionType) -> Box<dyn Section> {
        let given = self.given.get(name).filter(|section| (of.holds)(section.as_ref()));
        given.map_or_else(|| of.default_section(), |section| section.boxed())
    }

    /// The same, as it is written.
    pub fn written(&self, name: &str, of: SectionType) -> impl Serialize {
        Written(self.of(name, of))
    }
}

impl Clone for Sections {
    fn clone(&self) -> Sections {
        Sections { given: self.given.iter().map(|(name, section)| (name.clone(), section.boxed())).collect() }
    }
}

impl PartialEq for Sections {
    fn eq(&self, other: &Sections) -> bool {
        let within = |a: &Sections, b: &Sections| {
            a.given.iter().all(|(name, section)| match b.given.get(name) {
                Some(other) => section.equals(other.as_ref()),
                None => section.is_default(),
            })
        };
        within(self, other) && within(other, self)
    }
}

impl Debug for Sections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(&self.given).finish()
    }
}

struct Written(Box<dyn Section>);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        erased_serde::serialize(self.0.as_ref(), output)
    }
}

/// The error for a key that is neither one of `own` nor a section, in serde's words.
pub fn unknown_key<E: serde::de::Error>(key: &str, own: &[&str], sections: &[&str]) -> E {
    let known: Vec<String> = own.iter().chain(sections).map(|name| format!("`{name}`")).collect();
    E::custom(format!("unknown field `{key}`, expected one of {}", known.join(", ")))
}

/// The names of a struct's fields, which serde hands to whatever the struct is read from.
fn fields_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // Reading always fails: there is nothing to read.
    let _ = T::deserialize(FieldNames(&mut fields));
    fields
}

struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = NoValue;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, NoValue> {
        Err(NoValue::custom("there is no value"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NoValue> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Mine {
        depth: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<f64>,
    }

    fn parsed(text: &str) -> Result<Box<dyn Section>, String> {
        let mut input = serde_json::Deserializer::from_str(text);
        SectionType::of::<Mine>().deserialize(&mut input).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_section_is_read_with_its_defaults_and_refuses_what_it_does_not_know() {
        let section = parsed(r#"{"depth": 3}"#).unwrap();
        assert_eq!(typed::<Mine>(section.as_ref()), Some(&Mine { depth: 3, limit: None }));
        assert!(parsed(r#"{"deep": 3}"#).unwrap_err().contains("unknown field `deep`"));
        assert!(parsed(r#"{"depth": "x"}"#).unwrap_err().contains("invalid type"));
    }

    #[test]
    fn settings_without_a_default_value_are_known_by_name() {
        assert_eq!(SectionType::of::<Mine>().fields(), ["depth", "limit"]);
    }

    #[test]
    fn a_section_left_out_equals_one_of_defaults() {
        let (mut given, none) = (Sections::default(), Sections::default());
        given.get_mut::<Mine>("mine");
        assert_eq!(given, none);
        given.get_mut::<Mine>("mine").depth = 1;
        assert_ne!(given, none);
        assert_ne!(none, given);
        assert_eq!(given.clone(), given);
        assert_eq!((given.get::<Mine>("mine").depth, given.get::<Mine>("other").depth), (1, 0));
    }
}
