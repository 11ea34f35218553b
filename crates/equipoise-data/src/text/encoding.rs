//! Names of encodings of text.

use std::fmt::{self, Display};
use std::str::FromStr;

use encoding_rs::Encoding;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::quoted::quoted;

/// An encoding of text by one of the labels of the [WHATWG Encoding Standard](https://encoding.spec.whatwg.org):
/// `windows-1252`, `latin1`, `utf-16le`, `gbk`, `shift_jis`, ...
///
/// ```
/// use equipoise_data::TextEncoding;
/// let encoding: TextEncoding = "latin1".parse()?;
/// assert_eq!(encoding.to_string(), "windows-1252");
/// assert!("utf-32".parse::<TextEncoding>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextEncoding(pub(super) &'static Encoding);

impl FromStr for TextEncoding {
    type Err = String;

    fn from_str(label: &str) -> Result<TextEncoding, String> {
        let known = Encoding::for_label_no_replacement(label.as_bytes()).map(TextEncoding);
        known.ok_or_else(|| {
            format!(
                "expected the name of an encoding, such as utf-8, windows-1252, utf-16le, gbk or shift_jis, found {}; \
                 convert the file to UTF-8 if its encoding has none",
                quoted(label)
            )
        })
    }
}

impl Display for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl Serialize for TextEncoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for TextEncoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
