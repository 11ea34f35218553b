//! What stands between the cells of a row.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::quoted::quoted;

/// What separates the cells of a table of text.
///
/// ```
/// use equipoise_data::Separator;
/// assert_eq!(";".parse(), Ok(Separator::Byte(b';')));
/// assert_eq!("tab".parse(), Ok(Separator::Byte(b'\t')));
/// assert_eq!("::".parse(), Ok(Separator::Text("::".into())));
/// assert_eq!("blanks".parse(), Ok(Separator::Blanks));
/// assert!("x".parse::<Separator>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Separator {
    /// One ASCII character. Cells may be quoted.
    Byte(u8),
    /// Several characters, or one that is not ASCII. Quotation marks are part of a cell.
    Text(String),
    /// Blanks and tabs, one or several. Cells may be quoted within a line.
    Blanks,
}

impl Separator {
    /// As it is written on the command line and in a configuration.
    fn label(&self) -> String {
        match self {
            Separator::Byte(b'\t') => "tab".into(),
            Separator::Byte(byte) => char::from(*byte).into(),
            Separator::Text(text) => text.clone(),
            Separator::Blanks => "blanks".into(),
        }
    }
}

impl FromStr for Separator {
    type Err = String;

    fn from_str(text: &str) -> Result<Separator, String> {
        let usable = |c: char| !c.is_alphanumeric() && !matches!(c, '"' | '\n' | '\r' | '\0');
        Ok(match text {
            "tab" | "\\t" => Separator::Byte(b'\t'),
            "comma" => Separator::Byte(b','),
            "semicolon" => Separator::Byte(b';'),
            "pipe" => Separator::Byte(b'|'),
            "blanks" | "blank" | "space" | " " => Separator::Blanks,
            _ if text.len() == 1 && text.chars().all(usable) => Separator::Byte(text.as_bytes()[0]),
            _ if !text.is_empty() && text.starts_with(usable) && !text.contains(['"', '\n', '\r', '\0']) => {
                Separator::Text(text.to_owned())
            }
            _ => {
                return Err(format!(
                    "expected what stands between the cells, such as , ; | :: tab or blanks, found {}",
                    quoted(text)
                ));
            }
        })
    }
}

impl Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Separator::Byte(b',') => f.write_str("commas"),
            Separator::Byte(b';') => f.write_str("semicolons"),
            Separator::Byte(b'\t') => f.write_str("tabs"),
            Separator::Blanks => f.write_str("blanks"),
            Separator::Byte(_) | Separator::Text(_) => f.write_str(&quoted(&self.label())),
        }
    }
}

impl Serialize for Separator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.label())
    }
}

impl<'de> Deserialize<'de> for Separator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for label in [",", ";", "tab", "|", "::", "blanks", "<SEP>", "^", "\u{1}", "\u{a6}"] {
            let separator: Separator = label.parse().expect(label);
            let json = serde_json::to_string(&separator).expect("a text");
            assert_eq!(serde_json::from_str::<Separator>(&json).expect("read"), separator, "{label}");
        }
        for label in ["", "a", "\"", "\n", "7", "x,"] {
            assert!(label.parse::<Separator>().is_err(), "{label:?}");
        }
    }
}
